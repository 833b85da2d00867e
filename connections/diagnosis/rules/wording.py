"""Evidence as sentences: when, what we sent, what Sugar said; each points at its row of the journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from connections.choices import GRANT_KINDS, AttemptKind, AttemptState, Fault, Rung
from connections.diagnosis.facts import AttemptFact, Evidence, Facts, ReportFact, VersionFact
from connections.diagnosis.rules.history import happened_at, was_sent

QUOTE_LENGTH = 200
# Nothing leaves before these; a look that ran into them was not sent.
NEVER_LEFT = frozenset(
    {
        Fault.DNS_FAILURE,
        Fault.CONNECTION_REFUSED,
        Fault.TLS_INVALID,
        Fault.ADDRESS_BLOCKED,
        Fault.ENCRYPTION_KEY_MISSING,
    }
)
UNHEARD = frozenset({Fault.TIMEOUT, Fault.CONNECTION_LOST, Fault.UNKNOWN})
# A status alone would pass for an answer of Sugar's.
WHAT_CAME = {
    Fault.TIMEOUT: gettext_lazy("cut off"),
    Fault.CONNECTION_LOST: gettext_lazy("cut off"),
    Fault.NOT_SUGAR: gettext_lazy("a page that is not Sugar's"),
    Fault.BAD_RESPONSE: gettext_lazy("not readable as an answer of Sugar's"),
    Fault.MOVED: gettext_lazy("a redirect"),
}


def clock(moment: datetime, now: datetime) -> str:
    """`13:16:04 UTC`, with the date where it is not today's."""
    moment = moment.astimezone(UTC)
    pattern = "%H:%M:%S UTC" if moment.date() == now.astimezone(UTC).date() else "%Y-%m-%d %H:%M:%S UTC"
    return moment.strftime(pattern)


def attempt_told(attempt: AttemptFact, facts: Facts) -> Evidence:
    """One attempt and what came of it."""
    told = {"at": clock(happened_at(attempt), facts.now), "what": _subject(attempt), "answer": _answer(attempt)}
    if attempt.fault is None and attempt.preflight_fault is not None:
        told["answer"] = _preflight_answer(attempt)
        text = _("%(at)s: the look before the %(what)s got %(answer)s; nothing was sent.") % told
    elif attempt.state == AttemptState.ANSWERED:
        text = _("%(at)s: the %(what)s was sent; its answer came late or cut off, and was kept aside.") % told
    elif attempt.is_unresolved_send and attempt.http_status is None:
        text = _("%(at)s: the %(what)s was sent, and no usable answer came (%(answer)s).") % told
    elif attempt.is_unresolved_send and not _is_sugars_word(attempt):
        text = _("%(at)s: the %(what)s was sent, and the answer that came was of no use (%(answer)s).") % told
    elif _was_held_back(attempt):
        text = _("%(at)s: the %(what)s could not be sent (%(answer)s).") % told
    elif attempt.http_status is None and attempt.fault in UNHEARD:
        text = _("%(at)s: no answer to the %(what)s came (%(answer)s).") % told
    else:
        text = _("%(at)s: the %(what)s was answered with %(answer)s.") % told
    return Evidence(text=text, attempt=attempt.number, version=attempt.base_version)


def verify_told(attempt: AttemptFact, facts: Facts) -> Evidence:
    """The ping after a grant that found the new token dead."""
    told = {"at": clock(happened_at(attempt), facts.now), "version": attempt.version, "answer": attempt.verify_fault}
    if attempt.verify_status is not None:
        told["answer"] = f"{attempt.verify_status} {attempt.verify_fault}"
    text = _("%(at)s: version %(version)s was issued, but the ping that checks it got %(answer)s.") % told
    return Evidence(text=text, attempt=attempt.number, version=attempt.version)


def report_told(report: ReportFact, facts: Facts) -> Evidence:
    told = {
        "at": clock(report.at, facts.now),
        "version": report.version,
        "answer": _quoted(report.status, report.error, report.error_message) or _("an error"),
    }
    text = _("%(at)s: a worker reported %(answer)s for version %(version)s.") % told
    return Evidence(text=text, version=report.version)


def version_issued(version: VersionFact, facts: Facts) -> Evidence:
    told = {"number": version.number, "at": clock(version.issued_at, facts.now)}
    text = _("Version %(number)s was issued at %(at)s; our journal shows no other use of its refresh token.") % told
    return Evidence(text=text, version=version.number)


def died_early(version: VersionFact, dead_at: datetime, facts: Facts) -> Evidence:
    told = {
        "number": version.number,
        "at": clock(dead_at, facts.now),
        "end": clock(version.access_expires_at, facts.now),
    }
    text = _("The access token of version %(number)s was found dead at %(at)s, before its end at %(end)s.") % told
    return Evidence(text=text, version=version.number)


def moment_told(text: str, moment: datetime, facts: Facts) -> Evidence:
    """A sentence about a moment that is in no attempt; `text` holds `%(at)s`."""
    return Evidence(text=text % {"at": clock(moment, facts.now)})


def superseded_told(text: str, at: datetime, facts: Facts) -> Evidence:
    """A sentence about a supersession; points at the attempt that told us, while the journal holds that."""
    told_by = next((one.number for one in facts.attempts if one.closed_at == at), None)
    return replace(moment_told(text, at, facts), attempt=told_by)


def tries_told(count: int, facts: Facts) -> Evidence:
    if facts.has_password:
        text = ngettext(
            "The password was refused %(count)s time since it was last accepted or saved.",
            "The password was refused %(count)s times since it was last accepted or saved.",
            count,
        )
    else:
        text = ngettext("The password was refused %(count)s time.", "The password was refused %(count)s times.", count)
    return Evidence(text=text % {"count": count})


def _subject(attempt: AttemptFact) -> str:
    if attempt.kind == AttemptKind.PASSWORD:
        return _("sign-in with the stored password") if attempt.rung == Rung.STORED_PASSWORD else _("sign-in")
    if attempt.kind == AttemptKind.TEST:
        return _("test")
    if attempt.kind == AttemptKind.PROBE:
        return _("ping")
    if attempt.rung == Rung.CANDIDATE:
        return _("refresh with the kept late answer")
    if attempt.base_version is None:
        return _("refresh")
    return _("refresh with the token of version %(number)s") % {"number": attempt.base_version}


def _was_held_back(attempt: AttemptFact) -> bool:
    if attempt.fault is None or attempt.http_status is not None:
        return False
    return not was_sent(attempt) if attempt.kind in GRANT_KINDS else attempt.fault in NEVER_LEFT


def _is_sugars_word(attempt: AttemptFact) -> bool:
    """An error of Sugar's own, from which one may know what became of the grant; a server error tells nothing."""
    return bool(attempt.error) and attempt.http_status is not None and attempt.http_status < 429


def _answer(attempt: AttemptFact) -> str:
    quoted = _quoted(attempt.http_status, attempt.error, attempt.error_message)
    if attempt.fault in WHAT_CAME and attempt.http_status is not None and not attempt.error:
        return f"{quoted}, {WHAT_CAME[attempt.fault]}"
    fault = Fault(attempt.fault).value.replace("_", " ") if attempt.fault else ""
    return quoted or fault or _("nothing on record")


def _preflight_answer(attempt: AttemptFact) -> str:
    status = attempt.preflight_status or attempt.http_status
    fault = str(attempt.preflight_fault).replace("_", " ")
    return _quoted(status, attempt.error or fault, attempt.error_message)


def _quoted(status: int | None, error: str, message: str) -> str:
    """`400 invalid_grant “Invalid refresh token”`: the server's own words, shortened."""
    words = [str(status) if status is not None else "", error[:QUOTE_LENGTH]]
    if message:
        words.append(f"“{message[:QUOTE_LENGTH]}”")
    return " ".join(word for word in words if word)
