"""Why a refresh token is dead: by elimination, from our own journal."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.choices import BUILT_IN_PLATFORMS, Confidence, DiagnosisCode, Fault, Generation
from connections.diagnosis.facts import AttemptFact, Evidence, Facts, ReportFact
from connections.diagnosis.rules.finding import Finding
from connections.diagnosis.rules.history import AMBIGUOUS, History, happened_at, was_sent
from connections.diagnosis.rules.wording import (
    attempt_told,
    died_early,
    moment_told,
    report_told,
    superseded_told,
    verify_told,
    version_issued,
)

FIGHT_WINDOW = timedelta(hours=24)
EDITED = gettext_lazy(
    "The address, user, platform or client id of this connection was edited, and it has not signed in since."
)
BURNT = gettext_lazy(
    "Sugar replaced our refresh token and then refused to answer, because maintenance or a licence limit began at "
    "that moment."
)


def cause_of_death(history: History) -> Finding | None:
    """Return why the chain is dead, or None where the journal does not show it.

    1. Edited since: the old chain is no longer ours to use.
    2. Sugar says “expired”: the row was still there, so nobody replaced it. The session cap, or idleness.
    3. Our own send burnt it or lost its answer.
    4. It was older than its lifetime, the cap had passed, or the client id had changed.
    5. All that we hold is refused: the user is inactive.
    6. Nothing of ours explains it: somebody else replaced it.
    """
    facts = history.facts
    if facts.is_new_chain_wanted:
        return None if history.is_draft else _edited(facts)
    if not history.refusals:
        return _burnt(history) or _ran_out(history)
    refused = history.refusals[0]
    if refused.fault == Fault.REFRESH_TOKEN_EXPIRED:
        return _expired(history, refused)
    return (
        _burnt(history, refused)
        or _lost(history, refused)
        or _aged(history, refused)
        or _wrong_client(history, refused)
        or _inactive_user(history, refused)
        or _superseded(history, refused)
    )


def _edited(facts: Facts) -> Finding | None:
    if facts.is_client_changed:
        text = _("The client id is now “%(client_id)s”; the chain began under another one.")
        evidence = Evidence(text=text % {"client_id": facts.client_id})
        return Finding(code=DiagnosisCode.CLIENT_MISMATCH, confidence=Confidence.CERTAIN, evidence=(evidence,))
    if not facts.has_password:
        return None
    evidence = Evidence(text=_("The settings were saved after the last sign-in."))
    return Finding(
        code=DiagnosisCode.CLIENT_MISMATCH, confidence=Confidence.CERTAIN, evidence=(evidence,), cause=EDITED
    )


def _ran_out(history: History) -> Finding | None:
    """Nobody has tried yet, but the clock alone says that it cannot work."""
    facts, live = history.facts, history.live
    if live is None or live.refresh_expires_at is None or live.refresh_expires_at > facts.now:
        return None
    told = moment_told(_("The refresh token's lifetime ended at %(at)s."), live.refresh_expires_at, facts)
    return Finding(
        code=_cap_or(DiagnosisCode.REFRESH_TOKEN_EXPIRED, facts, live.refresh_expires_at),
        confidence=Confidence.CERTAIN,
        evidence=(told, version_issued(live, facts)),
    )


def _expired(history: History, refused: AttemptFact) -> Finding:
    facts = history.facts
    code = _cap_or(DiagnosisCode.REFRESH_TOKEN_EXPIRED, facts, happened_at(refused))
    evidence = (attempt_told(refused, facts), *_cap_evidence(code, facts), *_issued(history, refused))
    return Finding(code=code, confidence=Confidence.CERTAIN, evidence=evidence)


def _burnt(history: History, refused: AttemptFact | None = None) -> Finding | None:
    burnt = history.burnt
    if burnt is None or (refused is not None and burnt.number > refused.number):
        return None
    evidence = tuple(attempt_told(attempt, history.facts) for attempt in (burnt, refused) if attempt is not None)
    return Finding(code=DiagnosisCode.REFRESH_TOKEN_LOST, confidence=Confidence.CERTAIN, evidence=evidence, cause=BURNT)


def _lost(history: History, refused: AttemptFact) -> Finding | None:
    lost = [a for a in (*history.unresolved, *_ambiguous(history)) if a.number < refused.number]
    if not lost:
        return None
    evidence = (attempt_told(lost[-1], history.facts), attempt_told(refused, history.facts))
    return Finding(code=DiagnosisCode.REFRESH_TOKEN_LOST, confidence=Confidence.LIKELY, evidence=evidence)


def _ambiguous(history: History) -> list[AttemptFact]:
    return [a for a in history.grants if was_sent(a) and a.fault in AMBIGUOUS]


def _aged(history: History, refused: AttemptFact) -> Finding | None:
    facts = history.facts
    version = history.version(refused.base_version)
    ends = [version.refresh_expires_at if version else None, facts.chain_ends_at]
    passed = [end for end in ends if end is not None and end <= happened_at(refused)]
    if not passed:
        return None
    code = _cap_or(DiagnosisCode.REFRESH_TOKEN_EXPIRED, facts, happened_at(refused))
    told = moment_told(_("By the lifetime that Sugar gave it, the token ended at %(at)s."), min(passed), facts)
    return Finding(code=code, confidence=Confidence.CERTAIN, evidence=(attempt_told(refused, facts), told))


def _wrong_client(history: History, refused: AttemptFact) -> Finding | None:
    facts = history.facts
    if not facts.is_client_changed:
        return None
    edited = _edited(facts)
    evidence = (attempt_told(refused, facts), *(edited.evidence if edited else ()))
    return Finding(code=DiagnosisCode.CLIENT_MISMATCH, confidence=Confidence.CERTAIN, evidence=evidence)


def _inactive_user(history: History, refused: AttemptFact) -> Finding | None:
    """An inactive user loses session and refresh together; where a password is stored, the sign-in decides."""
    witness = history.session_witness
    if witness is None or history.facts.has_password:
        return None
    return inactive_user(history, (attempt_told(refused, history.facts),))


def inactive_user(history: History, others: tuple[Evidence, ...]) -> Finding | None:
    """Return the finding where the session was rejected as well; None without that witness."""
    witness = history.session_witness
    if witness is None:
        return None
    heard = witness_told(witness, history.facts)
    return Finding(code=DiagnosisCode.USER_INACTIVE, confidence=Confidence.LIKELY, evidence=(heard, *others))


def witness_told(witness: AttemptFact | ReportFact, facts: Facts) -> Evidence:
    if isinstance(witness, ReportFact):
        return report_told(witness, facts)
    return verify_told(witness, facts) if witness.verify_fault else attempt_told(witness, facts)


def _superseded(history: History, refused: AttemptFact) -> Finding:
    facts = history.facts
    evidence = [attempt_told(refused, facts), *_issued(history, refused)]
    earlier = [at for at in facts.supersessions if at < happened_at(refused)]
    if is_fight(happened_at(refused), earlier):
        evidence.append(_earlier_told(earlier[0], facts))
        return Finding(
            code=DiagnosisCode.PLATFORM_SHARED,
            confidence=Confidence.CERTAIN,
            evidence=(*evidence, *built_in_told(facts)),
        )
    if earlier:
        evidence.append(_earlier_told(earlier[0], facts))
    early = _early_death(history)
    evidence += [*early, *built_in_told(facts)]
    return Finding(
        code=DiagnosisCode.REFRESH_TOKEN_SUPERSEDED,
        confidence=_confidence(facts, has_witness=bool(earlier or early)),
        evidence=tuple(evidence),
    )


def _confidence(facts: Facts, *, has_witness: bool) -> Confidence:
    if facts.generation in (Generation.NEVER, Generation.IDM) or not facts.versions:
        # 6.7, 7.1 and SugarIdentity evict nobody, and a token we were only given may never have worked.
        return Confidence.POSSIBLE
    return Confidence.CERTAIN if has_witness else Confidence.LIKELY


def _early_death(history: History) -> list[Evidence]:
    """On 13.3 and later the access token dies with its refresh row: a second witness of the same eviction."""
    dead_at = history.early_death()
    if history.facts.generation != Generation.ALWAYS or dead_at is None or history.live is None:
        return []
    return [died_early(history.live, dead_at, history.facts)]


def is_fight(latest: datetime, earlier: list[datetime]) -> bool:
    return bool(earlier) and latest - earlier[0] < FIGHT_WINDOW


def _earlier_told(at: datetime, facts: Facts) -> Evidence:
    return superseded_told(_("Our refresh token had already been replaced by somebody else at %(at)s."), at, facts)


def built_in_told(facts: Facts) -> tuple[Evidence, ...]:
    if facts.platform.lower() not in BUILT_IN_PLATFORMS:
        return ()
    text = _("Platform “%(platform)s” is built in: Sugar's own sign-ins, such as the browser's, use it too.")
    return (Evidence(text=text % {"platform": facts.platform}),)


def _issued(history: History, refused: AttemptFact) -> tuple[Evidence, ...]:
    version = history.version(refused.base_version)
    return (version_issued(version, history.facts),) if version else ()


def _cap_or(other: DiagnosisCode, facts: Facts, at: datetime) -> DiagnosisCode:
    is_capped = facts.chain_ends_at is not None and facts.chain_ends_at <= at
    return DiagnosisCode.SESSION_CAP_REACHED if is_capped else other


def _cap_evidence(code: DiagnosisCode, facts: Facts) -> tuple[Evidence, ...]:
    if code != DiagnosisCode.SESSION_CAP_REACHED or facts.chain_ends_at is None:
        return ()
    return (moment_told(_("The instance ended this chain at %(at)s."), facts.chain_ends_at, facts),)
