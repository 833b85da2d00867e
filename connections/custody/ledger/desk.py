"""What staff tell each other on a connection: snoozes and notes. No chain state is touched, no refresh is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import transaction

from connections.choices import EventKind
from connections.custody import audit, journal
from connections.custody.audit import Actor
from connections.custody.ledger import transitions
from connections.models import Connection, Note

NOTE_LENGTH = 2000
REASON_LENGTH = 300


def snooze(pk: int, span: timedelta, reason: str, actor: Actor) -> None:
    """Nobody is called for `span`; the connection's recovery ends it too. A second one takes the place of the first."""
    with _locked(pk) as (row, now):
        row.snoozed_until = now + span
        row.snooze_reason, row.snoozed_by = reason[:REASON_LENGTH], actor.name[:150]
        until = f"{row.snoozed_until:%Y-%m-%d %H:%M} UTC"
        journal.write_event(
            row, EventKind.SNOOZED, f"Snoozed until {until}: {row.snooze_reason}", at=now, actor=actor.name
        )
        audit.record_on(row, actor, "snooze", at=now, difference={"until": row.snoozed_until, "reason": reason})


def wake(pk: int, actor: Actor) -> None:
    """Done twice is done once."""
    with _locked(pk) as (row, now):
        if row.snoozed_until is None or row.snoozed_until <= now:
            return
        row.snoozed_until = None
        journal.write_event(row, EventKind.AWAKE, "The snooze was ended.", at=now, actor=actor.name)
        audit.record_on(row, actor, "wake", at=now)


def write_note(pk: int, text: str, actor: Actor) -> None:
    with _locked(pk) as (row, now):
        Note.objects.create(connection=row, at=now, author=actor.name[:150], text=text[:NOTE_LENGTH])
        journal.write_event(row, EventKind.NOTED, "A note was written.", at=now, actor=actor.name)
        audit.record_on(row, actor, "write_note", at=now)


def delete_note(pk: int, note: int, actor: Actor) -> bool:
    """False: there is no such note, or no more."""
    with _locked(pk) as (row, now):
        gone, _ = Note.objects.filter(connection=row, pk=note).delete()
        if gone:
            journal.write_event(row, EventKind.NOTED, "A note was deleted.", at=now, actor=actor.name)
            audit.record_on(row, actor, "delete_note", at=now)
        return gone > 0


@contextmanager
def _locked(pk: int) -> Iterator[tuple[Connection, datetime]]:
    """The row of one that is still there, saved at the end. Raises Connection.DoesNotExist."""
    with transaction.atomic():
        row, now = transitions.present_with_clock(pk)
        yield row, now
        transitions.save(row)
