"""What a rule says, and how it becomes the diagnosis that people read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from connections.choices import AttemptKind, Confidence, DiagnosisCode, Fault, FixBy, Trouble
from connections.diagnosis.catalogue import CATALOGUE, Entry, fill
from connections.diagnosis.facts import Diagnosis, Evidence, Facts
from connections.diagnosis.rules.history import History, was_sent

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

LASTING = timedelta(hours=24)  # from then on an outage is the customer's to end

DEATHS = frozenset(
    {
        DiagnosisCode.REFRESH_TOKEN_SUPERSEDED,
        DiagnosisCode.REFRESH_TOKEN_LOST,
        DiagnosisCode.REFRESH_TOKEN_EXPIRED,
        DiagnosisCode.SESSION_CAP_REACHED,
        DiagnosisCode.CLIENT_MISMATCH,
        DiagnosisCode.PLATFORM_SHARED,
    }
)
_SAME_WORD = {code.value: code for code in DiagnosisCode}
_OTHER_WORD = {
    Fault.ACCESS_TOKEN_EXPIRED: DiagnosisCode.ACCESS_TOKEN_REJECTED,
    Fault.ACCESS_TOKEN_INVALID: DiagnosisCode.ACCESS_TOKEN_REJECTED,
    Fault.REFRESH_TOKEN_INVALID: DiagnosisCode.REFRESH_TOKEN_SUPERSEDED,
    Fault.CREDENTIALS_REFUSED: DiagnosisCode.BAD_CREDENTIALS,
}
_AMBIGUOUS_CODES = frozenset(
    {
        DiagnosisCode.TIMEOUT,
        DiagnosisCode.CONNECTION_LOST,
        DiagnosisCode.SERVER_ERROR,
        DiagnosisCode.BAD_RESPONSE,
        DiagnosisCode.RATE_LIMITED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule's verdict; `None` leaves the word to the catalogue."""

    code: DiagnosisCode
    confidence: Confidence
    evidence: tuple[Evidence, ...] = ()
    trouble: Trouble | None = None
    cause: StrOrPromise | None = None
    fix_by: FixBy | None = None
    fix: tuple[StrOrPromise, ...] | None = None


def code_of(fault: Fault) -> DiagnosisCode:
    """Return the code of a fault that nothing else explains."""
    return _OTHER_WORD.get(fault) or _SAME_WORD.get(fault.value, DiagnosisCode.UNKNOWN)


def trouble_of(code: DiagnosisCode, facts: Facts) -> Trouble:
    """Return what a code means for this connection (DESIGN, section 5: which code gives which status)."""
    if code in DEATHS and is_chain_dead(facts):
        return Trouble.RETRYING if can_sign_in_sometime(facts) else Trouble.PERSON
    if code in _AMBIGUOUS_CODES:
        newest = History(facts).newest_failure
        return Trouble.IN_DOUBT if newest is not None and was_sent(newest) else Trouble.UNREACHABLE
    if code == DiagnosisCode.LOCKED_OUT:
        sign_ins = [a for a in facts.attempts if a.kind == AttemptKind.PASSWORD and a.fault == Fault.LOCKED_OUT]
        return Trouble.RETRYING if sign_ins and sign_ins[-1].lockout_until else Trouble.PERSON
    return CATALOGUE[code].trouble


def is_chain_dead(facts: Facts) -> bool:
    """Tell whether the stored refresh token, if any, can no longer be expected to work."""
    history = History(facts)
    if facts.is_new_chain_wanted or not facts.has_refresh_token or history.burnt is not None:
        return True
    live = history.live
    return live is not None and live.refresh_expires_at is not None and live.refresh_expires_at <= facts.now


def can_sign_in_sometime(facts: Facts) -> bool:
    """Tell whether the background will try the stored password, now or when a window frees: never for a draft."""
    is_allowed = facts.can_sign_in_now or facts.sign_in_allowed_at is not None
    return facts.has_password and is_allowed and not History(facts).is_draft


def diagnosis_of(finding: Finding, facts: Facts) -> Diagnosis:
    """Fill the catalogue's texts with the connection's words, and overrule who must act by what is seen."""
    entry = CATALOGUE[finding.code]
    trouble = trouble_of(finding.code, facts) if finding.trouble is None else finding.trouble
    words = {
        "host": facts.instance_host,
        "platform": facts.platform,
        "username": facts.username,
        "client_id": facts.client_id,
    }
    fix_by = finding.fix_by or _fix_by(entry, trouble, facts)
    if _waits_for_a_person(facts):
        fix_by = FixBy.STAFF if fix_by == FixBy.NOBODY else fix_by
        steps = finding.fix or entry.first_steps
    else:
        steps = finding.fix or (entry.waiting if fix_by == FixBy.NOBODY and entry.waiting else entry.fix)
    return Diagnosis(
        code=finding.code,
        confidence=finding.confidence,
        trouble=trouble,
        title=str(entry.title),
        cause=fill(finding.cause or entry.cause, words),
        evidence=_each_once(finding.evidence),
        fix_by=fix_by,
        fix=tuple(fill(step, words) for step in steps),
    )


def _waits_for_a_person(facts: Facts) -> bool:
    """Whatever time heals, nobody signs this one in by himself; only an answer that was kept is still tried."""
    return facts.is_signed_in_by_people and History(facts).pending_candidate is None


def _fix_by(entry: Entry, trouble: Trouble, facts: Facts) -> FixBy:
    if trouble == Trouble.RETRYING and entry.waiting:
        return FixBy.NOBODY
    if trouble in (Trouble.UNREACHABLE, Trouble.IN_DOUBT) and entry.fix_by == FixBy.NOBODY:
        is_lasting = facts.trouble_since is not None and facts.now - facts.trouble_since >= LASTING
        return FixBy.CUSTOMER_ADMIN if is_lasting else FixBy.NOBODY
    if trouble == Trouble.PERSON and entry.fix_by == FixBy.NOBODY:
        return FixBy.STAFF
    return entry.fix_by


def _each_once(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(evidence))
