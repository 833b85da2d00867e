"""Settle: one short locked transaction turns an answer into a token version, a refusal, or a kept candidate.

Whoever comes here has an answer in hand that exists nowhere else. So: seal first, lock, check that the attempt
is still open, ours and of this generation, write everything, commit; logs and everything else come after.
"""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from connections.choices import AttemptKind, AttemptState, EventKind, Rung, Trouble
from connections.custody import journal, keys, reads, schedule, statement
from connections.custody.checkpoints import Point, reach
from connections.custody.ledger import refusals, transitions, versions
from connections.custody.ledger.answers import ANSWER_FIELDS, MESSAGE_LENGTH, came_of, note_answer, outcome_of
from connections.custody.ledger.claims import is_same_triple
from connections.custody.values import Claim, Outcome, Result
from connections.models import Attempt, Connection, TokenVersion
from connections.sugar import Answer
from connections.vault import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedAnswer:
    """An answer made safe before any lock is taken."""

    answer: Answer
    kept: Sealed | None  # the token set, sealed for the attempt


def seal(claim: Claim, answer: Answer) -> SealedAnswer:
    """A server that does not rotate sends no new refresh token: the old one is carried on."""
    tokens = answer.tokens
    if tokens is None:
        return SealedAnswer(answer=answer, kept=None)
    if tokens.refresh_token is None and claim.kind == AttemptKind.REFRESH:
        tokens = dataclasses.replace(tokens, refresh_token=claim.secret)
        answer = dataclasses.replace(answer, tokens=tokens)
    context = keys.answer_context(claim.tenant_id, claim.attempt_id, claim.number)
    return SealedAnswer(answer=answer, kept=keys.seal_answer(tokens, context, data_key=claim.data_key))


def settle(claim: Claim, sealed: SealedAnswer) -> Outcome:
    """Idempotent: after a commit whose fate is unknown it may be called again and finds its own work."""
    reach(Point.SETTLE_START, claim.connection_id)
    with transaction.atomic(durable=True):
        row, attempt, live, now = transitions.locked_for_settling(claim.connection_pk, claim.attempt_pk)
        with statement.together():
            outcome = _settle(row, attempt, live, claim, sealed, now)
            if outcome.result != Result.VERSION:
                transitions.reschedule(row, now)
            transitions.save(row)
        reach(Point.SETTLE_WRITTEN, claim.connection_id)
    reach(Point.SETTLED, claim.connection_id)
    return outcome


def _settle(
    row: Connection, attempt: Attempt, live: TokenVersion | None, claim: Claim, sealed: SealedAnswer, now: datetime
) -> Outcome:
    if attempt.version is not None:
        return outcome_of(claim, Result.VERSION, row, version=attempt.version)  # our own commit had arrived
    if attempt.state not in (AttemptState.SENT, AttemptState.IN_DOUBT):
        return outcome_of(claim, Result.KEPT, row)  # settled before, in another way: nothing is done twice
    note_answer(attempt, sealed.answer)
    if attempt.generation != row.generation or row.deleted_at is not None:
        return _discard(row, attempt, claim, sealed, now)
    if attempt.state != AttemptState.SENT:
        return _late(row, attempt, claim, sealed, now)
    if sealed.answer.tokens is not None and sealed.answer.is_definite:
        return versions.accept(row, attempt, live, claim, sealed.answer.tokens, now)
    if sealed.answer.is_definite:
        return refusals.refused(row, attempt, claim, sealed.answer, now)
    return _lost(row, attempt, claim, sealed, now)


def _lost(row: Connection, attempt: Attempt, claim: Claim, sealed: SealedAnswer, now: datetime) -> Outcome:
    """Sent, and no answer that proves anything: stays open until its drain is over, then the ladder."""
    attempt.lost_at = now
    if sealed.answer.is_candidate:
        attempt.answer = sealed.kept
    attempt.save(update_fields=ANSWER_FIELDS)
    row.failures += 1
    row.answer_lost_at = now
    row.retry_at = None
    if row.failures > 1 and attempt.drain_until is not None:
        row.retry_at = attempt.drain_until + schedule.backoff(row.failures - 1, settings.SUGARADMIN.retry)
    transitions.heed(row, sealed.answer.retry_after, now)
    journal.write_event(
        row,
        EventKind.IN_DOUBT,
        f"Attempt {attempt.number} was sent, and {came_of(sealed.answer)}: Sugar may have carried it out. "
        f"Waiting until {attempt.drain_until:%H:%M:%S} UTC, then resolving.",
        at=now,
        actor=claim.actor or claim.trigger,
        attempt=attempt.number,
    )
    transitions.update_diagnosis(row, now, actor=claim.actor or claim.trigger, attempt=attempt.number)
    reach(Point.LOST_NOTED, claim.connection_id)
    return outcome_of(claim, Result.LOST, row, fault=sealed.answer.fault or "")


def _late(row: Connection, attempt: Attempt, claim: Claim, sealed: SealedAnswer, now: datetime) -> Outcome:
    """The claim was taken over. Tokens are kept as a candidate: they may be the living ones."""
    if sealed.answer.tokens is None and sealed.answer.is_definite:
        return refusals.refused_late(row, attempt, claim, sealed.answer, now)
    if sealed.answer.tokens is None or not (sealed.answer.is_definite or sealed.answer.is_candidate):
        attempt.save(update_fields=ANSWER_FIELDS)
        return outcome_of(claim, Result.REFUSED, row, fault=sealed.answer.fault or "")
    attempt.answer = sealed.kept
    attempt.state = AttemptState.ANSWERED
    attempt.save(update_fields=ANSWER_FIELDS)
    # Who is about to present the old token does not know this yet; on SugarIdentity it would revoke what we just got.
    claimed = Attempt.objects.filter(connection=row, state=AttemptState.CLAIMED, rung=Rung.OLD_REFRESH)
    claimed.update(state=AttemptState.ABANDONED, closed_at=now)
    transitions.raise_doubt(row, attempt)
    row.retry_at = None
    journal.write_event(
        row,
        EventKind.ANSWER_KEPT,
        f"The answer to attempt {attempt.number} came after it was taken over; kept, and proven by use.",
        at=now,
        actor="background",
        attempt=attempt.number,
    )
    transitions.update_diagnosis(row, now, actor="background", attempt=attempt.number)
    return outcome_of(claim, Result.KEPT, row)


def _discard(row: Connection, attempt: Attempt, claim: Claim, sealed: SealedAnswer, now: datetime) -> Outcome:
    """An edit won. Nothing is stored; the caller logs the session out at the old address."""
    was_open = attempt.closed_at is None
    is_over = sealed.answer.is_definite
    if was_open and is_over:
        transitions.close(attempt, AttemptState.DISCARDED, now)
    elif was_open:
        attempt.lost_at = now
    attempt.save(update_fields=ANSWER_FIELDS)
    if row.deleted_at is None and is_same_triple(row, attempt) and sealed.answer.tokens is not None:
        transitions.raise_doubt(row, attempt)  # the late grant may have evicted the new chain
        row.retry_at = None
    journal.write_event(
        row,
        EventKind.ANSWER_DISCARDED,
        f"The answer to attempt {attempt.number} came after the connection was changed; it was not stored.",
        at=now,
        actor="background",
        attempt=attempt.number,
    )
    return outcome_of(claim, Result.DISCARDED, row)


def not_sent(claim: Claim, answer: Answer, *, is_preflight: bool) -> Outcome:
    """Nothing reached the token endpoint: nothing is spent, no try is counted."""
    with transaction.atomic(durable=True):
        row = transitions.locked(claim.connection_pk)
        attempt, now = reads.attempt(claim.attempt_pk)
        if attempt.closed_at is None:
            if answer.is_kept_back:
                _keep_back(row, attempt, answer, now)
            else:
                _close_not_sent(attempt, answer, now, is_preflight=is_preflight)
            if attempt.generation == row.generation and not answer.is_kept_back:
                row.failures += 1
                transitions.update_diagnosis(row, now, actor=claim.actor or claim.trigger, attempt=attempt.number)
                transitions.plan_retry(row, now, was_sent=False)
                transitions.heed(row, answer.retry_after, now)
        transitions.reschedule(row, now)
        transitions.save(row)
    outcome = outcome_of(claim, Result.NOT_SENT, row, fault=answer.fault or "")
    return dataclasses.replace(outcome, is_kept_back=answer.is_kept_back)


def _keep_back(row: Connection, attempt: Attempt, answer: Answer, now: datetime) -> None:
    """Others had the host's turns: no failure and no news of it, it only comes again."""
    transitions.close(attempt, AttemptState.ABANDONED, now)
    attempt.save(update_fields=ANSWER_FIELDS)
    again = now + timedelta(seconds=answer.retry_after or 1) * random.uniform(1, 2)  # noqa: S311  # spread
    if row.trouble != Trouble.NONE or row.doubt_after is not None or row.is_new_chain_wanted:
        row.retry_at = max(row.retry_at or again, again)
    elif row.next_refresh_at is not None:
        row.next_refresh_at = max(row.next_refresh_at, again)


def _close_not_sent(attempt: Attempt, answer: Answer, now: datetime, *, is_preflight: bool) -> None:
    if is_preflight:
        attempt.preflight_fault = answer.fault or ""
        attempt.preflight_status = answer.status
        attempt.external_login_host = answer.external_login_host[:255]
        attempt.error = answer.error[:100]
        attempt.error_message = answer.error_message[:MESSAGE_LENGTH]
    else:
        note_answer(attempt, answer)
    transitions.close(attempt, AttemptState.ABANDONED, now)
    attempt.save(update_fields=[*ANSWER_FIELDS, "preflight_fault", "preflight_status"])


__all__ = ["SealedAnswer", "not_sent", "seal", "settle"]
