"""From history to diagnosis: pure rules over what the journal shows.

Facts ─► History ─► rules in order, the first that speaks ─► Finding ─► Diagnosis
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.choices import (
    AttemptKind,
    AttemptState,
    Confidence,
    DiagnosisCode,
    Fault,
    FixBy,
    Generation,
    Trouble,
)
from connections.diagnosis.catalogue.chain import SIGN_IN_AGAIN, STORE_THE_PASSWORD
from connections.diagnosis.facts import AttemptFact, Diagnosis, Evidence, Facts
from connections.diagnosis.rules.access import TOKEN_FAULTS, access_trouble, newest_look
from connections.diagnosis.rules.death import cause_of_death
from connections.diagnosis.rules.finding import (
    Finding,
    can_sign_in_sometime,
    code_of,
    diagnosis_of,
    is_chain_dead,
    trouble_of,
)
from connections.diagnosis.rules.history import AMBIGUOUS, BURNS, REFUSALS, History, fault_of
from connections.diagnosis.rules.sign_in import FINAL, client_fix_by, refused_sign_in
from connections.diagnosis.rules.warnings import standing_warning
from connections.diagnosis.rules.wording import attempt_told, moment_told

__all__ = ["code_of", "diagnose", "is_chain_dead", "trouble_of"]

BURNT_NOW = gettext_lazy(
    "{host} went into maintenance or ran out of licences just as we renewed the token, and no password is stored to "
    "sign in when it is over."
)
AFTER_IT_IS_OVER = gettext_lazy("Wait until the instance lets users in again: until then a sign-in fails too.")


def diagnose(facts: Facts) -> Diagnosis | None:
    """Return what is wrong with the connection, a standing warning, or None where all is well.

    1. Ours: without the key, or on a copied database, nothing else can be judged.
    2. A definite answer about the set-up (client, platform, user agent): a person must act, doubt or not.
    3. A dead chain that no password can restart asks for a person; its cause is the code.
    4. A grant whose outcome is unknown is in doubt, whatever else is out of order meanwhile.
    5. A dead chain with a password: what the sign-in says, or that it is going to be tried.
    6. What stopped the newest grant.
    7. What looks and reports say about the access token.
    8. What is not broken yet.
    """
    history = History(facts)
    for rule in RULES:
        finding = rule(history)
        if finding is not None:
            return diagnosis_of(finding, facts)
    return None


def _ours(history: History) -> Finding | None:
    facts = history.facts
    if facts.is_key_missing:
        told = Evidence(text=_("A stored secret of this connection could not be opened with any configured key."))
        return Finding(code=DiagnosisCode.ENCRYPTION_KEY_MISSING, confidence=Confidence.CERTAIN, evidence=(told,))
    if facts.is_database_restored:
        told = Evidence(text=_("This database is not the one that Sugaradmin last worked on; grants are stopped."))
        return Finding(code=DiagnosisCode.DATABASE_RESTORED, confidence=Confidence.CERTAIN, evidence=(told,))
    return None


def _set_up(history: History) -> Finding | None:
    """Sugar checks these before it touches a token: they are definite, and no retry spends anything."""
    newest = history.newest_failure
    fault = fault_of(newest) if newest else None
    if newest is None or fault not in FINAL - {Fault.SSO_REQUIRED, Fault.USER_UNSUITABLE}:
        return None
    if is_chain_dead(history.facts) and not history.facts.has_password and not history.is_draft:
        return None
    return Finding(
        code=code_of(fault),
        confidence=Confidence.CERTAIN,
        evidence=(attempt_told(newest, history.facts),),
        fix_by=client_fix_by(history, fault),
    )


def _dead_for_good(history: History) -> Finding | None:
    """Nothing stored can repair it. What a person's own sign-in was told counts most, then the cause."""
    facts, newest = history.facts, history.newest_failure
    if facts.has_password or not is_chain_dead(facts) or _may_still_turn_up(history):
        return None
    cause = cause_of_death(history)
    said = refused_sign_in(history, cause)
    if said is not None:
        return said
    if history.burnt is not None and newest is not None and fault_of(newest) in BURNS:
        return _burnt_for_good(history, history.burnt, newest)
    if cause is None and newest is not None and history.is_draft:
        return _stopped_by(history, newest)
    return cause or Finding(
        code=DiagnosisCode.CREDENTIALS_MISSING, confidence=Confidence.CERTAIN, evidence=_missing(history)
    )


def _may_still_turn_up(history: History) -> bool:
    """A late answer that was kept, or a person's sign-in that is still draining, may yet yield a token."""
    if history.pending_candidate is not None:
        return True
    newest = history.newest_failure
    is_draining = newest is not None and newest.is_unresolved_send and newest.state == AttemptState.SENT
    if is_draining and newest is not None and newest.kind == AttemptKind.PASSWORD:
        return True
    return history.facts.has_refresh_token and not history.facts.is_new_chain_wanted and _is_doubtful(history)


def _missing(history: History) -> tuple[Evidence, ...]:
    told = [Evidence(text=_("No password is stored, and there is no refresh token that could still work."))]
    if history.newest_failure is not None:
        told.append(attempt_told(history.newest_failure, history.facts))
    elif history.live is not None:
        text = _("Version %(number)s came without a refresh token.") % {"number": history.live.number}
        told.append(Evidence(text=text, version=history.live.number))
    return tuple(told)


def _in_doubt(history: History) -> Finding | None:
    facts = history.facts
    if not (_may_still_turn_up(history) or (_is_doubtful(history) and _has_means(facts))):
        return None
    told = [attempt_told(a, facts) for a in history.unresolved[-1:]]
    newest = history.newest_failure
    if newest is not None and newest not in history.unresolved:
        told.append(attempt_told(newest, facts))
    if not told:
        told.append(Evidence(text=_("The journal holds a grant whose outcome is still being resolved.")))
    fault = history.unresolved[-1].fault if history.unresolved else None
    if fault == Fault.IDENTITY_UNAVAILABLE:
        # Sugar answered: it could not ask its token service. That is the word, while the drain runs and after.
        code = DiagnosisCode.IDENTITY_UNAVAILABLE
        # With nothing stored that could be tried again, what comes of this one grant is all there is to wait for; and
        # an earlier doubt is not over because of it.
        trouble = None if _has_means(facts) and not facts.is_in_doubt else Trouble.IN_DOUBT
        return Finding(code=code, confidence=Confidence.CERTAIN, evidence=tuple(told), trouble=trouble)
    return Finding(
        code=code_of(fault) if fault in AMBIGUOUS else DiagnosisCode.OUTCOME_UNKNOWN,
        confidence=Confidence.CERTAIN,
        evidence=tuple(told),
        trouble=Trouble.IN_DOUBT,
    )


def _is_doubtful(history: History) -> bool:
    """The newest grant is unresolved, or an earlier one is and the old token has not been tried since."""
    if history.newest_failure is not None and history.newest_failure.is_unresolved_send:
        return True
    return history.facts.has_refresh_token and (history.facts.is_in_doubt or bool(history.unresolved))


def _has_means(facts: Facts) -> bool:
    return facts.has_password or facts.has_refresh_token


def _dead_with_password(history: History) -> Finding | None:
    facts = history.facts
    if not facts.has_password or not is_chain_dead(facts):
        return None
    cause = cause_of_death(history)
    said = refused_sign_in(history, cause)
    if said is not None:
        return said
    newest = history.newest_failure
    if newest is not None and fault_of(newest) not in REFUSALS and not _is_only_about_the_password(newest):
        return _stopped_by(history, newest)
    return _signing_in_again(history, cause) if cause is not None else None


def _signing_in_again(history: History, cause: Finding) -> Finding:
    facts = history.facts
    evidence = list(cause.evidence)
    if not facts.can_sign_in_now and facts.sign_in_allowed_at is not None:
        text = _("The automatic sign-ins allowed for now are used up; the next one may follow at %(at)s.")
        evidence.append(moment_told(text, facts.sign_in_allowed_at, facts))
    return Finding(
        code=cause.code,
        confidence=cause.confidence,
        evidence=tuple(evidence),
        trouble=Trouble.RETRYING if can_sign_in_sometime(facts) else Trouble.PERSON,
        cause=cause.cause,
    )


def _newest_grant_failed(history: History) -> Finding | None:
    newest = history.newest_failure
    if newest is None or _is_only_about_the_password(newest):
        return None
    seen = newest_look(history)
    if seen is not None and seen.number > newest.number and fault_of(seen) not in {None, *TOKEN_FAULTS}:
        return access_trouble(history)  # the newer word on the same outage
    return _stopped_by(history, newest)


def _is_only_about_the_password(newest: AttemptFact) -> bool:
    """Beside a living chain such a refusal is only a warning; beside a dead one `refused_sign_in` has judged it."""
    refused = {Fault.CREDENTIALS_REFUSED, Fault.SSO_REQUIRED, Fault.LOCKED_OUT, Fault.USER_UNSUITABLE}
    return newest.kind == AttemptKind.PASSWORD and newest.fault in refused


def _stopped_by(history: History, newest: AttemptFact) -> Finding:
    fault = fault_of(newest)
    told = (attempt_told(newest, history.facts),)
    if fault is None:
        return Finding(code=DiagnosisCode.OUTCOME_UNKNOWN, confidence=Confidence.CERTAIN, evidence=told)
    if fault in REFUSALS:
        return _refused_for_now(history, told)
    return Finding(
        code=code_of(fault),
        confidence=Confidence.POSSIBLE if fault == Fault.UNKNOWN else Confidence.CERTAIN,
        evidence=told,
        fix_by=client_fix_by(history, fault),
    )


def _burnt_for_good(history: History, burnt: AttemptFact, newest: AttemptFact) -> Finding:
    """Sugar renewed the token and kept the answer to itself: what is wrong is the lost chain, and the rest passes."""
    return Finding(
        code=DiagnosisCode.REFRESH_TOKEN_LOST,
        confidence=Confidence.CERTAIN,
        evidence=(attempt_told(burnt, history.facts), attempt_told(newest, history.facts)),
        trouble=Trouble.PERSON,
        cause=BURNT_NOW,
        fix_by=FixBy.STAFF,
        fix=(AFTER_IT_IS_OVER, SIGN_IN_AGAIN, STORE_THE_PASSWORD),
    )


def _refused_for_now(history: History, told: tuple[Evidence, ...]) -> Finding:
    """Refused, but custody does not hold it for final: SugarIdentity refuses good tokens while it is unwell."""
    if history.facts.generation == Generation.IDM:
        return Finding(code=DiagnosisCode.IDENTITY_UNAVAILABLE, confidence=Confidence.POSSIBLE, evidence=told)
    return Finding(
        code=DiagnosisCode.REFRESH_TOKEN_SUPERSEDED,
        confidence=Confidence.POSSIBLE,
        evidence=told,
        trouble=Trouble.RETRYING,
    )


RULES: tuple[Callable[[History], Finding | None], ...] = (
    _ours,
    _set_up,
    _dead_for_good,
    _in_doubt,
    _dead_with_password,
    _newest_grant_failed,
    access_trouble,
    standing_warning,
)
