"""Which step comes next for a connection: a plain refresh, a rung of the ladder, or a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from connections.choices import AttemptKind, AttemptState, Generation, Rung, VersionState
from connections.custody import breakers, reads
from connections.custody.schedule import DAY
from connections.custody.values import Decline, Declined, Goal, Want
from connections.models import Attempt, Connection, TokenVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What an attempt will present. Neither version nor candidate: the adopted token or the password."""

    kind: AttemptKind
    rung: Rung = Rung.NONE
    version: TokenVersion | None = None
    candidate: Attempt | None = None


def next_step(row: Connection, want: Want, now: datetime, *, skip: frozenset[Rung]) -> Step | Declined:
    """`skip` holds the rungs this caller has been through, so that one call climbs each at most once."""
    if want.goal == Goal.SIGN_IN:
        return _deliberate_sign_in(row, want, now)
    if row.doubt_after is not None:
        return _rung(row, want, now, skip)
    if want.goal == Goal.KEEP and Rung.STORED_PASSWORD not in skip and _is_cap_near(row, now):
        return Step(kind=AttemptKind.PASSWORD, rung=Rung.STORED_PASSWORD)
    live = _refreshable(row)
    if live is not None and Rung.NONE not in skip:
        return Step(kind=AttemptKind.REFRESH, version=live)
    if row.adopted_token is not None and Rung.NONE not in skip:
        return Step(kind=AttemptKind.REFRESH)
    return _revival(row, want, now, skip)


def _is_cap_near(row: Connection, now: datetime) -> bool:
    """A refresh would inherit the chain's end: only a sign-in goes on beyond it."""
    ahead_at = breakers.sign_in_ahead_at(row, now)
    return ahead_at is not None and ahead_at <= now


def _deliberate_sign_in(row: Connection, want: Want, now: datetime) -> Step | Declined:
    if row.password is None and want.password is None:
        return Declined(reason=Decline.MISSING)
    breakers.hold_budget(row)
    allowance = breakers.deliberate_sign_in(row, now)
    if not allowance.is_allowed:
        return Declined(reason=Decline.TOO_OFTEN, retry_at=allowance.allowed_at)
    return Step(kind=AttemptKind.PASSWORD)


def _rung(row: Connection, want: Want, now: datetime, skip: frozenset[Rung]) -> Step | Declined:
    """In doubt: newest kept answer, then the old refresh token once, then the stored password (DESIGN section 4.6)."""
    began = row.doubt_began or 0
    candidate = reads.candidates(row).filter(~Exists(_proofs(began))).first()
    if candidate is not None:
        return Step(kind=AttemptKind.REFRESH, rung=Rung.CANDIDATE, candidate=candidate)
    if Rung.OLD_REFRESH not in skip and _may_present_old(row) and not _is_presented(row, began):
        return _old_refresh(row)
    if row.password is not None and Rung.STORED_PASSWORD not in skip:
        step = _stored_password(row, want, now)
        if isinstance(step, Step) or not _may_present_old(row):
            return step
        again = _once_more(row, want, now, skip)
        return again if isinstance(again, Step) else step
    return _once_more(row, want, now, skip)


def _proofs(began: int) -> QuerySet[Attempt]:
    """Presented and not called off: an attempt that was abandoned never left and has used nothing up."""
    proofs = Attempt.objects.filter(candidate_of=OuterRef("pk"), number__gt=began, sent_at__isnull=False)
    return proofs.exclude(state=AttemptState.ABANDONED)


def _refreshable(row: Connection) -> TokenVersion | None:
    """The live version, if it has a refresh token that no definite answer has refused and no edit has left behind."""
    if row.is_new_chain_wanted:
        return None
    live = reads.live_version(row)
    return live if live is not None and live.refresh_token is not None and live.refused_at is None else None


def _may_present_old(row: Connection) -> bool:
    """On SugarIdentity reuse of a rotated token may revoke the whole family: only where nothing else is left."""
    return row.session_generation != Generation.IDM or row.password is None


def _is_presented(row: Connection, began: int) -> bool:
    tries = Attempt.objects.filter(connection=row, number__gt=began, rung=Rung.OLD_REFRESH, sent_at__isnull=False)
    is_left = _refreshable(row) is not None or row.adopted_token is not None
    return not is_left or tries.exclude(state=AttemptState.ABANDONED).exists()


def _old_refresh(row: Connection) -> Step:
    return Step(kind=AttemptKind.REFRESH, rung=Rung.OLD_REFRESH, version=_refreshable(row))


def _stored_password(row: Connection, want: Want, now: datetime) -> Step | Declined:
    if row.version_count == 0 and not want.is_deliberate:
        return Declined(reason=Decline.DRAFT)  # the background never signs in a draft
    breakers.hold_budget(row)
    check = breakers.deliberate_sign_in if want.is_deliberate else breakers.automatic_sign_in
    allowance = check(row, now)
    if allowance.is_allowed:
        return Step(kind=AttemptKind.PASSWORD, rung=Rung.STORED_PASSWORD)
    if allowance.allowed_at is not None:
        return Declined(reason=Decline.LATER, retry_at=allowance.allowed_at)
    return Declined(reason=Decline.PERSON)


def _once_more(row: Connection, want: Want, now: datetime, skip: frozenset[Rung]) -> Step | Declined:
    """In doubt, and no sign-in now: what no definite answer has refused may be presented again, after the back-off."""
    candidate = reads.candidates(row).first()
    if candidate is not None and Rung.CANDIDATE not in skip:
        return Step(kind=AttemptKind.REFRESH, rung=Rung.CANDIDATE, candidate=candidate)
    can_present = _refreshable(row) is not None or row.adopted_token is not None
    if can_present and _may_present_old(row) and Rung.OLD_REFRESH not in skip:
        return _old_refresh(row)
    return _dead_token(row, want, now, skip)


def _revival(row: Connection, want: Want, now: datetime, skip: frozenset[Rung]) -> Step | Declined:
    """The chain is dead for all we know: the dead token if staff ask, the stored password, the daily try."""
    if want.is_deliberate:
        again = _dead_token(row, want, now, skip)
        if isinstance(again, Step) or want.goal == Goal.ROTATE:
            return again
    if row.password is not None and Rung.STORED_PASSWORD not in skip:
        step = _stored_password(row, want, now)
        if isinstance(step, Step):
            return step
        again = _dead_token(row, want, now, skip)
        return again if isinstance(again, Step) else step
    if row.version_count == 0 and row.adopted_token is None:
        return Declined(reason=Decline.DRAFT)
    return _dead_token(row, want, now, skip)


def _dead_token(row: Connection, want: Want, now: datetime, skip: frozenset[Rung]) -> Step | Declined:
    """Once a day, and when staff ask: it counts towards no lock-out, and a reactivated user revives it."""
    if row.is_new_chain_wanted:
        return Declined(reason=Decline.PERSON)
    dead = (
        TokenVersion.objects.filter(connection=row, state=VersionState.LIVE, refresh_token__isnull=False)
        .order_by("-number")
        .first()
    )
    if dead is None or Rung.OLD_REFRESH in skip:
        return Declined(reason=Decline.PERSON)
    is_due = row.dead_tried_at is None or now - row.dead_tried_at >= DAY
    if not is_due and not want.is_deliberate:
        return Declined(reason=Decline.PERSON, retry_at=(row.dead_tried_at or now) + DAY)
    return Step(kind=AttemptKind.REFRESH, rung=Rung.OLD_REFRESH, version=dead)
