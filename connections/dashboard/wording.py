"""What the pages say of a connection, in sentences: its status, who must act, which button helps."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from connections.choices import DiagnosisCode, FixBy, Generation, LinkKind, Status, Trouble
from connections.diagnosis import CATALOGUE, fill
from connections.models import Connection

MINUTE, HOUR, DAY = 60, 3600, 86_400

# The buttons that a diagnosis leads to, as its steps name them; what is not named here is tried again by “Repair”.
REMEDIES: dict[str, tuple[str, ...]] = {
    DiagnosisCode.REFRESH_TOKEN_SUPERSEDED: ("sign-in",),
    DiagnosisCode.REFRESH_TOKEN_LOST: ("sign-in",),
    DiagnosisCode.REFRESH_TOKEN_EXPIRED: ("sign-in",),
    DiagnosisCode.SESSION_CAP_REACHED: ("sign-in",),
    DiagnosisCode.SESSION_REJECTED: ("sign-in",),
    DiagnosisCode.CLIENT_MISMATCH: ("sign-in",),
    DiagnosisCode.CREDENTIALS_MISSING: ("sign-in",),
    DiagnosisCode.LOCKED_OUT: ("sign-in",),
    DiagnosisCode.IDENTITY_REJECTED: ("sign-in",),
    DiagnosisCode.BAD_CREDENTIALS: ("sign-in", "settings"),
    DiagnosisCode.SSO_REQUIRED: ("settings",),
    DiagnosisCode.PASSWORD_STALE: ("settings",),
    DiagnosisCode.PASSWORD_EXPIRED: ("settings",),
    DiagnosisCode.USER_UNSUITABLE: ("settings",),
    DiagnosisCode.CLIENT_INVALID: ("settings", "rotate"),
    DiagnosisCode.PLATFORM_SHARED: ("settings",),
    DiagnosisCode.VERSION_UNSUPPORTED: ("settings",),
    DiagnosisCode.NOT_SUGAR: ("settings",),
    DiagnosisCode.MOVED: ("settings",),
    DiagnosisCode.TLS_INVALID: ("settings",),
    DiagnosisCode.ADDRESS_BLOCKED: ("settings",),
    DiagnosisCode.HEADER_STRIPPED: ("test",),
    DiagnosisCode.UNKNOWN: ("test", "repair"),
    DiagnosisCode.ENCRYPTION_KEY_MISSING: ("system",),
    DiagnosisCode.DATABASE_RESTORED: ("system",),
}
# The same while it may heal by itself; what is not named here gets a look, which changes nothing.
WHILE_WAITING: dict[str, tuple[str, ...]] = {
    DiagnosisCode.MAINTENANCE: ("test", "repair"),
    DiagnosisCode.OUTCOME_UNKNOWN: ("test", "repair"),
}
ELSEWHERE = ("settings", "system")  # pages, where the others are actions

# Where the customer can type the password themselves, and where they need our words for their admin.
CALLS_FOR_A_LINK = frozenset(
    {
        DiagnosisCode.REFRESH_TOKEN_SUPERSEDED, DiagnosisCode.REFRESH_TOKEN_LOST, DiagnosisCode.REFRESH_TOKEN_EXPIRED,
        DiagnosisCode.SESSION_CAP_REACHED, DiagnosisCode.CLIENT_MISMATCH, DiagnosisCode.CREDENTIALS_MISSING,
        DiagnosisCode.BAD_CREDENTIALS, DiagnosisCode.PASSWORD_STALE, DiagnosisCode.PASSWORD_EXPIRED,
        DiagnosisCode.SSO_REQUIRED, DiagnosisCode.LOCKED_OUT, DiagnosisCode.USER_INACTIVE,
    }
)  # fmt: skip
CALLS_FOR_THE_GUIDE = frozenset({DiagnosisCode.PLATFORM_NOT_REGISTERED, DiagnosisCode.PLATFORM_SHARED})


def duration(span: timedelta) -> str:
    """`12 min`, `3 h 20 min`, `2 days`: as exact as a person needs it."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < MINUTE:
        return _("%(count)d s") % {"count": seconds}
    if seconds < HOUR:
        return _("%(count)d min") % {"count": seconds // MINUTE}
    if seconds < DAY:
        hours, minutes = seconds // HOUR, seconds % HOUR // MINUTE
        if minutes and hours < 10:
            return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
        return _("%(count)d h") % {"count": hours}
    return ngettext("%(count)d day", "%(count)d days", seconds // DAY) % {"count": seconds // DAY}


def relative(moment: datetime, now: datetime) -> str:
    if abs(moment - now) < timedelta(seconds=1):
        return _("now")
    if moment > now:
        return _("in %(span)s") % {"span": duration(moment - now)}
    return _("%(span)s ago") % {"span": duration(now - moment)}


def at_clock(at: datetime, *, is_dated: bool = False) -> str:
    """`13:16`, or `23 Nov 13:16`, by the clock of the person who looks."""
    here = timezone.localtime(at)
    return f"{here:%d %b %H:%M}" if is_dated else f"{here:%H:%M}"


def exactly(at: datetime) -> str:
    """`13:16:04 CET`: to the second, with the name of the zone."""
    return f"{timezone.localtime(at):%H:%M:%S %Z}"


def dated(at: datetime) -> str:
    """`23 Nov 2026 13:16 CET`: where it may be months away."""
    return f"{timezone.localtime(at):%d %b %Y %H:%M %Z}"


def title_of(code: str) -> str:
    return fill(CATALOGUE[DiagnosisCode(code)].title) if code in CATALOGUE else code


def status_sentence(row: Any) -> str:
    """What the status means for this customer's integration right now."""
    now: datetime = row.now
    match row.status:
        case Status.HEALTHY:
            return _healthy(row, now)
        case Status.DYING:
            return _(
                "It cannot be refreshed any more. Workers keep working until the access token ends, then all stop."
            )
        case Status.DOWN:
            return _("Workers have no usable token, and a person must act. ") + _since(row, now)
        case Status.IN_DOUBT:
            return _("A grant was sent and its outcome is unknown. Sugaradmin is finding out by itself. ") + _alive(
                row, now
            )
        case Status.UNREACHABLE:
            return _("The instance, or the way to it, does not answer as it should. It is waited for. ") + _alive(
                row, now
            )
        case Status.RETRYING:
            return _("A refresh or repair failed for now; the next try is scheduled. ") + _alive(row, now)
        case Status.DRAFT:
            return _("It has never signed in: there is no token to hand out yet.")
    return _paused(row, now)


def _healthy(row: Connection, now: datetime) -> str:
    if row.next_refresh_at and row.next_refresh_at > now:
        return _("Workers get a living token. The next refresh is due %(when)s.") % {
            "when": relative(row.next_refresh_at, now)
        }
    return _("Workers get a living token. A refresh is due now.")


def _since(row: Connection, now: datetime) -> str:
    if row.trouble_since is None:
        return ""
    return _("This began %(when)s.") % {"when": relative(row.trouble_since, now)}


def _alive(row: Connection, now: datetime) -> str:
    if is_access_alive(row, now) and row.access_expires_at:
        return _("The access token still works for %(span)s.") % {"span": duration(row.access_expires_at - now)}
    return _("Workers have no token meanwhile.")


def _paused(row: Connection, now: datetime) -> str:
    if row.held_at is None:
        return _("Paused by staff: workers get no refresh, a living token is still served, the chain is kept alive.")
    if row.refresh_expires_at is None:
        return _("Held by staff: nothing leaves and nothing is handed out.")
    return _(
        "Held by staff: nothing leaves and nothing is handed out. "
        "The chain lives until its refresh token ends, %(when)s."
    ) % {"when": relative(row.refresh_expires_at, now)}


def is_access_alive(row: Connection, now: datetime) -> bool:
    return row.access_dead_at is None and row.access_expires_at is not None and row.access_expires_at > now


def is_snoozed(row: Any) -> bool:
    return row.snoozed_until is not None and row.snoozed_until > row.now


def meaning(row: Any) -> str:
    """“What it means”: until when workers work, and whether a person is needed."""
    now: datetime = row.now
    if row.status == Status.DYING and row.dies_at:
        return _("Workers keep working for %(span)s, until %(at)s. Then every call fails.") % {
            "span": duration(row.dies_at - now), "at": exactly(row.dies_at),
        }  # fmt: skip
    if row.status == Status.DOWN:
        return _("Every call of the workers fails until this is fixed.")
    if row.trouble == Trouble.NONE:
        return _("Nothing is broken now: this is a warning of what may come.")
    return _alive(row, now) + " " + _next_try(row, now)


def _next_try(row: Connection, now: datetime) -> str:
    at = row.retry_at or row.due_at
    if at is None:
        return ""
    if at <= now:
        return _("The next try is due now.")
    return _("The next try is due %(when)s.") % {"when": relative(at, now)}


def why_not_repaired(row: Connection) -> str:
    """Said where a person is asked for something that a stored password would have done."""
    if row.trouble != Trouble.PERSON or row.password is not None:
        return ""
    return _("We could not repair it ourselves: no password is stored.")


def remedies(row: Connection) -> tuple[str, ...]:
    """The buttons that help, the best of them first."""
    if (row.diagnosis or {}).get("fix_by") == FixBy.NOBODY:
        return WHILE_WAITING.get(row.diagnosis_code, ("test",))
    # What has never signed in has nothing that could be repaired, and nobody signs it in but people.
    return REMEDIES.get(row.diagnosis_code, ("repair",) if row.version_count or row.adopted_token else ("sign-in",))


def link_offered(row: Connection) -> str:
    """Which link to send the customer helps here: `sign_in`, `guide`, or none."""
    if row.diagnosis_code in CALLS_FOR_THE_GUIDE:
        return LinkKind.GUIDE
    return LinkKind.SIGN_IN if row.diagnosis_code in CALLS_FOR_A_LINK else ""


def customer_words(row: Connection) -> str:
    """What to tell the customer, with the names of this connection in it."""
    if row.diagnosis_code not in DiagnosisCode.values:
        return ""
    words = {"host": row.host, "platform": row.platform, "username": row.username, "client_id": row.client_id}
    return fill(CATALOGUE[DiagnosisCode(row.diagnosis_code)].tell_the_customer, words)


# How soon an instance notices that a session has ended: what a token that is still in use is worth.
SESSION_CHECKS = {
    Generation.UNKNOWN: gettext_lazy("not known yet"),
    Generation.NEVER: gettext_lazy("not checked: a token works to its end"),
    Generation.CACHED: gettext_lazy("checked every 120 s"),
    Generation.ALWAYS: gettext_lazy("checked with every request"),
    Generation.IDM: gettext_lazy("kept by SugarIdentity"),
}


def session_check(row: Connection) -> str:
    return str(SESSION_CHECKS[Generation(row.session_generation)])


def who_acts(row: Connection) -> str:
    fix_by = (row.diagnosis or {}).get("fix_by", "")
    return str(FixBy(fix_by).label) if fix_by in FixBy.values else ""


# Each claims to be several: the first that fits is the one.
BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrom", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS X", "macOS"), ("Android", "Android"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser_of(user_agent: str) -> str:
    """`Firefox on Windows`; the beginning of what it says where nothing in it is known."""
    name = next((name for sign, name in BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in SYSTEMS if sign in user_agent), "")
    if not name or not system:
        return user_agent[:60] or "–"
    return _("%(browser)s on %(system)s") % {"browser": name, "system": system}
