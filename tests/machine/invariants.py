"""What must be true of the database and of Sugar after every step (DESIGN section 4), as functions on both."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connections.choices import OPEN_STATES, AttemptState, EventKind, Trouble, VersionState
from connections.custody import schedule
from connections.diagnosis import State, dies_at, status_of
from connections.models import Attempt, AuditRow, Connection, DatabaseNow, Event, TokenVersion
from connections.simulator import SimulatorServer

UNATTENDED = ("background", "worker", "report")
HOUR = timedelta(hours=1)
WARNINGS = ("platform_shared", "password_stale", "password_expired", "session_cap_reached")
FIXED = (
    "chain",
    "origin",
    "issued_at",
    "access_expires_at",
    "refresh_expires_at",
    "fingerprint",
    "refresh_fingerprint",
)
FIXED_OF_ATTEMPT = ("kind", "rung", "trigger", "actor", "generation", "chain", "base_version", "claimed_at", "send_by")


@dataclass
class Memory:
    """What was seen before, to tell what has changed."""

    versions: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    attempts: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    handed: dict[str, int] = field(default_factory=dict)
    staff_changes: Counter[str] = field(default_factory=Counter)


def check(memory: Memory, simulator: SimulatorServer, instance: str) -> None:
    rows = list(Connection.objects.with_status().annotate(now=DatabaseNow()).order_by("pk"))
    one_grant_at_a_time(simulator)
    nothing_is_sent_without_an_intent(simulator, instance)
    for row in rows:
        versions = list(TokenVersion.objects.filter(connection=row).order_by("number"))
        attempts = list(Attempt.objects.filter(connection=row).order_by("number"))
        events = list(Event.objects.filter(connection=row).order_by("number"))
        numbers_only_grow(row, versions, attempts, memory)
        versions_never_change(row, versions, memory)
        attempts_never_change(row, attempts, memory)
        at_most_one_lives(versions)
        only_its_own_generation_settles(row, versions)
        changes_have_their_events(row, events)
        staff_changes_are_audited(row, memory)
        grants_are_bounded(attempts, versions)
        sign_ins_are_bounded(attempts)
        somebody_will_look(row)
        both_statuses_agree(row)


def one_grant_at_a_time(simulator: SimulatorServer) -> None:
    """INV1. The database holds it by constraint; Sugar's own tables show that it worked."""
    triples = Attempt.objects.filter(state__in=OPEN_STATES, kind__in=("refresh", "password")).values_list(
        "instance_url", "username_key", "platform_key"
    )
    assert len(set(triples)) == len(triples)
    assert simulator.run(simulator.world.violations) == []


def numbers_only_grow(row: Connection, versions: list[TokenVersion], attempts: list[Attempt], memory: Memory) -> None:
    """INV2, INV8."""
    assert [version.number for version in versions] == list(range(1, row.version_count + 1))
    assert [attempt.number for attempt in attempts] == list(range(1, row.attempt_count + 1))
    assert row.version_count >= memory.handed.get(row.public_id, 0)


def versions_never_change(row: Connection, versions: list[TokenVersion], memory: Memory) -> None:
    """INV2: only state and secrets move, one way."""
    for version in versions:
        now = {name: getattr(version, name) for name in (*FIXED, "state", "access_token", "refresh_token")}
        before = memory.versions.get((row.pk, version.number))
        memory.versions[row.pk, version.number] = now
        if before is None:
            continue
        assert {name: now[name] for name in FIXED} == {name: before[name] for name in FIXED}
        assert before["state"] == VersionState.LIVE or now["state"] == before["state"]
        for secret in ("access_token", "refresh_token"):
            assert before[secret] is not None or now[secret] is None, "a wiped secret came back"


def attempts_never_change(row: Connection, attempts: list[Attempt], memory: Memory) -> None:
    for attempt in attempts:
        now = {name: getattr(attempt, name) for name in (*FIXED_OF_ATTEMPT, "state", "sent_at", "closed_at")}
        before = memory.attempts.get((row.pk, attempt.number))
        memory.attempts[row.pk, attempt.number] = now
        if before is None:
            continue
        assert {name: now[name] for name in FIXED_OF_ATTEMPT} == {name: before[name] for name in FIXED_OF_ATTEMPT}
        assert before["sent_at"] is None or now["sent_at"] == before["sent_at"]
        if before["closed_at"] is not None:
            assert now["state"] not in OPEN_STATES, "a closed attempt was opened again"
            assert before["state"] != AttemptState.SETTLED or now["state"] == AttemptState.SETTLED


def at_most_one_lives(versions: list[TokenVersion]) -> None:
    assert sum(version.state == VersionState.LIVE for version in versions) <= 1


def only_its_own_generation_settles(row: Connection, versions: list[TokenVersion]) -> None:
    """INV3: what an edit fenced off never becomes the living version."""
    live = next((version for version in versions if version.state == VersionState.LIVE), None)
    if live is None or live.attempt is None:
        return
    assert live.attempt.version == live.number
    triple = (live.attempt.instance_url, live.attempt.username_key, live.attempt.platform_key)
    assert triple == (row.instance_url, row.username_key, row.platform_key)


def nothing_is_sent_without_an_intent(simulator: SimulatorServer, instance: str) -> None:
    """INV4: every grant that Sugar saw stands in our journal as sent."""
    seen = simulator.world.journal.count(instance=instance, endpoint="token")
    assert seen <= Attempt.objects.filter(sent_at__isnull=False).count()


def changes_have_their_events(row: Connection, events: list[Event]) -> None:
    """INV11."""
    assert [event.number for event in events] == list(range(1, row.event_count + 1))
    kinds = Counter(event.kind for event in events)
    assert kinds[EventKind.SIGNED_IN] + kinds[EventKind.REFRESHED] == row.version_count
    if row.deleted_at is not None:
        assert kinds[EventKind.DELETED] == 1
        return
    told = [event for event in events if event.kind in (EventKind.DIAGNOSED, EventKind.RECOVERED)]
    if row.trouble != Trouble.NONE:
        assert told and (told[-1].kind, told[-1].code) == (EventKind.DIAGNOSED, row.diagnosis_code)
        assert row.diagnosis["evidence"]
    elif told and told[-1].kind == EventKind.DIAGNOSED:
        assert told[-1].code in WARNINGS, "trouble went without an event"
    assert bool(row.diagnosis_code) == (row.diagnosis is not None)


def staff_changes_are_audited(row: Connection, memory: Memory) -> None:
    """INV11: every staff change its audit row, in the same transaction."""
    assert AuditRow.objects.filter(target=row.public_id).count() == memory.staff_changes[row.public_id]


def grants_are_bounded(attempts: list[Attempt], versions: list[TokenVersion]) -> None:
    """INV12, over every hour that ends with a grant nobody asked for in person."""
    lifetimes = [version.access_expires_at - version.issued_at for version in versions] or [HOUR]
    bound = schedule.grants_per_hour(min(lifetimes))
    sent = [a.sent_at for a in attempts if a.sent_at is not None and a.trigger in UNATTENDED]
    for last in sent:
        assert sum(last - HOUR < at <= last for at in sent) <= bound


def sign_ins_are_bounded(attempts: list[Attempt]) -> None:
    """DESIGN section 4, point 8: six by itself in any day."""
    day = timedelta(days=1)
    sent = [a.sent_at for a in attempts if a.sent_at and a.kind == "password" and a.trigger in UNATTENDED]
    for last in sent:
        assert sum(last - day < at <= last for at in sent) <= 6


def somebody_will_look(row: Connection) -> None:
    """INV5: what is not well, and what will run out, has a time at which the background takes it up."""
    if row.deleted_at is None and row.held_at is None and row.version_count:
        assert row.due_at is not None, (row.status, row.diagnosis_code)  # type: ignore[attr-defined]


def both_statuses_agree(row: Connection) -> None:
    now: datetime = row.now  # type: ignore[attr-defined]
    state = state_of(row)
    assert row.status == status_of(state, now)  # type: ignore[attr-defined]
    assert row.dies_at == dies_at(state, now) or abs(row.dies_at - dies_at(state, now)) < timedelta(seconds=1)  # type: ignore[attr-defined,operator]


def state_of(row: Connection) -> State:
    return State(
        is_paused=row.paused_at is not None,
        is_held=row.held_at is not None,
        is_draft=row.version_count == 0,
        trouble=Trouble(row.trouble),
        access_expires_at=row.access_expires_at,
        access_dead_at=row.access_dead_at,
        access_doubtful_until=row.access_doubtful_until,
        has_refresh_token=row.has_refresh_token,
        has_password=row.password is not None,
        refresh_expires_at=row.refresh_expires_at,
        has_open_lost_attempt=row.answer_lost_at is not None,
    )
