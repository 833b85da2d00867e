"""A worker's 401 is evidence, not an order: at most one ping and one grant, however many report it."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

from connections.choices import Fault, Trigger, VersionState
from connections.custody import handout, runner, wire
from connections.custody.handout import HandedOut, Seen, Tenants, look
from connections.custody.ledger import claims, looks, upkeep
from connections.custody.problems import Later, NewerVersion
from connections.custody.runner import Pursuit
from connections.custody.values import Declined, Goal, Want
from connections.models import Connection, DatabaseNow, TokenVersion
from connections.sugar import fault_told
from connections.vault import VaultError

PING_GOOD_FOR = 30.0  # seconds: the answer of a ping on a report
PING_SECONDS = 10.0
LOOK_AGAIN = 0.1
MOST_TEXT = 2048
PING_COLUMNS = ("access_dead_at", "ping_taken_until", "pinged_at", "state")
UNASKED = "Sugar could not be asked whether it still accepts the token."
_TOKEN_LIKE = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27,}|[A-Za-z0-9_\-.]{32,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def rejected(
    public_id: str, *, tenants: Tenants, version: int, wait: float, actor: str, report: dict[str, Any]
) -> HandedOut:
    """The same answer as for a token; `is_verified` when Sugar still accepts the reported one.

    1. A newer version is the answer, no grant.
    2. Else one ping with the reported token; good: the same version, verified.
    3. Dead: one refresh, paced when fresh versions keep being reported. Raises CustodyProblem.
    """
    seen = look(public_id, tenants)
    if seen is None:
        return handout.token(public_id, tenants=tenants, wait=wait, actor=actor)
    if version > seen.number:
        raise NewerVersion(seen.number)
    if version < seen.number and seen.held_at is None and seen.life > 0:
        return handout.hand_out(seen)
    if seen.held_at is not None or version < seen.number:
        return handout.token(public_id, tenants=tenants, min_ttl=0, wait=wait, actor=actor)
    until = time.monotonic() + min(wait, handout.MOST_WAIT)
    if seen.access_dead_at is None and _ask_sugar(seen, tenants, until, actor, cleaned(report)):
        fresh = look(public_id, tenants)
        if fresh is not None and fresh.number == version and fresh.access_dead_at is None:
            return handout.hand_out(fresh, is_verified=True)
    return _replace(seen, tenants, until, actor)


def cleaned(report: dict[str, Any]) -> dict[str, Any]:
    """What a worker says is as untrusted as what Sugar says: capped, without control characters and tokens."""
    status = report.get("status")
    return {
        "status": status if isinstance(status, int) and 100 <= status <= 599 else None,
        "error": _text(report.get("error"), 100),
        "error_message": _text(report.get("error_message"), MOST_TEXT - 100),
    }


def _text(value: object, most: int) -> str:
    # Half of a surrogate pair is no text to PostgreSQL.
    text = value.encode(errors="ignore").decode() if isinstance(value, str) else ""
    return _TOKEN_LIKE.sub("[removed]", _CONTROL.sub(" ", text[: 4 * MOST_TEXT])).strip()[:most]


def _ask_sugar(seen: Seen, tenants: Tenants, until: float, actor: str, report: dict[str, Any]) -> bool:
    """True while Sugar accepts the token. One asks, the others wait for what it finds; an answer serves 30 s.

    Of each process one looks what the asker has found: a thousand that looked would leave it no processor.
    """
    while True:
        try:
            left = until - time.monotonic()
            return runner.ask_once(seen.version_pk, lambda: _ask(seen, tenants, until, actor, report), left)
        except _OutOfTime:  # perhaps its own time was shorter than ours
            if time.monotonic() >= until:
                raise Later("busy", UNASKED, retry_after=5) from None
        except TimeoutError:
            raise Later("busy", UNASKED, retry_after=5) from None


class _OutOfTime(Exception):
    """Somebody else asks, and had not finished when the caller's time was up."""


def _ask(seen: Seen, tenants: Tenants, until: float, actor: str, report: dict[str, Any]) -> bool:
    """The refresh begins before the others wake: they find it under way, and ask the database nothing."""
    is_alive = _take_or_await(seen, until, actor, report)
    if not is_alive:
        _begin(seen, tenants, actor)
    return is_alive


def _take_or_await(seen: Seen, until: float, actor: str, report: dict[str, Any]) -> bool:
    if not upkeep.take_ping(seen.version_pk, seconds=PING_SECONDS + 2, good_for=PING_GOOD_FOR):
        return _await_ping(seen, until)
    looks.note_report(seen.pk, seen.number, actor=actor, report=report)
    is_alive = _believe(seen, actor, report) if seen.is_session_bound else _ping(seen, actor, report)
    if not is_alive:
        upkeep.note_reported_death(seen.pk, seen.number)
    return is_alive


def _believe(seen: Seen, actor: str, report: dict[str, Any]) -> bool:
    """Where Sugar binds sessions to addresses our ping would do harm: the worker's word has to do."""
    if report["status"] != 401:
        return True
    upkeep.note_believed_death(seen.pk, seen.number, actor=actor)
    return False


def _ping(seen: Seen, actor: str, report: dict[str, Any]) -> bool:
    row = Connection.objects.select_related("tenant").get(pk=seen.pk)
    try:
        living = upkeep.living(row, claims.target_of(row))
    except VaultError:
        return True
    if living is None or living.number != seen.number:
        return True
    wire.release_database()
    answer = wire.client().ping(living.target, access_token=living.access_token, deadline=PING_SECONDS)
    told = fault_told(report["status"], report["error"], report["error_message"])
    is_session_told = told == Fault.SESSION_REJECTED
    is_alive = upkeep.note_ping(seen.pk, seen.number, answer, actor=actor, is_session_told=is_session_told)
    if is_alive and answer.fault is not None:
        raise Later("busy" if answer.is_kept_back else answer.fault, UNASKED, retry_after=5)
    return is_alive


def _await_ping(seen: Seen, until: float) -> bool:
    """Somebody asks already, or has just asked."""
    while True:
        version = (
            TokenVersion.objects.filter(pk=seen.version_pk).only(*PING_COLUMNS).annotate(now=DatabaseNow()).first()
        )
        if version is None or version.access_dead_at is not None or version.state != VersionState.LIVE:
            return False
        if version.pinged_at is not None and version.now - version.pinged_at < timedelta(seconds=PING_GOOD_FOR):
            return True
        if version.ping_taken_until is None:
            raise Later("busy", UNASKED, retry_after=5)
        if time.monotonic() >= until:
            raise _OutOfTime
        wire.release_database()
        time.sleep(LOOK_AGAIN)


def _replace(seen: Seen, tenants: Tenants, until: float, actor: str) -> HandedOut:
    """The reported token is dead: one refresh for everybody."""

    def found() -> HandedOut | None:
        fresh = look(seen.public_id, tenants)
        if fresh is None or fresh.number <= seen.number or fresh.held_at is not None or fresh.life <= 0:
            return None
        return handout.hand_out(fresh)

    begun = runner.under_way(seen.pk) or _begin(seen, tenants, actor)
    brought = handout.await_version(begun, seen.host, until, found) if begun is not None else found()
    if isinstance(brought, HandedOut):
        return brought
    raise handout.problem_of(handout.find(seen.public_id, tenants), brought)


def _begin(seen: Seen, tenants: Tenants, actor: str) -> Pursuit | Declined | None:
    """Starts the refresh, or joins it; None where there is a newer version already."""
    row = handout.find(seen.public_id, tenants)
    if row.version_count != seen.number:
        return None
    handout.refuse_by_state(row, has_living=False)
    want = Want(goal=Goal.KEEP, trigger=Trigger.REPORT, actor=actor, seen=seen.number, is_rejected=True)
    return handout.begin(row, want)


__all__ = ["cleaned", "rejected"]
