"""After a restore or a fail-over: which chains are doubted, what settles a doubt, and whose turn it is.

A restored refresh token is probably dead, and a fleet that finds out all at once is a storm of sign-ins. So each
connection has its turn: two a second over the whole fleet, never two of one host at once. The order is written down
when the doubts are raised; the pace is kept at the claim, so that a late start of the background changes nothing.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from connections.choices import (
    GRANT_KINDS,
    OPEN_STATES,
    AttemptState,
    DiagnosisCode,
    EventKind,
    Generation,
)
from connections.custody import journal
from connections.custody.ledger import transitions
from connections.models import Attempt, Connection, Installation, TokenVersion, Turn, database_now

PACE = timedelta(seconds=0.5)
BREATH = timedelta(seconds=1)  # between two connections of one host; longer than from one rung to the next
TURN = "recovery"
LIVING = Q(version_count__gt=0, has_refresh_token=True)
AFTER_A_COPY = (
    "The database was confirmed after a restore or a copy: whether this refresh token still lives is being found out."
)
AFTER_A_FAILOVER = (
    "The database failed over, and what was written just before may be missing: whether this refresh "
    "token still lives is being found out."
)
UNSETTLED = (*OPEN_STATES, AttemptState.ANSWERED, AttemptState.IN_DOUBT)


# -- raising doubts -----------------------------------------------------------------------------------------


def doubt_all(*, actor: str) -> int:
    """Every living chain, and whatever a copy had to refuse, each with a time of its own; returns how many."""
    refused = Q(doubt_after__isnull=False) | Q(diagnosis_code=DiagnosisCode.DATABASE_RESTORED)
    rows = Connection.objects.present().filter(LIVING | refused)
    began, count = database_now(), 0
    for pk in _one_host_after_the_other(rows):
        _doubt(pk, began + PACE * count, AFTER_A_COPY, actor=actor)
        count += 1
    return count


def doubt_recent(since: datetime) -> int:
    """Living chains with a grant since then; due at once, after a look that may spare the grant. Returns how many."""
    recent = Attempt.objects.filter(kind__in=GRANT_KINDS, claimed_at__gte=since).values("connection")
    pks = list(Connection.objects.present().filter(LIVING, pk__in=recent).order_by("pk").values_list("pk", flat=True))
    for pk in pks:
        _doubt(pk, None, AFTER_A_FAILOVER, actor="background")
    return len(pks)


def _one_host_after_the_other(rows: QuerySet[Connection]) -> Iterator[int]:
    """First one of each host, then the second of each: neighbours in time are seldom neighbours in place."""
    by_host = defaultdict[str, list[int]](list)
    for host, pk in rows.order_by("pk").values_list("host", "pk"):
        by_host[host].append(pk)
    left: Iterable[list[int]] = by_host.values()
    while left := [pks for pks in left if pks]:
        yield from (pks.pop(0) for pks in left)


def _doubt(pk: int, at: datetime | None, why: str, *, actor: str) -> None:
    """`at`: not tried before; None: now."""
    with transaction.atomic(durable=True):
        row, now = transitions.locked_with_clock(pk)
        is_living = row.version_count > 0 and row.has_refresh_token
        if is_living:
            row.doubt_after = row.attempt_count
            row.doubt_began = row.attempt_count if row.doubt_began is None else row.doubt_began
            row.probe_due_at = at or now
            journal.write_event(row, EventKind.IN_DOUBT, why, at=now, actor=actor)
        transitions.update_diagnosis(row, now, actor=actor, is_refused_by_copy=False)
        if row.doubt_after is not None:
            row.retry_at = at
        else:
            transitions.plan_retry(row, now, was_sent=True)
            row.retry_at = max(row.retry_at, at or now) if row.retry_at else None
        transitions.reschedule(row, now)
        transitions.save(row)


# -- settling one without a grant ---------------------------------------------------------------------------


def settle_by_ping(row: Connection, version: TokenVersion, now: datetime, *, doubt: int | None, actor: str) -> None:
    """A good ping, sent when the doubt `doubt` was there: where the access token dies with its refresh token it says
    that the chain lives. Only for a doubt that no attempt of our own explains: those the ladder resolves."""
    if doubt is None or row.doubt_after != doubt or row.session_generation != Generation.ALWAYS:
        return
    unsettled = Attempt.objects.filter(connection=row, number__gte=row.doubt_began, state__in=UNSETTLED)
    if version.access_dead_at is not None or unsettled.exists():
        return
    row.doubt_after = row.doubt_began = None
    row.retry_at = None
    transitions.update_diagnosis(row, now, actor=actor)
    transitions.plan_retry(row, now, was_sent=True)
    transitions.plan_refresh(row, version, now)


# -- whose turn it is ---------------------------------------------------------------------------------------


def next_turn(row: Connection, now: datetime) -> datetime | None:
    """None: go on, the turn is taken. Else when to ask again, further away the more connections wait.

    Only for a doubt that an operator's confirmation raised; every other one has its own back-off.
    """
    if row.doubt_after is None or not _is_recovering(row):
        return None
    # The row of the turn is locked to the end of the claim: what it looks at cannot change under it.
    turn, _ = Turn.objects.select_for_update().get_or_create(name=TURN, defaults={"due_at": now})
    # The background comes once a tick: what it may do in one tick it may do at once.
    if turn.due_at <= now + settings.SUGARADMIN.tick and not _is_host_busy(row, now):
        Turn.objects.filter(name=TURN).update(due_at=max(turn.due_at, now) + PACE)
        return None
    waiting = Connection.objects.present().filter(doubt_after__isnull=False).count()
    return now + PACE * max(1.0, waiting * random.uniform(0.5, 1))  # noqa: S311  # spread


def _is_recovering(row: Connection) -> bool:
    """In doubt, and no grant has been sent since the confirmation."""
    confirmed_at = Installation.objects.values_list("confirmed_at", flat=True).first()
    return confirmed_at is not None and not Attempt.objects.filter(connection=row, sent_at__gt=confirmed_at).exists()


def _is_host_busy(row: Connection, now: datetime) -> bool:
    grants = Attempt.objects.filter(connection__host=row.host, kind__in=GRANT_KINDS).exclude(connection=row)
    return grants.filter(state__in=OPEN_STATES).exists() or grants.filter(closed_at__gt=now - BREATH).exists()
