"""Version N+1: published at once, the old one superseded, the chain's facts carried on."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from connections.choices import AttemptKind, AttemptState, EventKind, Origin, Trouble, VersionState
from connections.custody import journal, keys, schedule, statement
from connections.custody.ledger import passwords, transitions
from connections.custody.ledger.answers import ANSWER_FIELDS, outcome_of
from connections.custody.values import Claim, Outcome, Result
from connections.diagnosis.rules.wording import clock
from connections.models import Attempt, Connection, TokenVersion
from connections.sugar import TokenSet


def accept(
    row: Connection, attempt: Attempt, before: TokenVersion | None, claim: Claim, tokens: TokenSet, now: datetime
) -> Outcome:
    """Version N+1, published at once: on Sugar 13.3 and later the old token is dead already. `before`: the live one."""
    is_new_chain = _begins_chain(attempt)
    row.version_count += 1
    if is_new_chain or row.chain == 0:
        row.chain += 1
    _close_candidate(attempt)
    _supersede(before, now)
    version = _new_version(row, attempt, claim, tokens)
    attempt.version = version.number
    attempt.answer = None
    attempt.lost_at = None
    transitions.close(attempt, AttemptState.SETTLED, now)
    statement.write(attempt, ANSWER_FIELDS)
    if claim.keeps_password and row.store_password:
        passwords.keep_proven(row, attempt, claim, now)
    elif claim.is_stored_password:
        passwords.note_proven(row, now)
    _note_version(row, attempt, version, before, now, is_new_chain=is_new_chain)
    return outcome_of(claim, Result.VERSION, row, version=version.number)


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
    statement.write(before, ["state", "ended_at"])
    if before.verified_at is None and before.number > 1:  # else its proof has wiped them already, or there are none
        wipe(TokenVersion.objects.filter(connection_id=before.connection_id, number__lt=before.number))


def wipe(versions: QuerySet[TokenVersion]) -> None:
    holding = Q(access_token__isnull=False) | Q(refresh_token__isnull=False)
    versions.filter(holding).update(access_token=None, refresh_token=None)


def _new_version(row: Connection, attempt: Attempt, claim: Claim, tokens: TokenSet) -> TokenVersion:
    number, sent_at = row.version_count, attempt.sent_at
    assert sent_at is not None
    refresh = tokens.refresh_token
    of_access = keys.access_context(claim.tenant_id, claim.connection_id, number)
    of_refresh = keys.refresh_context(claim.tenant_id, claim.connection_id, number)
    version = TokenVersion(
        connection=row,
        attempt=attempt,
        number=number,
        chain=row.chain,
        origin=_origin(attempt),
        state=VersionState.LIVE,
        access_token=keys.seal_received(tokens.access_token, of_access, data_key=claim.data_key),
        refresh_token=keys.seal_received(refresh, of_refresh, data_key=claim.data_key) if refresh else None,
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
    return statement.insert(version)


def _origin(attempt: Attempt) -> Origin:
    if attempt.kind == AttemptKind.PASSWORD:
        return Origin.PASSWORD
    is_adopted = attempt.base_version is None and attempt.candidate_of_id is None
    return Origin.ADOPTED if is_adopted else Origin.REFRESH


def _close_candidate(attempt: Attempt) -> None:
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
        f"{verb}: version {version.number}, good until {clock(version.access_expires_at, now)}.",
        at=now,
        actor=attempt.actor or attempt.trigger,
        attempt=attempt.number,
        version=version.number,
    )
    if _needs_rules(row, now):
        statement.send_kept()  # the rules read the journal
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
        or not (row.has_refresh_token or row.password)  # nothing will renew it, from its first moment on
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
