"""What a customer's admin is told: short, honest, and something that they can do.

The catalogue has words for a mail to the customer; where they fit somebody who sits before the page they are used,
else there are others here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.choices import AttemptState, DiagnosisCode, Fault
from connections.diagnosis import CATALOGUE, code_of, fill
from connections.models import Attempt, Connection

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why it did not work. `is_sent`: the password reached Sugar. `until`: when a lock-out ends, where Sugar says."""

    code: str
    title: str
    text: str
    is_sent: bool = False
    until: datetime | None = None


OURS = gettext_lazy(
    "This is a fault on our side, and your password was not sent anywhere. We have a note of it. Please try again "
    "later, or ask the person who sent you this link."
)
NOT_REACHED = gettext_lazy(
    "We could not reach {host}, so your password was not sent. Can you open it in your browser? If so, a firewall may "
    "keep us out. Otherwise try again when it is back."
)
# Said to somebody who has just pressed the button; every other code has good words in the catalogue.
OWN: dict[str, tuple[StrPromise, StrPromise]] = {
    DiagnosisCode.BAD_CREDENTIALS: (
        gettext_lazy("Sugar did not accept this password"),
        gettext_lazy(
            "Check it for typing errors; upper and lower case matter. If it is right: in Sugar, open Admin > User "
            "Management > {username}. The Status must be Active, and the user must not be restricted to external "
            "authentication. Sugar gives the same answer for all of these."
        ),
    ),
    DiagnosisCode.CREDENTIALS_MISSING: (
        gettext_lazy("The password is needed"),
        gettext_lazy("Type the password that {username} has in Sugar on {host}."),
    ),
    DiagnosisCode.LOCKED_OUT: (
        gettext_lazy("Sugar has locked this user for now"),
        gettext_lazy(
            "After several wrong passwords Sugar locks a user, perhaps because another program still uses an old one. "
            "Unlock {username} in Admin > User Management, or wait until the lock ends. Then try again here."
        ),
    ),
    DiagnosisCode.SSO_REQUIRED: (
        gettext_lazy("Sugar did not accept this password"),
        gettext_lazy(
            "{host} signs people in through an external page (single sign-on). We need a user with a password of its "
            "own: on SugarCloud one in SugarIdentity, otherwise one that is not restricted to external "
            "authentication. If {username} has such a password, it may simply be mistyped."
        ),
    ),
    DiagnosisCode.USER_INACTIVE: (
        gettext_lazy("This user seems to be inactive"),
        gettext_lazy("In Sugar, open Admin > User Management > {username}, set Status to Active, save, and try again."),
    ),
    DiagnosisCode.USER_UNSUITABLE: (
        gettext_lazy("This kind of user cannot sign in here"),
        gettext_lazy(
            "{username} is a portal or group user. We need a regular user with Status Active. Tell the person who sent "
            "you this link its name: another user needs a new link."
        ),
    ),
    DiagnosisCode.PASSWORD_EXPIRED: (
        gettext_lazy("The password has expired in Sugar"),
        gettext_lazy("Set a new password for {username} in Admin > User Management, then enter the new one here."),
    ),
    DiagnosisCode.CLIENT_INVALID: (
        gettext_lazy("Sugar does not accept our OAuth key"),
        gettext_lazy(
            "Your password was not looked at. In Sugar, open Admin > OAuth Keys: there must be a key “{client_id}” "
            "with OAuth version 2.0 and client type “Sugar User”. If you changed it, tell the person who sent you this "
            "link."
        ),
    ),
    DiagnosisCode.PLATFORM_NOT_REGISTERED: (
        gettext_lazy("The platform is not registered yet"),
        gettext_lazy(
            "Your password was not used. In Sugar, open Admin > Configure API Platforms, type {platform} exactly like "
            "this (upper and lower case matter), press Add, then Save. Then try again here."
        ),
    ),
    DiagnosisCode.MAINTENANCE: (
        gettext_lazy("Your Sugar is in maintenance mode"),
        gettext_lazy("It takes no sign-in until that is over. Your password was not used: try again afterwards."),
    ),
    DiagnosisCode.OUTCOME_UNKNOWN: (
        gettext_lazy("Sugar's answer did not arrive"),
        gettext_lazy(
            "We sent the password, and the connection broke before Sugar answered: we cannot tell whether it worked. "
            "We are finding out. Look again in a minute, and only then try once more."
        ),
    ),
    DiagnosisCode.DNS_FAILURE: (gettext_lazy("We cannot find your Sugar"), NOT_REACHED),
    DiagnosisCode.CONNECTION_REFUSED: (gettext_lazy("We cannot reach your Sugar"), NOT_REACHED),
    DiagnosisCode.CONNECTION_LOST: (gettext_lazy("We cannot reach your Sugar"), NOT_REACHED),
    DiagnosisCode.TIMEOUT: (gettext_lazy("Your Sugar does not answer"), NOT_REACHED),
    DiagnosisCode.SERVER_ERROR: (
        gettext_lazy("Your Sugar has a fault"),
        gettext_lazy(
            "{host} answered with a server error. Try again in a few minutes; if it stays, its error log says more."
        ),
    ),
    DiagnosisCode.ADDRESS_BLOCKED: (gettext_lazy("We may not call this address"), OURS),
    DiagnosisCode.ENCRYPTION_KEY_MISSING: (gettext_lazy("We cannot sign in right now"), OURS),
    DiagnosisCode.DATABASE_RESTORED: (gettext_lazy("We cannot sign in right now"), OURS),
    "read_only": (gettext_lazy("We cannot sign in right now"), OURS),
    "paused": (
        gettext_lazy("This connection is paused"),
        gettext_lazy("Our staff have paused it. Your password was not sent: ask the person who sent you this link."),
    ),
    "held": (
        gettext_lazy("This connection is stopped"),
        gettext_lazy("Our staff have stopped it. Your password was not sent: ask the person who sent you this link."),
    ),
    "too_many_requests": (
        gettext_lazy("Too many tries within an hour"),
        gettext_lazy("More could lock {username} in Sugar, so this password was not sent."),
    ),
    "busy": (
        gettext_lazy("Something else is under way"),
        gettext_lazy("We are just talking to {host} for this user. Your password was not sent: try again in a minute."),
    ),
}
OWN[DiagnosisCode.PASSWORD_STALE] = OWN[DiagnosisCode.BAD_CREDENTIALS]
DECLINED = frozenset({"read_only", "paused", "held", "too_many_requests", "busy"})


def problem_of(attempt: Attempt | None, row: Connection) -> Problem | None:
    """What the last try through a link came to; None where there was none, or it is not over."""
    if attempt is None or attempt.closed_at is None or attempt.state == AttemptState.SETTLED:
        return None
    if attempt.state in (AttemptState.IN_DOUBT, AttemptState.ANSWERED):
        return problem(DiagnosisCode.OUTCOME_UNKNOWN, row, is_sent=True)
    fault = attempt.fault or attempt.preflight_fault
    code = code_of(Fault(fault)) if fault else "busy"
    found = problem(code, row, is_sent=attempt.state == AttemptState.REFUSED)
    return replace(found, until=attempt.lockout_until)


def declined(code: str, row: Connection) -> Problem:
    """Custody made no attempt at all."""
    return problem(code if code in DECLINED else "busy", row)


def problem(code: str, row: Connection, *, is_sent: bool = False) -> Problem:
    blanks: Mapping[str, str] = {
        "host": row.host.removesuffix(":443"),
        "platform": row.platform,
        "username": row.username,
        "client_id": row.client_id,
    }
    own = OWN.get(code)
    if own is None:
        entry = CATALOGUE[DiagnosisCode(code)]
        own = (entry.title, entry.tell_the_customer)
    return Problem(code=code, title=fill(own[0], blanks), text=fill(own[1], blanks), is_sent=is_sent)


def guide_steps(row: Connection) -> list[str]:
    """Where to click in Sugar so that it knows our platform."""
    return [
        _("Open %(url)s in your browser and sign in as an administrator.") % {"url": row.instance_url},
        _("Click your profile picture at the top right and choose “Admin” (“Administration”)."),
        _("In the section “System”, click “Configure API Platforms”."),
        _("Type this name into the empty field, letter for letter (upper and lower case matter): %(platform)s")
        % {"platform": row.platform},
        _("Press “Add”. The name appears in the list."),
        _("Press “Save”."),
    ]


def guide_text(row: Connection) -> str:
    """The guide as plain text, for a mail or a ticket."""
    steps = [f"{number}. {step}" for number, step in enumerate(guide_steps(row), start=1)]
    head = _("Register the API platform %(platform)s in Sugar (%(url)s)") % {
        "platform": row.platform,
        "url": row.instance_url,
    }
    return "\n".join([head, "", *steps])
