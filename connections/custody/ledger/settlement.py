"""Settle: one short locked transaction turns an answer into a token version, a refusal, or a kept candidate.

Whoever comes here has an answer in hand that exists nowhere else. So: seal first, lock, check that the attempt
is still open, ours and of this generation, write everything, commit; logs and everything else come after.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from connections.choices import (
    AttemptKind,
    AttemptState,
    EventKind,
    Fault,
    Origin,
    Rung,
    Trouble,
    VersionState,
)
from connections.custody import breakers, journal, keys, reads, schedule
from connections.custody.checkpoints import Point, reach
from connections.custody.ledger import passwords, transitions
from connections.custody.ledger.claims import is_same_triple
from connections.custody.values import Claim, Outcome, Result
from connections.models import Attempt, Connection, TokenVersion
from connections.sugar import Answer, TokenSet
from connections.vault import Sealed

BURNS_THE_TOKEN = frozenset({Fault.MAINTENANCE, Fault.LICENSE})
DEAD_TOKEN = frozenset({Fault.REFRESH_TOKEN_INVALID, Fault.REFRESH_TOKEN_EXPIRED}) | BURNS_THE_TOKEN
REFUSED_TRY = frozenset({Fault.CREDENTIALS_REFUSED, Fault.SSO_REQUIRED})
MESSAGE_LENGTH = 500


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
    return SealedAnswer(answer=answer, kept=keys.seal_answer(tokens, context))


def settle(claim: Claim, sealed: SealedAnswer) -> Outcome:
    """Idempotent: after a commit whose fate is unknown it may be called again and finds its own work."""
    reach(Point.SETTLE_START, claim.connection_id)
    with transaction.atomic(durable=True):
        row, now = transitions.locked_with_clock(claim.connection_pk)
        attempt = reads.attempt(claim.attempt_pk)
        outcome = _settle(row, attempt, claim, sealed, now)
        if outcome.result != Result.VERSION:
            transitions.reschedule(row, now)
        transitions.save(row)
        reach(Point.SETTLE_WRITTEN, claim.connection_id)
    reach(Point.SETTLED, claim.connection_id)
    return outcome


def _settle(row: Connection, attempt: Attempt, claim: Claim, sealed: SealedAnswer, now: datetime) -> Outcome:
    if attempt.version is not None:
        return _outcome(claim, Result.VERSION, row, version=attempt.version)  # our own commit had arrived
    if attempt.state not in (AttemptState.SENT, AttemptState.IN_DOUBT):
        return _outcome(claim, Result.KEPT, row)  # settled before, in another way: nothing is done twice
    note_answer(attempt, sealed.answer)
    if attempt.generation != row.generation or row.deleted_at is not None:
        return _discard(row, attempt, claim, sealed, now)
    if attempt.state != AttemptState.SENT:
        return _late(row, attempt, claim, sealed, now)
    if sealed.answer.tokens is not None and sealed.answer.is_definite:
        return _accept(row, attempt, claim, sealed.answer.tokens, now)
    if sealed.answer.is_definite:
        return _refused(row, attempt, claim, sealed.answer, now)
    return _lost(row, attempt, claim, sealed, now)


def _outcome(
    claim: Claim, result: Result, row: Connection, *, version: int | None = None, goes_on: bool = False, fault: str = ""
) -> Outcome:
    return Outcome(
        result=result,
        attempt=claim.number,
        kind=claim.kind,
        rung=claim.rung,
        version=version,
        code=row.diagnosis_code if result not in (Result.VERSION, Result.DISCARDED) else "",
        fault=fault,
        goes_on=goes_on,
    )


def note_answer(attempt: Attempt, answer: Answer) -> None:
    """What of an answer may be kept: classified, capped and without secrets (the client saw to it)."""
    attempt.fault = answer.fault or ""
    attempt.http_status = answer.status
    attempt.error = answer.error[:100]
    attempt.error_message = answer.error_message[:MESSAGE_LENGTH]
    attempt.external_login_host = answer.external_login_host[:255]
    attempt.timings = {**attempt.timings, "grant": dataclasses.asdict(answer.timings)}
    attempt.report = {**attempt.report, "length": answer.body_length, "type": answer.content_type[:100]}


ANSWER_FIELDS = [
    "answer",
    "closed_at",
    "error",
    "error_message",
    "external_login_host",
    "fault",
    "http_status",
    "is_refused_try",
    "lockout_until",
    "lost_at",
    "report",
    "state",
    "timings",
    "version",
]


# -- a new version -------------------------------------------------------------------------------------------


def _accept(row: Connection, attempt: Attempt, claim: Claim, tokens: TokenSet, now: datetime) -> Outcome:
    """Version N+1, published at once: on Sugar 13.3 and later the old token is dead already."""
    before = reads.live_version(row)
    is_new_chain = _begins_chain(attempt)
    row.version_count += 1
    if is_new_chain or row.chain == 0:
        row.chain += 1
    _supersede(before, now)
    version = _new_version(row, attempt, claim, tokens)
    _close_candidate(attempt, row.version_count, now)
    attempt.version = version.number
    attempt.answer = None
    attempt.lost_at = None
    transitions.close(attempt, AttemptState.SETTLED, now)
    attempt.save(update_fields=ANSWER_FIELDS)
    if claim.keeps_password and row.store_password:
        passwords.keep_proven(row, attempt, claim.secret, now)
    _note_version(row, attempt, version, before, now, is_new_chain=is_new_chain)
    return _outcome(claim, Result.VERSION, row, version=version.number)


def _begins_chain(attempt: Attempt) -> bool:
    """It descends from a sign-in or an adopted token; both may have come to us as a kept answer first."""
    root = attempt
    while root.candidate_of is not None:
        root = root.candidate_of
    return root.kind == AttemptKind.PASSWORD or root.base_version is None


def _supersede(before: TokenVersion | None, now: datetime) -> None:
    """N keeps its secrets until N+1 is proven; what came before N is proven dead by N's being there, and wiped."""
    if before is None:
        return
    before.state = VersionState.SUPERSEDED
    before.ended_at = now
    before.save(update_fields=["state", "ended_at"])
    if before.verified_at is None:  # else its proof has wiped them already
        wipe(TokenVersion.objects.filter(connection_id=before.connection_id, number__lt=before.number))


def wipe(versions: QuerySet[TokenVersion]) -> None:
    holding = Q(access_token__isnull=False) | Q(refresh_token__isnull=False)
    versions.filter(holding).update(access_token=None, refresh_token=None)


def _new_version(row: Connection, attempt: Attempt, claim: Claim, tokens: TokenSet) -> TokenVersion:
    number, sent_at = row.version_count, attempt.sent_at
    assert sent_at is not None
    refresh = tokens.refresh_token
    ring = keys.keyring()
    return TokenVersion.objects.create(
        connection=row,
        attempt=attempt,
        number=number,
        chain=row.chain,
        origin=_origin(attempt),
        state=VersionState.LIVE,
        access_token=ring.seal(tokens.access_token, keys.access_context(claim.tenant_id, claim.connection_id, number)),
        refresh_token=ring.seal(refresh, keys.refresh_context(claim.tenant_id, claim.connection_id, number))
        if refresh
        else None,
        fingerprint=keys.fingerprint(tokens.access_token),
        refresh_fingerprint=keys.fingerprint(refresh) if refresh else "",
        # Counted from before the request left: never later than what Sugar means, whatever the answer's way took.
        issued_at=sent_at,
        access_expires_at=sent_at + timedelta(seconds=tokens.expires_in),
        # A chain that ends by a cap says 0 at last: no news, its end is known.
        refresh_expires_at=sent_at + timedelta(seconds=tokens.refresh_expires_in)
        if refresh and tokens.refresh_expires_in
        else None
        if claim.kind == AttemptKind.PASSWORD
        else row.chain_ends_at,
    )


def _origin(attempt: Attempt) -> Origin:
    if attempt.kind == AttemptKind.PASSWORD:
        return Origin.PASSWORD
    is_adopted = attempt.base_version is None and attempt.candidate_of_id is None
    return Origin.ADOPTED if is_adopted else Origin.REFRESH


def _close_candidate(attempt: Attempt, number: int, now: datetime) -> None:
    """Proven by use: the kept answer is the parent of this version."""
    if attempt.candidate_of_id is not None:
        Attempt.objects.filter(pk=attempt.candidate_of_id, state=AttemptState.ANSWERED).update(
            state=AttemptState.SETTLED, answer=None
        )


def _note_version(
    row: Connection,
    attempt: Attempt,
    version: TokenVersion,
    before: TokenVersion | None,
    now: datetime,
    *,
    is_new_chain: bool,
) -> None:
    _mirror(row, version)
    # Its sender proves it now; if that dies first, or this comes from a spool file, the sweeper does.
    row.probe_due_at = now + settings.SUGARADMIN.send_by
    _note_chain(row, version, before, is_new_chain=is_new_chain)
    transitions.clear_doubt(row, attempt)
    transitions.note_success(row, now)
    row.answer_lost_at = None
    row.adopted_token = None
    is_sign_in = attempt.kind == AttemptKind.PASSWORD
    kind = EventKind.SIGNED_IN if is_sign_in else EventKind.REFRESHED
    verb = "Signed in" if is_sign_in else "Refreshed"
    journal.write_event(
        row,
        kind,
        f"{verb}: version {version.number}, good until {version.access_expires_at:%H:%M:%S} UTC.",
        at=now,
        actor=attempt.actor or attempt.trigger,
        attempt=attempt.number,
        version=version.number,
    )
    if _needs_rules(row, now):
        transitions.update_diagnosis(row, now, actor=attempt.actor or attempt.trigger, attempt=attempt.number)
        transitions.plan_retry(row, now, was_sent=True)
    transitions.plan_refresh(row, version, now)
    transitions.reschedule(row, now, live=version, has_open=False)


def _needs_rules(row: Connection, now: datetime) -> bool:
    """The rules read the journal; where nothing was or could be wrong, a refresh is spared the queries."""
    return bool(
        row.diagnosis_code
        or row.trouble != Trouble.NONE
        or row.doubt_after is not None
        or (row.superseded_at is not None and now - row.superseded_at < schedule.DAY)
        or row.chain_ends_at
        or row.is_password_expired
    )


def _mirror(row: Connection, version: TokenVersion) -> None:
    row.access_expires_at = version.access_expires_at
    row.access_dead_at = None
    row.access_doubtful_until = None
    row.refresh_expires_at = version.refresh_expires_at
    row.has_refresh_token = version.refresh_token is not None


def _note_chain(row: Connection, version: TokenVersion, before: TokenVersion | None, *, is_new_chain: bool) -> None:
    if is_new_chain or row.signed_in_at is None:
        row.signed_in_at = version.issued_at
        row.chain_ends_at = None
        row.is_new_chain_wanted = False
        row.is_client_changed = False
        row.dead_tried_at = None
        return
    if before is None or before.chain != version.chain:
        return
    between = version.issued_at - before.issued_at
    if schedule.is_capped(before.refresh_expires_at, version.refresh_expires_at, between):
        row.chain_ends_at = version.refresh_expires_at
    elif version.refresh_expires_at and before.refresh_expires_at and between > timedelta(seconds=2):
        row.chain_ends_at = None  # the cap was lifted


# -- a refusal -----------------------------------------------------------------------------------------------


def _refused(row: Connection, attempt: Attempt, claim: Claim, answer: Answer, now: datetime) -> Outcome:
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
    return _outcome(claim, Result.REFUSED, row, goes_on=is_dead, fault=answer.fault or "")


def _sentence(claim: Claim, answer: Answer) -> str:
    what = "Sign-in" if claim.kind == AttemptKind.PASSWORD else f"Refresh of version {claim.base_version or 'adopted'}"
    said = f"{answer.status} {answer.error}".strip() if answer.status else str(answer.fault)
    message = f" “{answer.error_message}”" if answer.error_message else ""
    return f"{what} refused: {said}{message}"


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


# -- no answer, or too late ----------------------------------------------------------------------------------


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
    journal.write_event(
        row,
        EventKind.IN_DOUBT,
        f"Attempt {attempt.number} was sent, and its answer is lost ({sealed.answer.fault}): Sugar may have "
        f"carried it out. Waiting until {attempt.drain_until:%H:%M:%S} UTC, then resolving.",
        at=now,
        actor=claim.actor or claim.trigger,
        attempt=attempt.number,
    )
    transitions.update_diagnosis(row, now, actor=claim.actor or claim.trigger, attempt=attempt.number)
    reach(Point.LOST_NOTED, claim.connection_id)
    return _outcome(claim, Result.LOST, row, fault=sealed.answer.fault or "")


def _late(row: Connection, attempt: Attempt, claim: Claim, sealed: SealedAnswer, now: datetime) -> Outcome:
    """The claim was taken over. Tokens are kept as a candidate: they may be the living ones."""
    if sealed.answer.tokens is None or not (sealed.answer.is_definite or sealed.answer.is_candidate):
        attempt.save(update_fields=ANSWER_FIELDS)
        return _outcome(claim, Result.REFUSED, row, fault=sealed.answer.fault or "")
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
    return _outcome(claim, Result.KEPT, row)


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
    return _outcome(claim, Result.DISCARDED, row)


def not_sent(claim: Claim, answer: Answer, *, is_preflight: bool) -> Outcome:
    """Nothing reached the token endpoint: nothing is spent, no try is counted."""
    with transaction.atomic(durable=True):
        row, now = transitions.locked_with_clock(claim.connection_pk)
        attempt = reads.attempt(claim.attempt_pk)
        if attempt.closed_at is None:
            _close_not_sent(attempt, answer, now, is_preflight=is_preflight)
            if attempt.generation == row.generation:
                row.failures += 1
                transitions.update_diagnosis(row, now, actor=claim.actor or claim.trigger, attempt=attempt.number)
                transitions.plan_retry(row, now, was_sent=False)
        transitions.reschedule(row, now)
        transitions.save(row)
    return _outcome(claim, Result.NOT_SENT, row, fault=answer.fault or "")


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
