"""Stores a password: sealed under its own count, so that an older one never opens in its place."""

from __future__ import annotations

from datetime import datetime

from connections.choices import EventKind
from connections.custody import journal, keys
from connections.models import Attempt, Connection


def store(row: Connection, password: str, now: datetime) -> None:
    """On the locked row; each save starts the count of refused tries anew."""
    row.password_number += 1
    row.password = keys.keyring().seal(password, keys.password_context(row))
    row.password_set_at = now


def keep_proven(row: Connection, attempt: Attempt, password: str, now: datetime) -> None:
    """With the version that proves it, so that a wrong one is never stored and a good one is not lost with a caller
    who went away. What comes from a spool file has no password any more: that one is typed again."""
    store(row, password, now)
    journal.write_event(
        row,
        EventKind.SECRET_SET,
        "The password that Sugar has just accepted was stored.",
        at=now,
        actor=attempt.actor or attempt.trigger,
        attempt=attempt.number,
    )
