"""Changes that a key tried and may not make: noted in the audit, but not as fast as a key can ask."""

from __future__ import annotations

import time

from connections.custody import audit
from connections.custody.audit import Actor

SAFE = ("GET", "HEAD", "OPTIONS")
ONCE_IN = 600.0  # seconds: the same denial of the same key, in one process
MOST_REMEMBERED = 10_000

_noted: dict[tuple[str, str, str], float] = {}


def note(method: str, actor: Actor, action: str, target: str) -> None:
    """A worker that asks in a loop for what it may not do must not fill the audit."""
    told, now = (actor.key, action, target), time.monotonic()
    if method in SAFE or now - _noted.get(told, -ONCE_IN) < ONCE_IN:
        return
    if len(_noted) >= MOST_REMEMBERED:
        _noted.clear()
    _noted[told] = now
    audit.record_denied(actor, action, target=target)


def forget() -> None:
    """Between tests."""
    _noted.clear()
