"""Sugar's own no to a grant: which token is dead by it, and what the rules make of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from connections.choices import AttemptKind, AttemptState, EventKind, Fault, Rung, Trouble
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
    attempt.is_refused_try = claim.kind == AttemptKind.PASSWORD and answer.fault in REFUSED_TRY
    if answer.fault == Fault.LOCKED_OUT and answer.lockout_minutes:
        attempt.lockout_until = now + timedelta(minutes=answer.lockout_minutes)
    transitions.close(attempt, AttemptState.REFUSED, now)
    attempt.save(update_fields=ANSWER_FIELDS)
    is_dead = claim.kind == AttemptKind.REFRESH and answer.fault in DEAD_TOKEN
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


def _note_dead_token(row: Connection, attempt: Attempt, claim: Claim, now: datetime) -> None:
    """A definite no to a refresh token: it is never presented again but by the daily try and when staff ask."""
    row.dead_tried_at = now
    if attempt.candidate_of_id is not None:
        Attempt.objects.filter(pk=attempt.candidate_of_id, state=AttemptState.ANSWERED).update(
            state=AttemptState.REFUSED, answer=None
        )
        return
    if claim.base_version is None:
        row.adopted_token = None
        return
    TokenVersion.objects.filter(connection=row, number=claim.base_version, refused_at__isnull=True).update(
        refused_at=now
    )
    row.has_refresh_token = False
    if row.doubt_after is not None and attempt.number > row.doubt_after and not _has_candidate(row):
        row.doubt_after = row.doubt_began = None  # we know now: it is dead


def _has_candidate(row: Connection) -> bool:
    return Attempt.objects.filter(
        connection=row, state=AttemptState.ANSWERED, generation=row.generation, answer__isnull=False
    ).exists()
