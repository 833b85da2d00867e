"""Read-only custody: a copied database, or keys that do not fit it, make no grant until an operator has acted."""

from __future__ import annotations

import threading
import time

from django.db import connection

from connections.custody import keycheck
from connections.models import Installation

LOOKED_AT_EVERY = 5.0  # seconds; a copy is noticed at start, before the first claim

_lock = threading.Lock()
_seen: tuple[float, str, str] = (float("-inf"), "", "")
_has_noted_keys = False


def read_only_reason() -> str:
    """Why no grant may leave; empty when all is well. Asked on every claim, so looked up every few seconds."""
    copied, keys = _look()
    return keys or copied


def is_read_only() -> bool:
    return bool(read_only_reason())


def key_trouble() -> str:
    """Why no secret may be written; empty when all is well. A copy may be edited: it only makes no grants."""
    return _look()[1]


def forget() -> None:
    """Look again at the next claim: after an operator confirmed, and between tests."""
    global _seen, _has_noted_keys
    _seen = (float("-inf"), "", "")
    _has_noted_keys = False


def _look() -> tuple[str, str]:
    """(why it counts as a copy, what is wrong with the keys)"""
    global _seen
    at, copied, keys = _seen
    if time.monotonic() - at < LOOKED_AT_EVERY:
        return copied, keys
    with _lock:
        copied = Installation.objects.values_list("read_only_reason", flat=True).first() or ""
        keys = _key_trouble()
        _seen = (time.monotonic(), copied, keys)
    return copied, keys


def _key_trouble() -> str:
    """The first look of a process keeps what it finds, but never inside somebody's transaction, which may fail."""
    global _has_noted_keys
    if _has_noted_keys or connection.in_atomic_block:
        return keycheck.trouble()
    _has_noted_keys = True
    return keycheck.take_note()
