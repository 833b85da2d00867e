"""A worker's 401 is evidence, not an order: at most one ping and one grant, however many report it."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

from connections.choices import Trigger
from connections.custody import handout, wire
from connections.custody.handout import HandedOut, Seen, Tenants, look
from connections.custody.ledger import claims, looks, upkeep
from connections.custody.problems import Later, NewerVersion
from connections.custody.values import Decline, Declined, Goal, Want
from connections.models import Connection, TokenVersion
from connections.vault import VaultError

PING_GOOD_FOR = 30.0  # seconds: the answer of a ping on a report
PING_SECONDS = 10.0
LOOK_AGAIN = 0.1
MOST_TEXT = 2048
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
    if seen.held_at is not None or version < seen.number:
        return handout.token(public_id, tenants=tenants, min_ttl=0, wait=wait, actor=actor)
    until = time.monotonic() + min(wait, handout.MOST_WAIT)
    if seen.access_dead_at is None and _ask_sugar(seen, until, actor, cleaned(report)):
        fresh = look(public_id, tenants)
        if fresh is not None and fresh.number == version and fresh.access_dead_at is None:
            return handout.hand_out(fresh, is_verified=True)
    return _replace(public_id, version, tenants, until, actor)


def cleaned(report: dict[str, Any]) -> dict[str, Any]:
    """What a worker says is as untrusted as what Sugar says: capped, without control characters and tokens."""
    status = report.get("status")
    return {
        "status": status if isinstance(status, int) and 100 <= status <= 599 else None,
        "error": _text(report.get("error"), 100),
        "error_message": _text(report.get("error_message"), MOST_TEXT - 100),
    }


def _text(value: object, most: int) -> str:
    text = value if isinstance(value, str) else ""
    return _TOKEN_LIKE.sub("[removed]", _CONTROL.sub(" ", text[: 4 * MOST_TEXT])).strip()[:most]


def _ask_sugar(seen: Seen, until: float, actor: str, report: dict[str, Any]) -> bool:
    """True while Sugar accepts the token. One asks, the others wait for what it finds; an answer serves 30 s."""
    row = Connection.objects.select_related("tenant").get(pk=seen.pk)
    if row.is_session_bound:
        return _believe(row, seen, actor, report)
    if upkeep.take_ping(seen.version_pk, seconds=PING_SECONDS + 2, good_for=PING_GOOD_FOR):
        looks.note_report(seen.pk, seen.number, actor=actor, report=report)
        return _ping(row, seen, actor)
    return _await_ping(seen, until)


def _believe(row: Connection, seen: Seen, actor: str, report: dict[str, Any]) -> bool:
    """Where Sugar binds sessions to addresses our ping would do harm: the worker's word has to do."""
    if report["status"] == 401:
        looks.note_report(seen.pk, seen.number, actor=actor, report=report)
        upkeep.note_believed_death(seen.pk, seen.number, actor=actor)
        return False
    return True


def _ping(row: Connection, seen: Seen, actor: str) -> bool:
    try:
        living = upkeep.living(row, claims.target_of(row))
    except VaultError:
        return True
    if living is None or living.number != seen.number:
        return True
    wire.release_database()
    answer = wire.client().ping(living.target, access_token=living.access_token, deadline=PING_SECONDS)
    is_alive = upkeep.note_ping(seen.pk, seen.number, answer, actor=actor)
    if is_alive and answer.fault is not None:
        raise Later(answer.fault, "Sugar could not be asked whether it still accepts the token.", retry_after=5)
    return is_alive


def _await_ping(seen: Seen, until: float) -> bool:
    """Somebody asks already, or has just asked."""
    while True:
        version = TokenVersion.objects.filter(pk=seen.version_pk).only("access_dead_at", "ping_taken_until", "state")
        now = version.first()
        if now is None or now.access_dead_at is not None or now.state != "live":
            return False
        if now.ping_taken_until is None or time.monotonic() >= until:
            return True
        wire.release_database()
        time.sleep(LOOK_AGAIN)


def _replace(public_id: str, version: int, tenants: Tenants, until: float, actor: str) -> HandedOut:
    """The reported token is dead: one refresh for everybody."""
    row = handout.find(public_id, tenants)
    if row.version_count == version:
        handout.refuse_by_state(row, has_living=False)
        wait = upkeep.note_reported_death(row.pk, version)
        declined = _refresh(row, version, until, actor, wait)
    else:
        declined = None
    fresh = look(public_id, tenants)
    if fresh is not None and fresh.number > version and fresh.held_at is None and fresh.life > 0:
        return handout.hand_out(fresh)
    raise handout.problem_of(handout.find(public_id, tenants), declined)


def _refresh(row: Connection, version: int, until: float, actor: str, wait: timedelta) -> Declined | None:
    if wait > timedelta(0):
        now = row.now  # type: ignore[attr-defined]  # annotated by find
        return Declined(reason=Decline.LATER, retry_at=now + wait)
    want = Want(goal=Goal.KEEP, trigger=Trigger.REPORT, actor=actor, seen=version, is_rejected=True)
    return handout.await_grant(row, want, until)


__all__ = ["cleaned", "rejected"]
