"""Looks at an instance without signing in: is it Sugar, which one, who signs people in, does it know our platform.

Every look goes through the egress guard and carries nothing of the customer's; nothing is spent at the instance.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from connections.choices import BUILT_IN_PLATFORMS, DiagnosisCode, Fault
from connections.custody import wire
from connections.diagnosis import CATALOGUE, code_of, fill
from connections.onboarding import addresses
from connections.sugar import AddressError, Answer, Target, normalise

FIRST_LOOK_SECONDS = 5.0
TRIAL_LOOK_SECONDS = 3.0  # at https, where http was pasted
NEVER_REACHED = frozenset(
    {
        Fault.ADDRESS_BLOCKED,
        Fault.DNS_FAILURE,
        Fault.CONNECTION_REFUSED,
        Fault.CONNECTION_LOST,
        Fault.TIMEOUT,
        Fault.TLS_INVALID,
        Fault.RATE_LIMITED,
    }
)


class Sign(StrEnum):
    """What a finding means for going on."""

    GOOD = "good"
    NOTE = "note"  # the instance does not tell
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One question to the instance and its answer, in a sentence. `code`: the help page that says more."""

    name: str
    sign: Sign
    text: str
    ms: int | None = None
    code: str = ""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What the looks came to. `instance_url`: where they led; what was typed, where they led nowhere."""

    instance_url: str
    rest_path: str
    findings: tuple[Finding, ...]

    @property
    def is_sugar(self) -> bool:
        return all(finding.sign != Sign.BAD for finding in self.findings)


def discover(instance_url: str, ca_pem: str = "") -> Discovery:
    """Up to five GETs and one POST without a session. `instance_url` is normalised and was let pass by the guard."""
    wire.release_database()
    url, answer, findings = _find_root(instance_url, ca_pem)
    findings.append(_transport(url, answer))
    if findings[-1].sign == Sign.BAD:
        return Discovery(instance_url=instance_url, rest_path="", findings=tuple(findings))
    findings.append(_root(url, answer))
    if not answer.is_good:
        return Discovery(instance_url=instance_url, rest_path="", findings=tuple(findings))
    findings += _more(url, ca_pem, answer)
    return Discovery(instance_url=url, rest_path=answer.rest_path, findings=tuple(findings))


def _find_root(url: str, ca_pem: str) -> tuple[str, Answer, list[Finding]]:
    """https is tried first where http on its own port was pasted; one redirect within the same site is followed."""
    findings: list[Finding] = []
    client = wire.client()
    if url.startswith("http://") and urlsplit(url).port is None:
        secure = f"https://{url.removeprefix('http://')}"
        answer = client.rest_version(secure, ca_pem, deadline=TRIAL_LOOK_SECONDS)
        if answer.is_good:
            return (
                secure,
                answer,
                [_finding("address", Sign.GOOD, _("It also answers by https: that is used."), answer)],
            )
    answer = client.rest_version(url, ca_pem, deadline=FIRST_LOOK_SECONDS)
    onward = _onward(url, answer)
    if onward:
        told = {"old": url, "new": onward}
        text = _("%(old)s sends on to %(new)s, which is the same site: followed once.") % told
        findings.append(_finding("redirect", Sign.WARNING, text, answer))
        url, answer = onward, client.rest_version(onward, ca_pem, deadline=FIRST_LOOK_SECONDS)
    return url, answer, findings


def _onward(url: str, answer: Answer) -> str:
    """Where a redirect leads, if that is the same site and an address that may be asked; empty otherwise."""
    if answer.fault != Fault.MOVED or not answer.moved_to:
        return ""
    try:
        onward = normalise(answer.moved_to + urlsplit(url).path, allow_http=settings.SUGARADMIN.allow_http)
    except AddressError:
        return ""
    is_downgrade = url.startswith("https://") and not onward.startswith("https://")
    if onward == url or is_downgrade or not _is_same_site(url, onward) or addresses.objection(onward):
        return ""
    return onward


def _is_same_site(one: str, other: str) -> bool:
    """The same host, or one lies below the other: acme.com and www.acme.com. Two customers of one cloud do not."""
    here, there = urlsplit(one).hostname or "", urlsplit(other).hostname or ""
    return here == there or here.endswith(f".{there}") or there.endswith(f".{here}")


def _transport(url: str, answer: Answer) -> Finding:
    if answer.fault in NEVER_REACHED and answer.status is None:
        return _trouble("connection", answer)
    if not url.startswith("https://"):
        text = _("%(url)s answers by plain http: passwords and tokens can be read on the way.")
        return _finding("connection", Sign.WARNING, text % {"url": url}, answer)
    told = {"url": url, "ends": _day(answer.certificate_ends)}
    text = _("%(url)s answers; its certificate is valid until %(ends)s.")
    return _finding("connection", Sign.GOOD, text % told, answer)


def _day(epoch: int | None) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d}" if epoch is not None else _("an unknown day")


def _root(url: str, answer: Answer) -> Finding:
    if not answer.is_good:
        return _trouble("rest", answer)
    root = answer.rest_path.removesuffix("v10")
    newest = answer.rest_max.replace(".", "_") or "10"
    told = {"root": f"{url}/{root}v{newest}/", "newest": answer.rest_max or "10"}
    text = _("REST root found: %(root)s. The newest version it speaks is %(newest)s.")
    return _finding("rest", Sign.GOOD, text % told, answer)


def _more(url: str, ca_pem: str, root: Answer) -> Iterator[Finding]:
    """What is good to know and never in the way."""
    client = wire.client()
    legacy = client.legacy_server_info(url, ca_pem)
    if legacy.is_good:
        told = {"version": legacy.server_version, "flavor": legacy.server_flavor or "–"}
        yield _finding("version", Sign.GOOD, _("Sugar %(version)s, edition %(flavor)s.") % told, legacy)
    else:
        text = _("The exact version is only told after the sign-in: the old API that would say it is closed here.")
        yield _finding("version", Sign.NOTE, text, legacy)
    yield _who_signs_in(client.public_metadata(url, ca_pem, rest_path=root.rest_path))


def _who_signs_in(answer: Answer) -> Finding:
    if not answer.is_good:
        text = _("Whether people sign in through a single sign-on is only seen by signing in.")
        return _finding("sign_in", Sign.NOTE, text, answer)
    if answer.is_idm:
        text = _(
            "Sign-in is handled by SugarIdentity: the integration needs a user with a password there; one who comes "
            "by single sign-on alone cannot be used."
        )
        return _finding("sign_in", Sign.WARNING, text, answer, code=DiagnosisCode.SSO_REQUIRED)
    if answer.is_external_login:
        text = _(
            "People sign in through a single sign-on (SAML): the integration needs a user with a Sugar password that "
            "is not limited to it."
        )
        return _finding("sign_in", Sign.WARNING, text, answer, code=DiagnosisCode.SSO_REQUIRED)
    return _finding("sign_in", Sign.GOOD, _("Sugar itself checks user and password."), answer)


# -- the platform --------------------------------------------------------------------------------------------


def check_platform(target: Target) -> tuple[Finding, ...]:
    """One or two GETs without a session: does the instance know this platform, and would it tell if it did not?"""
    wire.release_database()
    client = wire.client()
    answer = client.platform_probe(target)
    if answer.fault == Fault.PLATFORM_NOT_REGISTERED:
        text = _("The instance does not know “%(platform)s” yet: its admin must register it, in exactly this spelling.")
        return (_platform(Sign.BAD, text, target, answer, code=DiagnosisCode.PLATFORM_NOT_REGISTERED),)
    if not answer.is_good:
        return (_trouble("platform", answer),)
    if target.platform.lower() in BUILT_IN_PLATFORMS:
        text = _("“%(platform)s” is built into Sugar, so it is known everywhere.")
        return (_platform(Sign.WARNING, text, target, answer, code=DiagnosisCode.PLATFORM_SHARED),)
    return (_against_nonsense(target, answer),)


def _against_nonsense(target: Target, answer: Answer) -> Finding:
    """Before 7.9, and where the check is switched off, every name is let pass: a name that nobody has tells."""
    nonsense = Target(
        instance_url=target.instance_url,
        platform=f"sugaradmin_none_{secrets.token_hex(4)}",
        ca_pem=target.ca_pem,
        rest_path=target.rest_path,
    )
    second = wire.client().platform_probe(nonsense)
    if second.fault == Fault.PLATFORM_NOT_REGISTERED:
        return _platform(Sign.GOOD, _("The instance knows “%(platform)s”."), target, answer)
    if second.is_good:
        text = _(
            "The instance cannot tell: it lets any platform name pass, also one we made up. Nothing needs to be "
            "registered while that is so; registering “%(platform)s” keeps it working if the check is switched on."
        )
        return _platform(Sign.NOTE, text, target, answer)
    text = _("The instance let “%(platform)s” pass; whether it would refuse an unknown name could not be found out.")
    return _platform(Sign.NOTE, text, target, second)


def _platform(sign: Sign, text: str, target: Target, answer: Answer, code: str = "") -> Finding:
    return _finding("platform", sign, text % {"platform": target.platform}, answer, code=code)


# -- words ---------------------------------------------------------------------------------------------------


def _trouble(name: str, answer: Answer) -> Finding:
    """What the catalogue calls it, and what was seen."""
    code = code_of(answer.fault or Fault.UNKNOWN)
    seen = answer.detail or " ".join(word for word in (answer.error, answer.error_message) if word)
    if answer.fault == Fault.MOVED and answer.moved_to:
        told = {"host": answer.moved_to}
        seen = _("It sends on to %(host)s: if that is the customer's Sugar, enter that address.") % told
    text = " ".join(part for part in (f"{fill(CATALOGUE[code].title)}.", seen) if part)
    return _finding(name, Sign.BAD, text, answer, code=code)


def _finding(name: str, sign: Sign, text: str, answer: Answer, *, code: str = "") -> Finding:
    return Finding(name=name, sign=sign, text=text, ms=answer.timings.total_ms, code=str(code))
