"""Read-only custody: a copied database, or keys that do not fit it, make no grant until an operator has acted."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from django.db import connection

from connections.custody import identity, keycheck, keys

logger = logging.getLogger(__name__)

LOOKED_AT_EVERY = 5.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    at: float
    copied: str = ""
    foreign: str = ""
    keys: str = ""


_NEVER = _Look(at=float("-inf"))
_seen = _NEVER
_has_noted_keys = False


def read_only_reason() -> str:
    """Why no grant may leave; empty when all is well. Asked on every claim, so looked up every few seconds."""
    seen = _look()
    return seen.keys or seen.copied or seen.foreign


def is_read_only() -> bool:
    return bool(read_only_reason())


def is_copy() -> bool:
    """The database is a copy or an older state: no node makes a grant, and connections that need one say so."""
    return bool(_look().copied)


def is_foreign() -> bool:
    """Only this node must not: the database belongs to another installation, whose work is none of its business."""
    seen = _look()
    return bool(seen.foreign) and not seen.copied


def key_trouble() -> str:
    """Why no secret may be written; empty when all is well. A copy may be edited: it only makes no grants."""
    return _look().keys


def forget() -> None:
    """Look again at the next claim: after an operator confirmed, and between tests."""
    global _seen, _has_noted_keys
    _seen = _NEVER
    _has_noted_keys = False
    keys.forget()


def _look() -> _Look:
    """The first look of a process comes before its first claim; custody.copies writes down what it finds."""
    global _seen
    if time.monotonic() - _seen.at < LOOKED_AT_EVERY:
        return _seen
    # No lock: who holds one here would wait for the database, whose writer may be waiting for the look.
    verdict = identity.look()
    found = _Look(at=time.monotonic(), copied=verdict.copied, foreign=verdict.foreign, keys=_key_trouble())
    if found.keys and found.keys != _seen.keys:
        logger.error("Custody is read-only: %s", found.keys, extra={"action": "check_keys"})
    if found.foreign and found.foreign != _seen.foreign:
        logger.error("Custody is read-only: %s", found.foreign, extra={"action": "check_database"})
    _seen = found
    return found


def _key_trouble() -> str:
    """A process notes its keys once; inside somebody's transaction, which may fail, that does not count as done."""
    global _has_noted_keys
    if _has_noted_keys:
        return keycheck.trouble()
    _has_noted_keys = not connection.in_atomic_block
    return keycheck.take_note()
