"""Stores a password: sealed under its own count, so that an older one never opens in its place."""

from __future__ import annotations

from datetime import datetime

from connections.choices import EventKind
from connections.custody import journal, keys
from connections.custody.values import Claim
from connections.models import Attempt, Connection
from connections.vault import Context, Sealed


def store(row: Connection, password: str, now: datetime, *, data_key: str) -> None:
    """On the locked row; each save starts the count of refused tries anew. Raises VaultError."""
    _set(row, now, keys.seal(password, _next_context(row), data_key=data_key))


def keep_proven(row: Connection, attempt: Attempt, claim: Claim, now: datetime) -> None:
    """With the version that proves it, so that a wrong one is never stored and a good one is not lost with a caller
    who went away. What comes from a spool file has no password any more: that one is typed again."""
    _set(row, now, keys.seal_received(claim.secret, _next_context(row), data_key=claim.data_key))
    journal.write_event(
        row,
        EventKind.SECRET_SET,
        "The password that Sugar has just accepted was stored.",
        at=now,
        actor=attempt.actor or attempt.trigger,
        attempt=attempt.number,
    )


def note_proven(row: Connection, now: datetime) -> None:
    """Sugar has taken the stored one: what was refused before was not its fault (a directory that was away, a user who
    was inactive), and the count of refused tries starts anew, as Sugar's own does."""
    row.password_set_at = now


def _next_context(row: Connection) -> Context:
    row.password_number += 1
    return keys.password_context(row)


def _set(row: Connection, now: datetime, sealed: Sealed) -> None:
    row.password = sealed
    row.password_set_at = now
