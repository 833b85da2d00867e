"""Sugar's own no to a grant: which token is dead by it, and what the rules make of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from connections.choices import AttemptKind, AttemptState, EventKind, Fault, Rung, Trouble, VersionState
from connections.custody import breakers, journal, reads
from connections.custody.ledger import transitions
from connections.custody.ledger.answers import ANSWER_FIELDS, outcome_of
from connections.custody.values import Claim, Outcome, Result
from connections.models import Attempt, Connection, TokenVersion
from connections.sugar import Answer

BURNS_THE_TOKEN = frozenset({Fault.MAINTENANCE, Fault.LICENSE})
DEAD_TOKEN = frozenset({Fault.REFRESH_TOKEN_INVALID, Fault.REFRESH_TOKEN_EXPIRED}) | BURNS_THE_TOKEN
REFUSED_TRY = frozenset({Fault.CREDENTIALS_REFUSED, Fault.SSO_REQUIRED})


def refused(row: Connection, attempt: Attempt, claim: Claim, answer: Answer, now: datetime) -> Outcome:
    """Sugar's own no. The attempt is over; what it means for the connection the rules say."""
    live = reads.live_version(row)
    row.failures += 1
    row.answer_lost_at = None
    _close(attempt, claim, answer, now)
    is_dead = _is_token_dead(claim, answer)
    if is_dead:
        _note_dead_token(row, attempt, claim, now)
    journal.write_event(
        row,
        EventKind.CHAIN_DIED if is_dead else EventKind.GRANT_FAILED,
        _sentence(claim, answer),
        at=now,
        actor=claim.actor or claim.trigger,
        attempt=attempt.number,
        version=claim.base_version,
    )
    transitions.update_diagnosis(row, now, actor=claim.actor or claim.trigger, attempt=attempt.number)
    transitions.plan_retry(row, now, was_sent=True)
    if is_dead and row.trouble != Trouble.PERSON and breakers.automatic_sign_in(row, now).is_allowed:
        row.retry_at = None  # the next rung is free at once, for this climber or any other
    if row.trouble == Trouble.NONE and live is not None:
        transitions.plan_refresh(row, live, now)  # a sign-in ahead of a cap: the chain lives, the next try has its time
    return outcome_of(claim, Result.REFUSED, row, goes_on=is_dead, fault=answer.fault or "")


def refused_late(row: Connection, attempt: Attempt, claim: Claim, answer: Answer, now: datetime) -> Outcome:
    """The same of a grant that was taken over meanwhile. What Sugar said of its token or password holds; whether it is
    still about this chain, the live version says."""
    _close(attempt, claim, answer, now)
    if _is_token_dead(claim, answer) and _note_dead_token(row, attempt, claim, now):
        journal.write_event(
            row,
            EventKind.CHAIN_DIED,
            f"{_sentence(claim, answer)} The answer came after the attempt was taken over.",
            at=now,
            actor="background",
            attempt=attempt.number,
            version=claim.base_version,
        )
        transitions.update_diagnosis(row, now, actor="background", attempt=attempt.number)
        row.retry_at = None  # the next rung, if there is one
    return outcome_of(claim, Result.REFUSED, row, fault=answer.fault or "")


def _close(attempt: Attempt, claim: Claim, answer: Answer, now: datetime) -> None:
    attempt.is_refused_try = claim.kind == AttemptKind.PASSWORD and answer.fault in REFUSED_TRY
    if answer.fault == Fault.LOCKED_OUT and answer.lockout_minutes:
        attempt.lockout_until = now + timedelta(minutes=answer.lockout_minutes)
    transitions.close(attempt, AttemptState.REFUSED, now)
    attempt.save(update_fields=ANSWER_FIELDS)


def _is_token_dead(claim: Claim, answer: Answer) -> bool:
    return claim.kind == AttemptKind.REFRESH and answer.fault in DEAD_TOKEN


def _sentence(claim: Claim, answer: Answer) -> str:
    said = f"{answer.status} {answer.error}".strip() if answer.status else str(answer.fault)
    message = f" “{answer.error_message}”" if answer.error_message else ""
    return f"{_what(claim)} refused: {said}{message}"


def _what(claim: Claim) -> str:
    if claim.kind == AttemptKind.PASSWORD:
        return "Sign-in"
    if claim.rung == Rung.CANDIDATE:
        return "Refresh with the kept answer"
    return f"Refresh of version {claim.base_version}" if claim.base_version else "Refresh with the adopted token"


def _note_dead_token(row: Connection, attempt: Attempt, claim: Claim, now: datetime) -> bool:
    """A definite no to a refresh token: it is never presented again but by the daily try and when staff ask. Says
    whether it was the live version's."""
    row.dead_tried_at = now
    kept = attempt.candidate_of
    is_live_dead = _lay_aside(row, claim.base_version, now) if kept is None else _note_dead_answer(row, kept, now)
    is_newer = row.doubt_after is not None and attempt.number > row.doubt_after
    if is_live_dead and is_newer and not _has_candidate(row):
        row.doubt_after = row.doubt_began = None  # we know now: it is dead
    return is_live_dead


def _note_dead_answer(row: Connection, kept: Attempt, now: datetime) -> bool:
    """A kept answer is refused. Where it was whole, what Sugar gave it for was spent by then (SUGAR.md section 2: no
    grace for the old token), and must not be presented again. Says whether the live version is dead by it."""
    Attempt.objects.filter(pk=kept.pk, state=AttemptState.ANSWERED).update(state=AttemptState.REFUSED, answer=None)
    if kept.kind != AttemptKind.REFRESH or kept.fault:
        return False
    if kept.candidate_of is not None:
        return _note_dead_answer(row, kept.candidate_of, now)
    return _lay_aside(row, kept.base_version, now)


def _lay_aside(row: Connection, number: int | None, now: datetime) -> bool:
    """The token of this version is dead, or the adopted one where there is none. Says whether it was the live one."""
    if number is None:
        row.adopted_token = None
        return False
    dead = TokenVersion.objects.filter(connection=row, number=number, state=VersionState.LIVE)
    if not dead.exists():
        return False
    dead.filter(refused_at__isnull=True).update(refused_at=now)
    row.has_refresh_token = False
    return True


def _has_candidate(row: Connection) -> bool:
    return Attempt.objects.filter(
        connection=row, state=AttemptState.ANSWERED, generation=row.generation, answer__isnull=False
    ).exists()
