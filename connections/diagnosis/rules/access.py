"""What tests, pings and workers' reports say about the access token and the way to the instance."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connections.choices import AttemptState, Confidence, DiagnosisCode, Fault, Generation, Trouble
from connections.diagnosis.facts import AttemptFact, Evidence, Facts
from connections.diagnosis.rules.death import witness_told
from connections.diagnosis.rules.finding import Finding, code_of
from connections.diagnosis.rules.history import AMBIGUOUS, History, fault_of
from connections.diagnosis.rules.sign_in import client_fix_by
from connections.diagnosis.rules.wording import attempt_told, died_early, report_told, verify_told

TOKEN_FAULTS = frozenset({Fault.ACCESS_TOKEN_INVALID, Fault.ACCESS_TOKEN_EXPIRED, Fault.SESSION_REJECTED})
# Faults of a look that say nothing about the connection as it stands: the password has its own warning.
ASIDE = frozenset({Fault.PASSWORD_EXPIRED, Fault.CREDENTIALS_REFUSED})


def access_trouble(history: History) -> Finding | None:
    """Return what is wrong while the refresh token is still thought good, newest word first.

    1. A look that failed for another reason than the token: the way, the instance, the set-up.
    2. Sugar rejected the session itself.
    3. The token was refused as expired while young: on SugarIdentity, its token service is in trouble.
    4. The token died before its time.
    """
    seen = newest_look(history)
    fault = fault_of(seen) if seen is not None else None
    if seen is not None and fault is not None and fault not in TOKEN_FAULTS:
        return _look_failed(history, seen, fault)
    if not _is_access_missed(history, seen):
        return None
    return _session_rejected(history) or _identity_away(history) or _died_early(history, seen)


def newest_look(history: History) -> AttemptFact | None:
    """The newest finished test or probe of the present version, failed or not: success takes back what was before."""
    finished = (
        a
        for a in reversed(history.looks)
        if a.fault not in ASIDE and (fault_of(a) is not None or a.state == AttemptState.SETTLED)
    )
    return next(finished, None)


def _look_failed(history: History, seen: AttemptFact, fault: Fault) -> Finding:
    """A GET spends nothing, so no answer to it leaves a doubt."""
    return Finding(
        code=code_of(fault),
        confidence=Confidence.CERTAIN if fault != Fault.UNKNOWN else Confidence.POSSIBLE,
        evidence=(attempt_told(seen, history.facts),),
        trouble=Trouble.UNREACHABLE if fault in AMBIGUOUS else None,
        fix_by=client_fix_by(history, fault),
    )


def _is_access_missed(history: History, seen: AttemptFact | None) -> bool:
    """Somebody found the present token dead although its time had not come."""
    facts = history.facts
    if facts.access_expires_at is None or facts.access_expires_at <= facts.now:
        return False
    if facts.is_access_dead or (seen is not None and seen.fault in TOKEN_FAULTS):
        return True
    if _verify_fault(history) in TOKEN_FAULTS:
        return True
    # Where our own pings are off, nobody can confirm a worker's words.
    return facts.is_session_bound and bool(history.live_reports)


def _verify_fault(history: History) -> Fault | None:
    last = history.last_settled
    if last is None or history.live is None or last.version != history.live.number:
        return None
    return last.verify_fault


def _session_rejected(history: History) -> Finding | None:
    witness = history.session_witness
    if witness is None:
        return None
    return Finding(
        code=DiagnosisCode.SESSION_REJECTED,
        confidence=Confidence.LIKELY,
        evidence=(witness_told(witness, history.facts), *_reports_told(history)),
    )


def _identity_away(history: History) -> Finding | None:
    """SugarIdentity says “has expired” of good tokens while its token service is away (SUGAR, section 6)."""
    if history.facts.generation != Generation.IDM:
        return None
    seen = next((a for a in reversed(history.looks) if a.fault == Fault.ACCESS_TOKEN_EXPIRED), None)
    if seen is None or history.live is None:
        return None
    return Finding(
        code=DiagnosisCode.IDENTITY_UNAVAILABLE,
        confidence=Confidence.LIKELY,
        evidence=(attempt_told(seen, history.facts), _still_young(history.live.access_expires_at, history.facts)),
    )


def _still_young(expires_at: datetime, facts: Facts) -> Evidence:
    minutes = max(1, int((expires_at - facts.now).total_seconds() // 60))
    text = ngettext(
        "By the time Sugar gave it, the token has %(minutes)s minute left.",
        "By the time Sugar gave it, the token has %(minutes)s minutes left.",
        minutes,
    )
    return Evidence(text=text % {"minutes": minutes})


def _died_early(history: History, seen: AttemptFact | None) -> Finding:
    facts, evidence = history.facts, []
    dead_at = history.early_death()
    if history.live is not None and dead_at is not None:
        evidence.append(died_early(history.live, dead_at, facts))
    if seen is not None and seen.fault in TOKEN_FAULTS:
        evidence.append(attempt_told(seen, facts))
    if history.last_settled is not None and _verify_fault(history) in TOKEN_FAULTS:
        evidence.append(verify_told(history.last_settled, facts))
    reported = _reports_told(history)
    found_dead = Evidence(text=_("The present access token was found dead before its announced end."))
    return Finding(
        code=DiagnosisCode.ACCESS_TOKEN_REJECTED,
        confidence=Confidence.CERTAIN if evidence else Confidence.LIKELY,
        evidence=(*evidence, *reported) or (found_dead,),
    )


def _reports_told(history: History) -> tuple[Evidence, ...]:
    return tuple(report_told(report, history.facts) for report in history.live_reports[-1:])
