"""The journal as the rules read it: what happened since the chain last worked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from connections.choices import GRANT_KINDS, AttemptKind, AttemptState, Fault, Rung, VersionState
from connections.diagnosis.facts import AttemptFact, Facts, ReportFact, VersionFact

REFUSALS = frozenset({Fault.REFRESH_TOKEN_INVALID, Fault.REFRESH_TOKEN_EXPIRED})
# A wrong password may look like either: behind SAML or SugarIdentity, Sugar adds the address of the sign-in page.
PASSWORD_REFUSALS = frozenset({Fault.CREDENTIALS_REFUSED, Fault.SSO_REQUIRED})
# After sending, these do not tell whether Sugar carried the grant out.
AMBIGUOUS = frozenset(
    {Fault.TIMEOUT, Fault.CONNECTION_LOST, Fault.SERVER_ERROR, Fault.BAD_RESPONSE, Fault.RATE_LIMITED}
)
# Answered to a grant, these mean that Sugar rotated the token first and refused the caller then (SUGAR, section 0.5).
BURNS = frozenset({Fault.MAINTENANCE, Fault.LICENSE})


@dataclass(frozen=True)
class History:
    """`tail` is every attempt after the last grant that yielded a version: all that is wrong now is in it."""

    facts: Facts

    @cached_property
    def last_settled(self) -> AttemptFact | None:
        settled = (
            a for a in reversed(self.facts.attempts) if a.kind in GRANT_KINDS and a.state == AttemptState.SETTLED
        )
        return next(settled, None)

    @cached_property
    def tail(self) -> tuple[AttemptFact, ...]:
        last = self.last_settled
        return tuple(a for a in self.facts.attempts if last is None or a.number > last.number)

    @cached_property
    def grants(self) -> tuple[AttemptFact, ...]:
        return tuple(a for a in self.tail if a.kind in GRANT_KINDS)

    @cached_property
    def looks(self) -> tuple[AttemptFact, ...]:
        """Tests and probes of the present version."""
        seen = (None, self.live.number) if self.live else (None,)
        return tuple(a for a in self.tail if a.kind not in GRANT_KINDS and a.base_version in seen)

    @cached_property
    def live(self) -> VersionFact | None:
        return next((v for v in reversed(self.facts.versions) if v.state == VersionState.LIVE), None)

    @cached_property
    def newest_failure(self) -> AttemptFact | None:
        """The newest grant that says anything: one that was abandoned before it was sent says nothing."""
        return next((a for a in reversed(self.grants) if fault_of(a) is not None or a.is_unresolved_send), None)

    @cached_property
    def refusals(self) -> tuple[AttemptFact, ...]:
        """Definite refusals of the refresh token; those of a kept answer only where there are no others."""
        all_refused = [a for a in self.grants if a.kind == AttemptKind.REFRESH and a.fault in REFUSALS]
        return tuple([a for a in all_refused if a.rung != Rung.CANDIDATE] or all_refused)

    @cached_property
    def unresolved(self) -> tuple[AttemptFact, ...]:
        """Our own sends whose answer we do not have, or have too late to be sure of it."""
        return tuple(a for a in self.grants if a.is_unresolved_send or a.state == AttemptState.ANSWERED)

    @cached_property
    def burnt(self) -> AttemptFact | None:
        return next((a for a in reversed(self.grants) if a.sent_at is not None and a.fault in BURNS), None)

    @cached_property
    def sign_ins(self) -> tuple[AttemptFact, ...]:
        """Sign-ins since the chain last worked, without those that a newer password has overtaken, and without what
        was mistyped beside a stored password that may well fit. A draft has proven neither."""
        made = [a for a in self.grants if a.kind == AttemptKind.PASSWORD and not self._is_overtaken(a)]
        if self.is_draft or not self.facts.has_password:
            return tuple(made)
        return tuple(a for a in made if not (a.is_typed_password and a.fault in PASSWORD_REFUSALS))

    @cached_property
    def refused_passwords(self) -> tuple[AttemptFact, ...]:
        """Refusals of the stored password since a sign-in last worked, refreshes in between or not."""
        refused: list[AttemptFact] = []
        for attempt in self.facts.attempts:
            if attempt.kind == AttemptKind.PASSWORD and attempt.state == AttemptState.SETTLED:
                refused = []
            elif attempt.fault in PASSWORD_REFUSALS and not (attempt.is_typed_password or self._is_overtaken(attempt)):
                refused.append(attempt)
        return tuple(refused)

    @cached_property
    def pending_candidate(self) -> AttemptFact | None:
        """A kept late answer that no later rung of the ladder has proven useless."""
        kept = next((a for a in reversed(self.grants) if a.state == AttemptState.ANSWERED), None)
        tried = [a for a in self.grants if a.state == AttemptState.REFUSED and a.rung != Rung.NONE]
        if kept is None or any(a.number > kept.number for a in tried):
            return None
        return kept

    @cached_property
    def session_witness(self) -> AttemptFact | ReportFact | None:
        """Who heard “Your authentication token is invalid.” about the present version; Sugar says it once."""
        for attempt in reversed(self.facts.attempts):
            if Fault.SESSION_REJECTED in (attempt.fault, attempt.verify_fault) and self._is_of_live(attempt):
                return attempt
        return next((r for r in reversed(self.live_reports) if r.fault == Fault.SESSION_REJECTED), None)

    @cached_property
    def live_reports(self) -> tuple[ReportFact, ...]:
        return tuple(r for r in self.facts.reports if self.live and r.version == self.live.number)

    @cached_property
    def is_draft(self) -> bool:
        """Never signed in: nobody tries by himself."""
        return not self.facts.versions

    def early_death(self) -> datetime | None:
        """When the present access token was found dead before its announced end."""
        live = self.live
        if live is None or live.access_dead_at is None or live.access_dead_at >= live.access_expires_at:
            return None
        return live.access_dead_at

    def version(self, number: int | None) -> VersionFact | None:
        return next((v for v in self.facts.versions if v.number == number), None)

    def _is_overtaken(self, attempt: AttemptFact) -> bool:
        """A password saved since may undo the answer; it does not shorten a lock-out or change the kind of user."""
        set_at = self.facts.password_set_at
        if set_at is None or attempt.claimed_at >= set_at:
            return False
        return attempt.fault in PASSWORD_REFUSALS or (attempt.fault == Fault.LOCKED_OUT and not attempt.lockout_until)

    def _is_of_live(self, attempt: AttemptFact) -> bool:
        if self.live is None:
            return False
        if attempt.kind in GRANT_KINDS:
            return attempt.version == self.live.number
        return attempt.base_version in (None, self.live.number) and attempt.claimed_at >= self.live.issued_at


def fault_of(attempt: AttemptFact) -> Fault | None:
    """What stopped it: its own answer, or the look before it."""
    return attempt.fault or attempt.preflight_fault


def was_sent(attempt: AttemptFact) -> bool:
    """Of a grant: looks are not marked as sent, and one that was marked may have been held back after all."""
    return attempt.kind in GRANT_KINDS and attempt.sent_at is not None and attempt.state != AttemptState.ABANDONED


def happened_at(attempt: AttemptFact) -> datetime:
    """When its answer came. Without one that counts, when it was sent: it is closed only at the end of its drain."""
    is_open = attempt.is_unresolved_send or attempt.state == AttemptState.ANSWERED
    if is_open and attempt.sent_at is not None:
        return attempt.sent_at
    return attempt.lost_at or attempt.closed_at or attempt.sent_at or attempt.claimed_at
