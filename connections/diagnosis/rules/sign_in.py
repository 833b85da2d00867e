"""What a refused sign-in means once the refresh token is of no use."""

from __future__ import annotations

from django.utils.translation import gettext as _

from connections.choices import AttemptKind, Confidence, DiagnosisCode, Fault, FixBy, Origin, Trouble
from connections.diagnosis.catalogue.credentials import WAIT_FOR_THE_END_OF_THE_LOCK
from connections.diagnosis.facts import AttemptFact, Evidence
from connections.diagnosis.rules.death import inactive_user
from connections.diagnosis.rules.finding import Finding, code_of
from connections.diagnosis.rules.history import REFUSALS, History
from connections.diagnosis.rules.wording import attempt_told, moment_told, tries_told

ENOUGH_REFUSALS = 2
# Definite answers to a sign-in: time does not change them.
FINAL = frozenset(
    {
        Fault.USER_UNSUITABLE,
        Fault.SSO_REQUIRED,
        Fault.CLIENT_INVALID,
        Fault.PLATFORM_NOT_REGISTERED,
        Fault.USER_AGENT_BLOCKED,
        Fault.VERSION_UNSUPPORTED,
        Fault.IDENTITY_REJECTED,
    }
)


def refused_sign_in(history: History, cause: Finding | None) -> Finding | None:
    """Return what the sign-ins since the chain died say, or None where they say nothing lasting.

    A later failure on the way (an outage, say) does not take back what Sugar said about the user.
    """
    answered = [a for a in history.sign_ins if a.fault in FINAL | {Fault.CREDENTIALS_REFUSED, Fault.LOCKED_OUT}]
    background = cause.evidence[:1] if cause else ()
    if not answered:
        return _refused_elsewhere(history, background)
    newest = answered[-1]
    if newest.fault == Fault.LOCKED_OUT:
        return _locked_out(history, newest, background)
    if newest.fault == Fault.SSO_REQUIRED or (newest.fault and newest.external_login_host):
        return _single_sign_on(history, newest, background)
    if newest.fault == Fault.CREDENTIALS_REFUSED:
        return _credentials_refused(history, answered, background)
    return _final(history, newest, background)


def _refused_elsewhere(history: History, background: tuple[Evidence, ...]) -> Finding | None:
    """The same user's password was refused on another connection of the instance."""
    if not (history.facts.is_password_refused and history.facts.has_password):
        return None
    evidence = (_refused_before(), *background)
    return Finding(code=DiagnosisCode.BAD_CREDENTIALS, confidence=Confidence.LIKELY, evidence=evidence)


def _refused_before() -> Evidence:
    return Evidence(text=_("Sugar refused this user's password twice or more since it was saved."))


def _locked_out(history: History, newest: AttemptFact, background: tuple[Evidence, ...]) -> Finding:
    facts, until = history.facts, newest.lockout_until
    told = attempt_told(newest, facts)
    if until is None:
        return Finding(
            code=DiagnosisCode.LOCKED_OUT,
            confidence=Confidence.CERTAIN,
            evidence=(told, *background),
            trouble=Trouble.PERSON,
        )
    return Finding(
        code=DiagnosisCode.LOCKED_OUT,
        confidence=Confidence.CERTAIN,
        evidence=(told, moment_told(_("The lock-out ends at %(at)s."), until, facts), *background),
        trouble=Trouble.RETRYING if facts.has_password else Trouble.PERSON,
        fix_by=FixBy.NOBODY if facts.has_password and not history.is_draft else FixBy.STAFF,
        fix=WAIT_FOR_THE_END_OF_THE_LOCK if history.is_draft else None,
    )


def _single_sign_on(history: History, newest: AttemptFact, background: tuple[Evidence, ...]) -> Finding:
    """Behind SAML or SugarIdentity a wrong password gets the same answer: likelier where one has worked before."""
    facts = history.facts
    evidence = [attempt_told(newest, facts)]
    if newest.external_login_host:
        text = _("Its answer points to the sign-in page of %(host)s.") % {"host": newest.external_login_host}
        evidence.append(Evidence(text=text, attempt=newest.number))
    has_worked = any(version.origin == Origin.PASSWORD for version in facts.versions)
    if has_worked:
        text = _("Earlier sign-ins with a password worked, so the password may simply have been changed.")
        evidence.append(Evidence(text=text))
    return Finding(
        code=DiagnosisCode.SSO_REQUIRED,
        confidence=Confidence.POSSIBLE if has_worked else Confidence.LIKELY,
        evidence=(*evidence, *background),
    )


def _credentials_refused(history: History, answered: list[AttemptFact], background: tuple[Evidence, ...]) -> Finding:
    facts = history.facts
    refused = [a for a in answered if a.fault == Fault.CREDENTIALS_REFUSED]
    told = tuple(attempt_told(a, facts) for a in refused[-ENOUGH_REFUSALS:])
    if any(a.fault in REFUSALS for a in history.refusals) and history.session_witness is not None:
        found = inactive_user(history, (*background, *told))
        if found is not None:
            return found
    is_enough = len(refused) >= ENOUGH_REFUSALS or facts.is_password_refused
    # One refusal may be a directory that is away for a moment; but nobody tries again without a stored password.
    tries_again = not is_enough and facts.has_password and not history.is_draft
    return Finding(
        code=DiagnosisCode.BAD_CREDENTIALS,
        confidence=Confidence.LIKELY if is_enough else Confidence.POSSIBLE,
        evidence=(*told, *((tries_told(len(refused), facts),) if is_enough else ()), *background),
        trouble=Trouble.RETRYING if tries_again else Trouble.PERSON,
    )


def _final(history: History, newest: AttemptFact, background: tuple[Evidence, ...]) -> Finding:
    return Finding(
        code=code_of(newest.fault or Fault.UNKNOWN),
        confidence=Confidence.CERTAIN,
        evidence=(attempt_told(newest, history.facts), *background),
        fix_by=client_fix_by(history, newest.fault),
    )


def client_fix_by(history: History, fault: Fault | None) -> FixBy | None:
    """The built-in client `sugar` is refused only for a secret that we sent: ours to remove."""
    return FixBy.STAFF if fault == Fault.CLIENT_INVALID and history.facts.client_id == "sugar" else None


def stale_password(history: History) -> Finding | None:
    """The chain lives, but the stored password would not start a new one."""
    facts, refused = history.facts, history.refused_passwords
    if not facts.has_password or not (refused or facts.is_password_refused):
        return None
    is_checked = any(a.kind not in (AttemptKind.PASSWORD, AttemptKind.REFRESH) for a in refused)
    is_sure = facts.is_password_refused or len(refused) >= ENOUGH_REFUSALS or is_checked
    told = tuple(attempt_told(a, facts) for a in refused[-ENOUGH_REFUSALS:]) or (_refused_before(),)
    worked = history.last_settled
    if worked is not None and (not refused or worked.number > refused[-1].number):
        told = (*told, attempt_worked(history, worked))
    return Finding(
        code=DiagnosisCode.PASSWORD_STALE,
        confidence=Confidence.LIKELY if is_sure else Confidence.POSSIBLE,
        evidence=told,
        trouble=Trouble.NONE,
    )


def attempt_worked(history: History, worked: AttemptFact) -> Evidence:
    if worked.kind == AttemptKind.PASSWORD:
        text = _("Version %(number)s was issued all the same, by a sign-in with another password.")
    else:
        text = _("Version %(number)s was issued all the same, by a refresh.")
    return Evidence(text=text % {"number": worked.version}, attempt=worked.number, version=worked.version)
