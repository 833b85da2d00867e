"""Hand out a living token: one read where it lives, one grant for everybody where it does not."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Container
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Unfinished
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q

from connections.choices import DiagnosisCode, Trigger, Trouble, VersionState
from connections.custody import guard, keys, runner, schedule, wire
from connections.custody.ledger import upkeep
from connections.custody.problems import Conflict, Later, NotFound, Unchanged
from connections.custody.runner import HostBusy, Pursuit
from connections.custody.statement import Statement
from connections.custody.values import Decline, Declined, Goal, Want
from connections.models import Connection, DatabaseNow, TokenVersion
from connections.vault import Sealed, VaultError

PATIENCE = 2.0  # seconds a caller may wait for one host before it counts against its share of the threads
MOST_WAIT = 30.0
MOST_REMEMBERED = 10_000

Tenants = frozenset[int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOut:
    """A living access token and what a worker needs to use it."""

    connection_id: str
    access_token: str = field(repr=False)
    version: int
    expires_at: datetime
    expires_in: int
    instance_url: str
    rest_path: str
    platform: str
    warning: str | None
    is_verified: bool | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a connection and its live version, with the database's clock: a row of the hot path."""

    pk: int
    public_id: str
    tenant_pk: int
    tenant_id: str
    instance_url: str
    rest_path: str
    platform: str
    host: str
    trouble: str
    diagnosis_code: str
    paused_at: datetime | None
    held_at: datetime | None
    last_used_at: datetime | None
    next_refresh_at: datetime | None
    is_session_bound: bool
    number: int
    version_pk: int
    sealed: Sealed
    issued_at: datetime
    access_expires_at: datetime
    access_dead_at: datetime | None
    now: datetime

    @property
    def life(self) -> float:
        """Seconds the token still lives, for all we know."""
        return 0.0 if self.access_dead_at else (self.access_expires_at - self.now).total_seconds()


COLUMNS = (
    "connection__pk",
    "connection__public_id",
    "connection__tenant__pk",
    "connection__tenant__public_id",
    "connection__instance_url",
    "connection__rest_path",
    "connection__platform",
    "connection__host",
    "connection__trouble",
    "connection__diagnosis_code",
    "connection__paused_at",
    "connection__held_at",
    "connection__last_used_at",
    "connection__next_refresh_at",
    "connection__is_session_bound",
    "number",
    "pk",
    "access_token",
    "issued_at",
    "access_expires_at",
    "access_dead_at",
    "now",
)
_LIVE = (
    TokenVersion.objects.filter(state=VersionState.LIVE, connection__deleted_at__isnull=True)
    .annotate(now=DatabaseNow())
    .order_by()
    .values_list(*COLUMNS)
)


def token(
    public_id: str, *, tenants: Tenants, min_ttl: float = 60, wait: float = 10, held: Container[int] = (), actor: str
) -> HandedOut:
    """A token with at least `min_ttl` seconds of life, waiting up to `wait` seconds for a refresh.

    `held`: the versions the caller has; raises Unchanged while one of them is live and lives long enough.
    Raises CustodyProblem.
    """
    seen = look(public_id, tenants)
    if seen is not None and seen.held_at is None and seen.life >= _least(seen, min_ttl):
        return hand_out(seen, held=held)
    return _obtain(public_id, seen, tenants, min_ttl=min_ttl, wait=min(wait, MOST_WAIT), held=held, actor=actor)


@lru_cache
def _statement(vendor: str) -> Statement:
    return Statement.of(lambda public_id: _LIVE.filter(connection__public_id=public_id))


def look(public_id: str, tenants: Tenants) -> Seen | None:
    row = _statement(connection.vendor).first(public_id)
    if row is None:
        return None
    seen = Seen(*row)
    if tenants is not None and seen.tenant_pk not in tenants:
        raise NotFound
    return seen


def _least(seen: Seen, min_ttl: float) -> float:
    """More than half of a lifetime cannot be promised: each refresh would be followed by the next."""
    half = (seen.access_expires_at - seen.issued_at).total_seconds() / 2
    return max(min(min_ttl, half), 0.001)


def hand_out(seen: Seen, *, held: Container[int] = (), is_verified: bool | None = None) -> HandedOut:
    _note_use(seen)
    if seen.number in held:
        raise Unchanged(seen.number)
    try:
        access_token = keys.open_access(
            seen.sealed, tenant_id=seen.tenant_id, connection_id=seen.public_id, number=seen.number
        )
    except VaultError:
        upkeep.note_key_missing(seen.pk)
        raise Conflict(
            DiagnosisCode.ENCRYPTION_KEY_MISSING,
            "The encryption key of this token is missing here; the operator must bring it back.",
        ) from None
    return HandedOut(
        connection_id=seen.public_id,
        access_token=access_token,
        version=seen.number,
        expires_at=seen.access_expires_at,
        expires_in=int(seen.life),
        instance_url=seen.instance_url,
        rest_path=seen.rest_path,
        platform=seen.platform,
        warning=seen.diagnosis_code or None,
        is_verified=is_verified,
    )


def _note_use(seen: Seen) -> None:
    """Rarely a write; inside the lead the refresh is started behind the caller's back."""
    is_unnoted = seen.last_used_at is None or seen.now - seen.last_used_at > schedule.USE_NOTED_EVERY
    if is_unnoted and _noted.is_turn(seen.pk, schedule.USE_NOTED_EVERY.total_seconds() / 10):
        upkeep.note_use(seen.pk)
    is_due = seen.next_refresh_at is not None and seen.next_refresh_at <= seen.now
    tick = settings.SUGARADMIN.tick.total_seconds()
    if is_due and not seen.trouble and seen.paused_at is None and _behind.is_turn(seen.pk, tick):
        want = Want(goal=Goal.KEEP, trigger=Trigger.BACKGROUND, actor="background", seen=seen.number)
        try:
            runner.pursue(seen.pk, seen.host, want)
        except HostBusy:
            return  # the background will get to it


class _Turns:
    """Once in a while per connection and process: a thousand readers at once write one row and start one refresh."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[int, float] = {}

    def is_turn(self, pk: int, every: float) -> bool:
        now = time.monotonic()
        with self._lock:
            if now - self._last.get(pk, float("-inf")) < every:
                return False
            if len(self._last) > MOST_REMEMBERED:
                self._last.clear()
            self._last[pk] = now
            return True


_noted, _behind = _Turns(), _Turns()


# -- no good token at hand -----------------------------------------------------------------------------------


def _obtain(
    public_id: str,
    seen: Seen | None,
    tenants: Tenants,
    *,
    min_ttl: float,
    wait: float,
    held: Container[int],
    actor: str,
) -> HandedOut:
    row = find(public_id, tenants)
    refuse_by_state(row, has_living=seen is not None and seen.life > 0)
    until = time.monotonic() + wait
    want = Want(
        goal=Goal.KEEP,
        trigger=Trigger.WORKER,
        actor=actor,
        seen=seen.number if seen else None,
        min_life=_least(seen, min_ttl) if seen else min_ttl,
    )

    def found() -> HandedOut | None:
        fresh = look(public_id, tenants)
        if fresh is None or fresh.held_at is not None or fresh.life < _least(fresh, min_ttl):
            return None
        return hand_out(fresh, held=held)

    brought = await_version(begin(row, want), row.host, until, found)
    if isinstance(brought, HandedOut):
        return brought
    fresh = look(public_id, tenants)
    if fresh is not None and fresh.held_at is None and fresh.life > 0:
        return hand_out(fresh)  # `min_ttl` could not be had: a living token is better than none, `expires_in` tells
    raise problem_of(find(public_id, tenants), brought)


def find(public_id: str, tenants: Tenants) -> Connection:
    """Raises NotFound, also for another tenant's."""
    rows = Connection.objects.present().with_status().select_related("tenant", "owner").defer("owner__password")
    row = rows.annotate(now=DatabaseNow()).filter(public_id=public_id).first()
    if row is None or (tenants is not None and row.tenant_id not in tenants):
        raise NotFound
    return row


def refuse_by_state(row: Connection, *, has_living: bool) -> None:
    if row.held_at is not None:
        raise Conflict("held", "This connection is held: nothing is handed out until staff resume it.")
    if row.paused_at is not None and not has_living:
        raise Conflict("paused", "This connection is paused and its last token has expired; staff must resume it.")
    if row.version_count == 0 and row.adopted_token is None:
        raise Conflict("draft", "This connection has never signed in.", diagnosis=row.diagnosis)


def begin(row: Connection, want: Want) -> Pursuit | Declined:
    """Starts or joins a grant."""
    blocked = _blocked(row)
    if blocked is not None:
        return blocked
    try:
        return runner.pursue(row.pk, row.host, want)
    except HostBusy:
        return Declined(reason=Decline.BUSY)


def await_version(
    begun: Pursuit | Declined, host: str, until: float, found: Callable[[], HandedOut | None]
) -> HandedOut | Declined | None:
    """What `found` sees when the grant has stored a version, else when it is over; or why there was no grant.

    The database connection is given back meanwhile.
    """
    if isinstance(begun, Declined):
        return begun
    wire.release_database()
    patient_until = min(until, time.monotonic() + PATIENCE)
    for promise in (begun.settled, begun.ended):
        is_kept = _wait_for(promise, host, patient_until, until)
        brought = found()
        if brought is not None:
            return brought
        if not is_kept:
            return Declined(reason=Decline.BUSY)
        if begun.ended.done():
            break
        wire.release_database()
    return begun.ended.result().declined


def _blocked(row: Connection) -> Declined | None:
    """Known to be hopeless right now: nobody waits for a host that is waited for, or for a person."""
    now = row.now  # type: ignore[attr-defined]  # annotated by find
    if guard.is_read_only():
        return Declined(reason=Decline.READ_ONLY)
    if row.paused_at is not None:
        return Declined(reason=Decline.PAUSED)
    if row.retry_at is not None and row.retry_at > now:
        reason = Decline.PERSON if row.trouble == Trouble.PERSON else Decline.LATER
        return Declined(reason=reason, retry_at=row.retry_at)
    probe_at = upkeep.host_wait(row.host)
    if probe_at is not None and probe_at > now:
        return Declined(reason=Decline.LATER, retry_at=probe_at)
    return None


_slow: Counter[str] = Counter()
_slow_lock = threading.Lock()


def _wait_for(promise: Future[Any], host: str, patient_until: float, until: float) -> bool:
    """Two seconds for everybody; longer only for a quarter of the threads per host."""
    if _is_kept(promise, patient_until):
        return True
    if time.monotonic() >= until:
        return False
    with _slow_lock:
        if _slow[host] >= max(1, settings.SUGARADMIN.web_threads // 4):
            return False
        _slow[host] += 1
    try:
        return _is_kept(promise, until)
    finally:
        with _slow_lock:
            _slow[host] -= 1


def _is_kept(promise: Future[Any], until: float) -> bool:
    try:
        promise.result(max(until - time.monotonic(), 0))
    except Unfinished:
        return False
    return True


# -- what to tell the caller ---------------------------------------------------------------------------------


def problem_of(row: Connection, declined: Declined | None) -> Conflict | Later:
    """409 where a person is needed, 503 where time heals: the status decides (DESIGN section 5)."""
    now: datetime = row.now  # type: ignore[attr-defined]
    status: str = row.status  # type: ignore[attr-defined]
    reason = declined.reason if declined else None
    if reason == Decline.READ_ONLY:
        return Conflict("read_only", guard.read_only_reason())
    if reason == Decline.PAUSED:
        return Conflict("paused", "This connection is paused: staff must resume it before it is refreshed.")
    if status in ("down", "dying", "draft"):
        code = row.diagnosis_code or ("draft" if status == "draft" else DiagnosisCode.CREDENTIALS_MISSING)
        return Conflict(code, _words(row, "A person must act before there is a token."), diagnosis=row.diagnosis)
    return Later(
        row.diagnosis_code or "busy",
        _words(row, "A refresh is under way."),
        retry_after=_seconds_until(_again_at(row, declined), now),
        diagnosis=row.diagnosis,
    )


def _again_at(row: Connection, declined: Declined | None) -> datetime | None:
    """None: any moment now. Whoever only ran out of time or threads left a grant behind that is still going on."""
    if declined is not None and declined.retry_at is not None:
        return declined.retry_at
    is_going_on = declined is not None and declined.reason == Decline.BUSY and row.answer_lost_at is None
    return None if is_going_on else row.retry_at or row.due_at


def _words(row: Connection, otherwise: str) -> str:
    return str((row.diagnosis or {}).get("cause") or otherwise)


def _seconds_until(at: datetime | None, now: datetime) -> int:
    if at is None or at <= now:
        return 1
    return max(1, math.ceil((at - now).total_seconds()))


def visible(tenants: Tenants) -> Q:
    """The gate for lists: what an asker limited to tenants may see."""
    return Q() if tenants is None else Q(tenant_id__in=tenants)
