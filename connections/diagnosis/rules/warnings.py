"""Standing warnings: the connection works, but something will break it."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.choices import BUILT_IN_PLATFORMS, Confidence, DiagnosisCode, Trouble
from connections.diagnosis.facts import Evidence
from connections.diagnosis.rules.death import FIGHT_WINDOW, built_in_told, is_fight
from connections.diagnosis.rules.finding import Finding
from connections.diagnosis.rules.history import History
from connections.diagnosis.rules.sign_in import stale_password
from connections.diagnosis.rules.wording import moment_told, superseded_told

FORECAST = timedelta(hours=48)
ENDS_SOON = gettext_lazy("{host} will end this session soon, and there is no password here that could start a new one.")


def standing_warning(history: History) -> Finding | None:
    """Return the most urgent warning: what has a deadline, what recurs, what waits for the next fault."""
    return _cap_ahead(history) or _shared(history) or stale_password(history) or _expired_password(history)


def _cap_ahead(history: History) -> Finding | None:
    facts = history.facts
    if facts.chain_ends_at is None or facts.chain_ends_at - facts.now >= FORECAST:
        return None
    if facts.has_password and not facts.is_password_refused:
        return None
    return Finding(
        code=DiagnosisCode.SESSION_CAP_REACHED,
        confidence=Confidence.CERTAIN,
        evidence=(moment_told(_("The instance ends this chain at %(at)s."), facts.chain_ends_at, facts),),
        trouble=Trouble.NONE,
        cause=ENDS_SOON,
    )


def _shared(history: History) -> Finding | None:
    """Stands until 24 hours have passed without a supersession."""
    facts = history.facts
    if not facts.supersessions or facts.now - facts.supersessions[0] >= FIGHT_WINDOW:
        return None
    latest, *earlier = facts.supersessions
    is_built_in = facts.platform.lower() in BUILT_IN_PLATFORMS
    if not (is_fight(latest, earlier) or is_built_in):
        return None
    text = _("Our refresh token was replaced by somebody else at %(at)s.")
    return Finding(
        code=DiagnosisCode.PLATFORM_SHARED,
        confidence=Confidence.CERTAIN if earlier else Confidence.LIKELY,
        evidence=(*(superseded_told(text, at, facts) for at in facts.supersessions), *built_in_told(facts)),
        trouble=Trouble.NONE,
    )


def _expired_password(history: History) -> Finding | None:
    if not history.facts.is_password_expired:
        return None
    told = Evidence(text=_("Sugar says is_password_expired about this user in its answer to GET me."))
    return Finding(code=DiagnosisCode.PASSWORD_EXPIRED, confidence=Confidence.CERTAIN, evidence=(told,))
