"""What people ask for: test, rotate, sign in, repair, pause, hold, delete. One code for page, API and command."""

from __future__ import annotations

import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Unfinished
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction

from connections.choices import AuditOutcome, DiagnosisCode, Fault, Rung, Trigger, Trouble
from connections.custody import audit, deeds, guard, probing, roots, runner, wire
from connections.custody.audit import Actor
from connections.custody.deeds import Deed, End
from connections.custody.handout import Tenants, find
from connections.custody.ledger import claims, edits, looks, upkeep
from connections.custody.ledger.refusals import REFUSED_TRY
from connections.custody.probing import UNCOUNTED, Turn
from connections.custody.problems import Conflict, CustodyProblem, Later, NotFound, TooOften
from connections.custody.sending import Climb, ping_living
from connections.custody.values import Decline, Declined, Goal, Outcome, Result, Seen, Want
from connections.diagnosis import code_of
from connections.models import Connection, CustomerLink, database_now
from connections.sugar import Answer
from connections.vault import VaultError

MISTYPED = "Sugar refused the password that was typed; the stored one was not tried."
MOST_WAIT = 30.0  # seconds, then 202
NEVER_SIGNED_IN = "This connection has never signed in: sign in first."
NOTHING_TO_ROTATE = "Sugar gave no refresh token with this version: sign in instead."
NOT_NOW = {
    Decline.PAUSED: ("paused", "This connection is paused: resume it first."),
    Decline.HELD: edits.HELD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an action came to. `is_running`: not over within the wait; it goes on."""

    outcome: str  # done | unchanged | running | failed
    version: int
    rungs: list[dict[str, Any]] = field(default_factory=list)
    problem: CustodyProblem | None = None

    @property
    def is_running(self) -> bool:
        return self.outcome == "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question to the instance and its answer, in words for staff."""

    name: str
    ok: bool
    status: int | None
    ms: int
    detail: str

    def as_dict(self) -> dict[str, object]:
        return {"name": self.name, "ok": self.ok, "status": self.status, "ms": self.ms, "detail": self.detail}


def rotate(public_id: str, actor: Actor, *, tenants: Tenants = None, version: int | None = None) -> Report:
    """A refresh grant now; the old version is superseded. Raises CustodyProblem."""
    want = Want(goal=Goal.ROTATE, trigger=_trigger(actor), actor=actor.name)
    return _act(public_id, actor, tenants, version, want, MOST_WAIT)


def sign_in(
    public_id: str,
    actor: Actor,
    *,
    tenants: Tenants = None,
    version: int | None = None,
    password: str | None = None,
    keeps_password: bool = False,
    seen: Seen | None = None,
    wait: float = MOST_WAIT,
) -> Report:
    """A password grant now: ends every other session of this user and platform. Raises CustodyProblem.

    `keeps_password`: stored with the version that proves it, where this connection stores one. `seen`: where that holds
    no more nothing is sent, and the outcome is `unchanged`.
    """
    want = Want(
        goal=Goal.SIGN_IN,
        trigger=_trigger(actor),
        actor=actor.name,
        password=password,
        keeps_password=keeps_password and password is not None,
        generation=seen.generation if seen else None,
        attempts=seen.attempts if seen else None,
    )
    return _act(public_id, actor, tenants, version, want, wait)


def begin(public_id: str, actor: Actor, *, tenants: Tenants = None, password: str | None = None) -> Report:
    """The first grant: a refresh where a chain is to be adopted, else a sign-in. Raises CustodyProblem.

    Only if Sugar definitely refuses the adopted token is the password used: a sign-in ends every other session.
    """
    until = time.monotonic() + MOST_WAIT
    row = find(public_id, tenants)
    if row.adopted_token is not None:
        report = rotate(public_id, actor, tenants=tenants)
        is_refused = isinstance(report.problem, Conflict) and not guard.is_read_only()
        if not is_refused or (password is None and row.password is None):
            return report
    wait = max(until - time.monotonic(), 0.0)
    return sign_in(public_id, actor, tenants=tenants, password=password, wait=wait)


def sign_in_through(link: CustomerLink, actor: Actor, *, password: str, wait: float = MOST_WAIT) -> Report:
    """A password grant with what a customer typed: only for the instance, user and platform that the link was made
    for (the claim looks again, under the lock). Stored where this connection stores one, once Sugar has taken it.

    Raises CustodyProblem. `unchanged`: the connection was edited meanwhile, nothing was sent.
    """
    row = find(link.connection.public_id, None)
    _refuse(row)
    deed = deeds.begin(row, actor, Goal.SIGN_IN, link=link.public_id)
    want = Want(
        goal=Goal.SIGN_IN,
        trigger=Trigger.LINK,
        actor=actor.name,
        password=password,
        keeps_password=True,
        generation=link.generation,
        link_pk=link.pk,
    )
    return report_of(_start(deed, want), row.public_id, None, wait)


def repair(public_id: str, actor: Actor, *, tenants: Tenants = None, version: int | None = None) -> Report:
    """Runs the resolve ladder and reports each rung. Raises CustodyProblem."""
    row = find(public_id, tenants)
    _refuse(row)
    if version is not None and version != row.version_count:
        return Report(outcome="unchanged", version=row.version_count)
    turn = probing.take_turn(row, actor)
    looks_first = row.trouble == Trouble.NONE and row.doubt_after is None and not row.is_new_chain_wanted
    deed = deeds.begin(row, actor, Goal.REPAIR)
    if looks_first:
        answer = ping_living(row, actor=actor.name)
        if answer is not None and answer.fault is None:
            deeds.end(deed, lambda: End(outcome=AuditOutcome.OK))
            turn.over("")
            return Report(outcome="unchanged", version=row.version_count, rungs=[_rung_of_ping(answer)])
    want = Want(goal=Goal.REPAIR, trigger=_trigger(actor), actor=actor.name)
    return report_of(_start(deed, want, turn), public_id, tenants, MOST_WAIT)


def _rung_of_ping(answer: Answer) -> dict[str, Any]:
    return {"rung": "ping", "outcome": "good", "code": None, "attempt": None, "version": None}


def _act(public_id: str, actor: Actor, tenants: Tenants, version: int | None, want: Want, wait: float) -> Report:
    row = find(public_id, tenants)
    _refuse(row)
    if version is not None and version != row.version_count:
        return Report(outcome="unchanged", version=row.version_count)
    turn = probing.take_turn(row, actor)
    deed = deeds.begin(row, actor, want.goal)
    return report_of(_start(deed, replace(want, seen=row.version_count), turn), public_id, tenants, wait)


def _start(deed: Deed, want: Want, turn: Turn = UNCOUNTED) -> Future[Climb]:
    def ended(climb: Climb | None) -> None:
        end = deeds.end(deed, lambda: _end_of(deed, climb))
        turn.over(end.code if end else "")

    return runner.start(deed.row.pk, want, ended=ended)


def _end_of(deed: Deed, climb: Climb | None) -> End:
    if climb is None:
        return End(outcome=AuditOutcome.FAILED, code="internal_error")
    attempt = climb.last.attempt if climb.last else None
    try:
        problem = _reported(climb, find(deed.row.public_id, None)).problem
    except NotFound as gone:  # deleted meanwhile
        problem = gone
    outcome = AuditOutcome.OK if problem is None else AuditOutcome.FAILED
    return End(outcome=outcome, attempt=attempt, code=problem.code if problem else "")


def _trigger(actor: Actor) -> Trigger:
    return {"key": Trigger.API, "link": Trigger.LINK}.get(actor.kind, Trigger.STAFF)


def _refuse(row: Connection) -> None:
    if row.held_at is not None:
        raise Conflict(*NOT_NOW[Decline.HELD])
    if row.paused_at is not None:
        raise Conflict(*NOT_NOW[Decline.PAUSED])


def report_of(future: Future[Climb], public_id: str, tenants: Tenants, wait: float) -> Report:
    wire.release_database()
    try:
        climb = future.result(wait)
    except Unfinished:
        return Report(outcome="running", version=find(public_id, tenants).version_count)
    return _reported(climb, find(public_id, tenants))


def _reported(climb: Climb, row: Connection) -> Report:
    rungs = [as_rung(outcome) for outcome in climb.outcomes]
    last = climb.last
    if last is not None and last.result == Result.VERSION and not last.goes_on:
        return Report(outcome="done", version=row.version_count, rungs=rungs)
    declined = climb.declined
    if declined is not None and declined.reason in (Decline.STALE, Decline.CURRENT) and last is None:
        return Report(outcome="unchanged", version=row.version_count, rungs=rungs)
    if last is not None and last.result == Result.LOST:
        return Report(outcome="failed", version=row.version_count, rungs=rungs, problem=_problem(row, last, None))
    return Report(outcome="failed", version=row.version_count, rungs=rungs, problem=_problem(row, last, declined))


def as_rung(outcome: Outcome) -> dict[str, Any]:
    name = outcome.rung or ("stored_password" if outcome.kind == "password" else "refresh")
    return {
        "rung": str(name if outcome.rung != Rung.NONE else ("sign_in" if outcome.kind == "password" else "refresh")),
        "outcome": str(outcome.result),
        "code": outcome.code or None,
        "attempt": outcome.attempt,
        "version": outcome.version,
    }


def _problem(row: Connection, last: Outcome | None, declined: Declined | None) -> CustodyProblem:
    """What failed, with its diagnosis: 409 where a person is needed, 503 where time heals."""
    diagnosis = row.diagnosis
    now = row.now  # type: ignore[attr-defined]
    words = str((diagnosis or {}).get("cause") or "")
    if last is None and declined is not None:
        match declined.reason:
            case Decline.TOO_OFTEN:
                return TooOften(
                    "too_many_requests",
                    "Five sign-ins an hour are the limit for one user of an instance; more could lock the account.",
                    retry_after=seconds(declined, row),
                )
            case Decline.MISSING:
                return Conflict("credentials_missing", "No password is stored; enter it first.", diagnosis=diagnosis)
            case Decline.PAUSED | Decline.HELD:
                return Conflict(*NOT_NOW[declined.reason])
            case Decline.READ_ONLY:
                return Conflict("read_only", guard.read_only_reason())
            case Decline.BUSY:
                return Later("busy", "Another attempt is open.", retry_after=seconds(declined, row))
            case Decline.DRAFT:
                return Conflict("draft", NEVER_SIGNED_IN, diagnosis=diagnosis)
            case Decline.PERSON if row.version_count and row.trouble == Trouble.NONE:
                return Conflict("credentials_missing", NOTHING_TO_ROTATE)
    if last is not None and _is_mistyped(row, last):
        return Conflict(code_of(Fault(last.fault)), MISTYPED)
    if last is not None and last.result == Result.REFUSED and row.trouble == Trouble.NONE:
        return _refused_beside_a_living_chain(row, last)
    if last is not None and last.result == Result.NOT_SENT and not row.diagnosis_code:
        return Later("busy", "Nothing was sent; many requests to this instance wait for their turn.", retry_after=2)
    if row.trouble == Trouble.PERSON or (row.version_count == 0 and row.trouble == Trouble.NONE):
        return Conflict(row.diagnosis_code or "draft", words or NEVER_SIGNED_IN, diagnosis=diagnosis)
    at = row.retry_at or row.due_at
    wait = max(1, round((at - now).total_seconds() + 0.5)) if at and at > now else 1
    return Later(
        row.diagnosis_code or "busy", words or "It is tried again by itself.", retry_after=wait, diagnosis=diagnosis
    )


def _is_mistyped(row: Connection, last: Outcome) -> bool:
    """Refused was what somebody typed, beside a stored password: no diagnosis of the connection tells of it."""
    if last.result != Result.REFUSED or last.fault not in REFUSED_TRY or not row.version_count:
        return False
    return row.password is not None and row.attempts.filter(number=last.attempt, is_typed_password=True).exists()


def _refused_beside_a_living_chain(row: Connection, last: Outcome) -> CustodyProblem:
    """What failed is this sign-in alone. Of a password that no longer fits the standing warning says it."""
    if row.diagnosis_code == DiagnosisCode.PASSWORD_STALE and last.fault in REFUSED_TRY:
        cause = str((row.diagnosis or {}).get("cause"))
        return Conflict(row.diagnosis_code, cause, diagnosis=row.diagnosis)
    code = code_of(Fault(last.fault or Fault.UNKNOWN))
    if code != DiagnosisCode.LOCKED_OUT:
        return Conflict(code, "Sugar refused this sign-in; the connection itself works on.")
    until = row.attempts.filter(number=last.attempt).values_list("lockout_until", flat=True).first()
    if until is None:
        return Conflict(code, "Sugar has locked this user out until an admin unlocks it; the connection works on.")
    left = max(1, round((until - row.now).total_seconds() + 0.5))  # type: ignore[attr-defined]
    return Later(code, "Sugar has locked this user out for a while; the connection works on.", retry_after=left)


def seconds(declined: Declined, row: Connection) -> int:
    now = row.now  # type: ignore[attr-defined]
    at = declined.retry_at
    return max(1, round((at - now).total_seconds() + 0.5)) if at and at > now else 1


# -- test ----------------------------------------------------------------------------------------------------


def test(public_id: str, actor: Actor, *, tenants: Tenants = None) -> list[Check]:
    """Sends only GETs, with the current access token; changes nothing but the REST root, where Sugar is found under the
    other one. Raises CustodyProblem."""
    row = find(public_id, tenants)
    if row.held_at is not None:
        raise Conflict(*NOT_NOW[Decline.HELD])
    turn = probing.take_turn(row, actor)
    checks, fault = _checks(row, actor)
    turn.over(code_of(fault) if fault else "")
    _note_test(row, actor, checks, fault)
    told: list[dict[str, object]] = [check.as_dict() for check in checks]
    looks.note_test(row.pk, actor=actor.name, trigger=_trigger(actor), checks=told, fault=fault or "")
    return checks


def _note_test(row: Connection, actor: Actor, checks: list[Check], fault: Fault | None) -> None:
    failed = [check.name for check in checks if not check.ok]
    difference = {"failed": failed, "code": code_of(fault) if fault else ""} if failed else {}
    outcome = AuditOutcome.FAILED if failed else AuditOutcome.OK
    with transaction.atomic():
        audit.record_on(row, actor, "test", at=database_now(), outcome=outcome, difference=difference)


def _checks(row: Connection, actor: Actor) -> tuple[list[Check], Fault | None]:
    wire.release_database()
    target, look = roots.look(row.pk, row.generation, claims.target_of(row), is_fresh_wanted=True)
    checks = [_check("instance", look, "answers, knows the platform, and is in service")]
    try:
        living = upkeep.living(row, target)
    except VaultError:
        missing = "The encryption key of this token is missing here."
        return [*checks, Check(name="token", ok=False, status=None, ms=0, detail=missing)], Fault.ENCRYPTION_KEY_MISSING
    if living is None:
        none = "There is no access token yet: sign in first."
        return [*checks, Check(name="token", ok=False, status=None, ms=0, detail=none)], _seen(look)
    if living.is_session_bound:
        bound = "Not sent: this instance ties sessions to an address, and our own ping would end the workers' session."
        return [*checks, Check(name="token", ok=True, status=None, ms=0, detail=bound)], _seen(look)
    client = wire.client()
    wire.release_database()
    ping = client.ping(target, access_token=living.access_token)
    checks.append(_check("token", ping, "Sugar accepts the access token"))
    upkeep.note_ping(row.pk, living.number, ping, actor=actor.name)
    if ping.fault is not None:
        return checks, _seen(ping)
    wire.release_database()
    me = client.me(target, access_token=living.access_token)
    name = me.user.user_name if me.user else ""
    checks.append(_check("user", me, f"the token belongs to {name}"))
    return checks, _seen(look) or _seen(me)


def _seen(answer: Answer) -> Fault | None:
    """What a look says of the instance; what our own pacing kept back says nothing."""
    return None if answer.is_kept_back else answer.fault


def _check(name: str, answer: Answer, good: str) -> Check:
    ms = answer.timings.total_ms
    if answer.fault is None:
        return Check(name=name, ok=True, status=answer.status, ms=ms, detail=good)
    said = " ".join(word for word in (answer.error, answer.error_message or answer.detail) if word)
    return Check(name=name, ok=False, status=answer.status, ms=ms, detail=f"{answer.fault}: {said}".strip(": "))


# -- switches ------------------------------------------------------------------------------------------------


def pause(public_id: str, actor: Actor, *, tenants: Tenants = None) -> Connection:
    """Raises Conflict while it is held."""
    edits.pause(find(public_id, tenants).pk, actor)
    return find(public_id, tenants)


def resume(public_id: str, actor: Actor, *, tenants: Tenants = None) -> Connection:
    edits.resume(find(public_id, tenants).pk, actor)
    return find(public_id, tenants)


def hold(public_id: str, actor: Actor, *, tenants: Tenants = None) -> Connection:
    edits.hold(find(public_id, tenants).pk, actor)
    return find(public_id, tenants)


def delete(public_id: str, actor: Actor, *, tenants: Tenants = None) -> None:
    """Wipes the secrets, then logs the session out at Sugar as best we can."""
    say_farewell(edits.delete(find(public_id, tenants).pk, actor))


def say_farewell(farewell: edits.Farewell | None) -> None:
    """Best effort: the session is ours to end, and ends by itself if this fails."""
    if farewell is None:
        return
    wire.release_database()
    wire.client().logout(
        farewell.target, access_token=farewell.access_token, refresh_token=farewell.refresh_token, deadline=5.0
    )
