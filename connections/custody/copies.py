"""A copied or restored database makes no grant until an operator has confirmed it; a fail-over goes on by itself.

1. At start and every minute each node looks (custody.identity) and writes down what it has seen.
2. A copy, or an older state: custody is read-only for everybody; the reason stays in the database over restarts.
3. A new timeline alone: connections with a recent grant are in doubt, the rest goes on.
4. Confirmed: every living chain is in doubt and looked at in its turn, then custody is released.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from connections.custody import audit, guard, identity, spool
from connections.custody.audit import Actor
from connections.custody.identity import Mark, State, Verdict
from connections.custody.ledger import recovery
from connections.models import Installation, database_now

logger = logging.getLogger(__name__)

ONLY_ROW = 1
MAY_BE_LOST = timedelta(minutes=15)  # what a standby may lack when it takes over


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What a confirmation set going."""

    reason: str
    connections: int  # put in doubt, to be looked at in turn
    lasts: timedelta


def check() -> str:
    """Looks, writes down, acts; returns why this node may make no grant, empty when all is well."""
    verdict = identity.look()
    if verdict.row is None:
        _register(verdict.here)
    elif verdict.copied:
        _stop(verdict.copied)
    elif not verdict.foreign:
        if verdict.is_failover:
            _fail_over(verdict)
        _note(verdict.here)
    return verdict.reason


def _register(here: State) -> None:
    """The first look at a new database, which nothing can be compared with."""
    now = database_now()
    row, is_new = Installation.objects.get_or_create(
        pk=ONLY_ROW,
        defaults={
            "instance_id": identity.instance_id(),
            "fingerprint": identity.as_json(here, now),
            "confirmed_at": now,
        },
    )
    if is_new:
        _mark(row)


def _stop(reason: str) -> None:
    """Once, whoever finds it first."""
    if Installation.objects.filter(read_only_reason="").update(read_only_reason=reason):
        logger.error("Custody is read-only: %s", reason, extra={"action": "check_database"})
        guard.forget()


def _note(here: State) -> None:
    """All is well: how far the database has come, first in it, then beside it."""
    with transaction.atomic():
        installation = Installation.objects.select_for_update().get()
        if installation.read_only_reason:
            return  # another node has just found what this one could not see
        known = identity.reach(identity.stored(installation), here)
        installation.fingerprint = identity.as_json(known, database_now())
        installation.save(update_fields=["fingerprint"])
    _mark(installation)


def _mark(row: Installation) -> None:
    """A full disk must not stop custody: the mark stays as it was, which is safe."""
    known = identity.stored(row)
    if row.confirmed_at is None:
        return
    try:
        identity.write_mark(Mark(since=row.confirmed_at, versions=known.versions, attempts=known.attempts))
    except OSError as error:
        logger.error("The high-water mark cannot be written: %s", error.strerror, extra={"action": "check_database"})


def _fail_over(verdict: Verdict) -> None:
    """Counted back from when the old primary was last seen well: the way to a standby may have taken hours."""
    assert verdict.row is not None
    spool.replay()
    doubted = recovery.doubt_recent(_last_seen(verdict.row) - MAY_BE_LOST)
    logger.warning(
        "The database failed over to timeline %s; connections with a recent grant are in doubt.",
        verdict.here.timeline,
        extra={"action": "check_database", "count": doubted},
    )


def _last_seen(row: Installation) -> datetime:
    seen_at = row.fingerprint.get("seen_at")
    return datetime.fromisoformat(seen_at) if seen_at else database_now()


def confirm(actor: Actor) -> Confirmed | None:
    """An operator says that nobody else works on these connections. None where nothing had to be confirmed.

    The doubts come first, while no grant can leave: a process that dies on the way leaves custody read-only.
    """
    verdict = identity.look()
    if verdict.row is None or not verdict.reason:
        return None
    spool.replay()
    doubted = recovery.doubt_all(actor=actor.name)
    row = _release(verdict, actor, doubted)
    _mark(row)
    guard.forget()
    return Confirmed(reason=verdict.reason, connections=doubted, lasts=recovery.PACE * doubted)


def _release(verdict: Verdict, actor: Actor, doubted: int) -> Installation:
    with transaction.atomic():
        installation = Installation.objects.select_for_update().get()
        before, was = installation.instance_id, identity.stored(installation)
        now = _after_all_before(installation)
        installation.instance_id = identity.instance_id()
        installation.fingerprint = identity.as_json(verdict.here, now)
        installation.confirmed_at = now
        installation.read_only_reason = ""
        installation.save()
        audit.record(
            actor,
            "confirm_database",
            at=now,
            target=installation.instance_id,
            difference={
                "reason": verdict.reason,
                "instance_id": [before, installation.instance_id],
                "place": [was.place, verdict.here.place],
                "connections": doubted,
            },
        )
    return installation


def _after_all_before(row: Installation) -> datetime:
    """Now, and later than every confirmation before, whatever the clock of this server says: marks count from it."""
    mark = identity.read_mark()
    before = (row.confirmed_at, mark.since if mark else None)
    return max(database_now(), *(at + timedelta(milliseconds=1) for at in before if at is not None))
