"""What the pages of the wizard say: where one is, how the test goes, what to run when it is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.choices import DiagnosisCode, Status
from connections.models import Connection, Draft
from connections.onboarding import trial
from connections.onboarding.collisions import Collision, Kind
from connections.onboarding.discovery import Sign
from connections.onboarding.trial import Came, Step

TITLES: dict[str, Promise] = {
    "address": gettext_lazy("Address"),
    "platform": gettext_lazy("Platform"),
    "credentials": gettext_lazy("Credentials"),
    "review": gettext_lazy("Test"),
    "done": gettext_lazy("Done"),
}
STEPS: dict[str, Promise] = {
    Step.SIGN_IN: gettext_lazy("Sign in with the password"),
    Step.USER: gettext_lazy("Ask Sugar whose session it is"),
    Step.REFRESH: gettext_lazy("Refresh once, to prove the chain"),
    Step.USER_AGAIN: gettext_lazy("Ask again with the new token"),
}
# What is wrong with what was typed: said beside the password, not only in the card.
OF_THE_PASSWORD = frozenset(
    {
        DiagnosisCode.BAD_CREDENTIALS,
        DiagnosisCode.CREDENTIALS_MISSING,
        DiagnosisCode.LOCKED_OUT,
        DiagnosisCode.PASSWORD_EXPIRED,
        DiagnosisCode.SSO_REQUIRED,
        DiagnosisCode.USER_INACTIVE,
        DiagnosisCode.USER_UNSUITABLE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One of the five steps in the bar. `url` empty: not yet to be had."""

    name: str
    title: Promise
    url: str
    is_current: bool
    is_behind: bool


def stages(draft: Draft | None, current: str) -> list[Stage]:
    order = list(TITLES)
    return [
        Stage(
            name=name,
            title=title,
            url=_url(draft, name),
            is_current=name == current,
            is_behind=order.index(name) < order.index(current),
        )
        for name, title in TITLES.items()
    ]


def _url(draft: Draft | None, name: str) -> str:
    if draft is None or name == "done" or not _is_open(draft, name):
        return ""
    return step_url(draft, name)


def _is_open(draft: Draft, name: str) -> bool:
    """What has signed in is changed in its settings, no longer here."""
    row = draft.connection
    if row is not None and row.version_count:
        return name == "review"
    match name:
        case "credentials":
            return bool(draft.platform)
        case "review":
            return row is not None
    return True


def step_url(draft: Draft, name: str) -> str:
    return reverse(f"connections:draft_{name}", args=[draft.public_id])


def where_left(draft: Draft) -> str:
    """The step at which a colleague takes it up."""
    if draft.connection is not None:
        return "review"
    if draft.platform:
        return "credentials"
    return "platform" if draft.findings and is_sugar(draft.findings) else "address"


def is_sugar(findings: Iterable[dict[str, Any]]) -> bool:
    return all(finding["sign"] != Sign.BAD for finding in findings)


# -- the test ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One check of the list: good, failed, running or waiting."""

    name: str
    title: Promise
    state: str
    ms: int | None = None
    detail: str = ""
    code: str = ""
    retry_after: int | None = None


def checklist(draft: Draft) -> list[Line]:
    taken = {check["step"]: check for check in draft.checks}
    return [_line(name, title, taken.get(name)) for name, title in STEPS.items()]


def _line(name: str, title: Promise, check: dict[str, Any] | None) -> Line:
    if check is None:
        return Line(name=name, title=title, state="waiting")
    return Line(
        name=name,
        title=title,
        state=check["came"],
        ms=check["ms"],
        detail=check["detail"],
        code=check["code"],
        retry_after=check["retry_after"],
    )


def failed(draft: Draft) -> dict[str, Any] | None:
    return next((check for check in draft.checks if check["came"] == Came.FAILED), None)


def goes_on(draft: Draft) -> bool:
    """It has begun, and nothing stands in the way of the next step."""
    return bool(draft.checks) and failed(draft) is None and trial.next_step(draft) is not None


def effect(row: Connection) -> str:
    """Said before the click."""
    told = {"user": row.username, "platform": row.platform}
    if row.version_count:
        return _("It has signed in. What is left: one refresh grant, and a question to Sugar before and after it.")
    return (
        _(
            "This signs in as %(user)s on platform %(platform)s and becomes its live session: every other session of "
            "%(user)s on %(platform)s ends, also those of other systems. Then it asks Sugar who we are, refreshes once "
            "to prove that the chain holds, and asks again."
        )
        % told
    )


def warning_of(collision: Collision) -> str:
    """In the way only where the triple is the same; that is refused by the registry."""
    if collision.kind == Kind.BUILT_IN:
        return _(
            "The same user is kept on another of Sugar's own platforms: people who sign in there as this user, and "
            "each of the two connections, may end the other's session."
        )
    return _(
        "The same user and platform are kept at another address of this host. If both addresses lead to the same "
        "Sugar, each sign-in of one ends the session of the other."
    )


# -- done ----------------------------------------------------------------------------------------------------


SNIPPETS: dict[str, Promise] = {
    "curl": gettext_lazy("curl"),
    "httpx": gettext_lazy("Python, httpx alone"),
    "client": gettext_lazy("Python, sugaradmin_client"),
}
"""Templates of lines that run as they stand, with the key in SUGARADMIN_API_KEY."""


def base_url(request: HttpRequest) -> str:
    """Where workers reach us: what the operator says, or on a developer's machine the address in the browser."""
    here = request.build_absolute_uri("/").rstrip("/")
    return here if settings.SUGARADMIN.development else settings.SUGARADMIN.base_url


def is_well(row: Any) -> bool:
    return bool(row.status == Status.HEALTHY)
