"""What the pages say of an attempt: its fault, what came of it, and where its time went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.choices import GRANT_KINDS, AttemptState, Fault
from connections.custody.values import Result
from connections.models import Attempt

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

FAULTS: dict[str, StrPromise] = {
    Fault.ACCESS_TOKEN_EXPIRED: gettext_lazy("Access token expired"),
    Fault.ACCESS_TOKEN_INVALID: gettext_lazy("Access token not known"),
    Fault.SESSION_REJECTED: gettext_lazy("Session rejected"),
    Fault.REFRESH_TOKEN_INVALID: gettext_lazy("Refresh token not known"),
    Fault.REFRESH_TOKEN_EXPIRED: gettext_lazy("Refresh token expired"),
    Fault.CREDENTIALS_REFUSED: gettext_lazy("User name or password refused"),
    Fault.LOCKED_OUT: gettext_lazy("User locked out"),
    Fault.SSO_REQUIRED: gettext_lazy("Single sign-on required"),
    Fault.USER_UNSUITABLE: gettext_lazy("User of a kind that cannot sign in"),
    Fault.PASSWORD_EXPIRED: gettext_lazy("Password expired"),
    Fault.CLIENT_INVALID: gettext_lazy("OAuth client refused"),
    Fault.PLATFORM_NOT_REGISTERED: gettext_lazy("Platform not registered"),
    Fault.USER_AGENT_BLOCKED: gettext_lazy("Our program is not on its list"),
    Fault.VERSION_UNSUPPORTED: gettext_lazy("REST version not offered"),
    Fault.NOT_SUGAR: gettext_lazy("Not a Sugar"),
    Fault.MOVED: gettext_lazy("Redirected elsewhere"),
    Fault.HEADER_STRIPPED: gettext_lazy("Token header lost on the way"),
    Fault.FIREWALL_BLOCKED: gettext_lazy("Blocked by a firewall"),
    Fault.ACCESS_DENIED: gettext_lazy("Not allowed for this user"),
    Fault.MAINTENANCE: gettext_lazy("In maintenance"),
    Fault.LICENSE: gettext_lazy("Licence trouble"),
    Fault.IDENTITY_UNAVAILABLE: gettext_lazy("SugarIdentity does not answer"),
    Fault.IDENTITY_REJECTED: gettext_lazy("Refused by SugarIdentity"),
    Fault.SERVER_ERROR: gettext_lazy("Server error"),
    Fault.RATE_LIMITED: gettext_lazy("Asked to slow down"),
    Fault.BAD_RESPONSE: gettext_lazy("Answer cannot be read"),
    Fault.DNS_FAILURE: gettext_lazy("Host name not found"),
    Fault.CONNECTION_REFUSED: gettext_lazy("Connection refused"),
    Fault.CONNECTION_LOST: gettext_lazy("Connection lost"),
    Fault.TIMEOUT: gettext_lazy("No answer in time"),
    Fault.TLS_INVALID: gettext_lazy("Certificate not valid"),
    Fault.ADDRESS_BLOCKED: gettext_lazy("Address not allowed here"),
    Fault.ENCRYPTION_KEY_MISSING: gettext_lazy("Encryption key missing"),
    Fault.UNKNOWN: gettext_lazy("Answer of no known kind"),
}
# What the report of an action calls each rung of the ladder, and what came of it.
RUNGS: dict[str, StrPromise] = {
    "ping": gettext_lazy("Ask whether the token lives"),
    "candidate": gettext_lazy("The kept answer"),
    "old_refresh": gettext_lazy("The old refresh token, once"),
    "refresh": gettext_lazy("Refresh"),
    "stored_password": gettext_lazy("Sign in with the stored password"),
    "sign_in": gettext_lazy("Sign in"),
}
RESULTS: dict[str, tuple[str, str, StrPromise]] = {
    Result.VERSION: ("ok", "healthy", gettext_lazy("Well: a new version")),
    Result.REFUSED: ("fail", "down", gettext_lazy("Refused")),
    Result.LOST: ("doubt", "in_doubt", gettext_lazy("Answer lost")),
    Result.NOT_SENT: ("warn", "warning", gettext_lazy("Not sent")),
    Result.KEPT: ("warn", "warning", gettext_lazy("Came late: kept")),
    Result.DISCARDED: ("warn", "warning", gettext_lazy("Came late: an edit won")),
    Result.SPOOLED: ("warn", "warning", gettext_lazy("Kept on disk: the database is away")),
}
STAGES: dict[str, StrPromise] = {
    "dns_ms": gettext_lazy("name"),
    "connect_ms": gettext_lazy("connect"),
    "tls_ms": gettext_lazy("TLS"),
    "first_byte_ms": gettext_lazy("first byte"),
}


def fault_words(fault: str) -> str:
    return str(FAULTS.get(fault, fault))


def check_words(detail: str) -> str:
    """What a check found begins with our code for it; the rest is Sugar's own."""
    fault, mark, said = detail.partition(": ")
    if fault not in FAULTS:
        return detail[:1].upper() + detail[1:]
    return f"{fault_words(fault)}{mark}{said}"


def rung_words(rung: str) -> str:
    return str(RUNGS.get(rung, rung))


def came_to(attempt: Attempt) -> tuple[str, str, str]:
    """Kind of verdict, shape, word: what came of it, told to who runs down a column."""
    match attempt.state:
        case AttemptState.SETTLED if attempt.fault and attempt.kind not in GRANT_KINDS:
            return "fail", "down", _("Found trouble")
        case AttemptState.SETTLED:
            return "ok", "healthy", _("Well")
        case AttemptState.REFUSED:
            return "fail", "down", str(attempt.get_state_display())
        case AttemptState.CLAIMED | AttemptState.SENT if attempt.lost_at is None:
            return "busy", "retrying", str(attempt.get_state_display())
        case AttemptState.IN_DOUBT | AttemptState.SENT:
            return "doubt", "in_doubt", _("Answer lost") if attempt.lost_at else str(attempt.get_state_display())
    return "warn", "warning", str(attempt.get_state_display())


def milliseconds(attempt: Attempt) -> int | None:
    """How long the grant took; of a test, all its checks together."""
    checks: list[dict[str, Any]] = attempt.report.get("checks", [])
    if checks:
        return sum(int(check.get("ms") or 0) for check in checks)
    took: int | None = attempt.timings.get("grant", {}).get("total_ms")
    return took


def stages(attempt: Attempt) -> Iterator[tuple[str, int]]:
    """Where the time of the grant went, without the stages that were not needed."""
    took = attempt.timings.get("grant", {})
    for name, word in STAGES.items():
        if took.get(name):
            yield str(word), took[name]
