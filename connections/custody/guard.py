"""Read-only custody: a copied database, or keys that do not fit it, make no grant until an operator has confirmed."""

from __future__ import annotations

import threading
import time

from connections.models import Installation

LOOKED_AT_EVERY = 5.0  # seconds; a copy is noticed at start, before the first claim

_lock = threading.Lock()
_seen: tuple[float, str] = (float("-inf"), "")


def read_only_reason() -> str:
    """Why no grant may leave; empty when all is well. Asked on every claim, so looked up every few seconds."""
    global _seen
    at, reason = _seen
    if time.monotonic() - at < LOOKED_AT_EVERY:
        return reason
    with _lock:
        reason = Installation.objects.values_list("read_only_reason", flat=True).first() or ""
        _seen = (time.monotonic(), reason)
    return reason


def is_read_only() -> bool:
    return bool(read_only_reason())


def forget() -> None:
    """Look again at the next claim: after an operator confirmed, and between tests."""
    global _seen
    _seen = (float("-inf"), "")
