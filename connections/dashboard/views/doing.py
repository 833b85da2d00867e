"""The actions: GET says what will happen, POST does it, the result stands where the button was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from connections.custody import actions, desk
from connections.custody.actions import Report
from connections.custody.handout import find
from connections.custody.problems import Conflict, CustodyProblem, NotFound
from connections.custody.values import Seen
from connections.dashboard import queries
from connections.dashboard.desk_forms import SPANS, SnoozeForm
from connections.dashboard.doings import DOINGS, Doing, offer, refused_tries
from connections.dashboard.forms import SignInAgainForm
from connections.dashboard.rights import Asker, Right, must_confirm, needs, require, require_fresh
from connections.dashboard.views.detail import connection_page, look
from connections.models import Connection
from connections.onboarding import registry

RESULT = "action_result"
SWITCHES: dict[str, Callable[..., object]] = {
    "pause": actions.pause,
    "resume": actions.resume,
    "hold": actions.hold,
    "wake": desk.wake,
}
DONE = {
    "pause": gettext_lazy("Paused."),
    "resume": gettext_lazy("Resumed."),
    "hold": gettext_lazy("Held: nothing is handed out any more."),
    "snooze": gettext_lazy("Snoozed: nobody is called."),
    "wake": gettext_lazy("Awake again."),
}
UNDO = {"pause": "resume", "snooze": "wake"}
GRANTS: dict[str, Callable[..., Report]] = {"rotate": actions.rotate, "repair": actions.repair}


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.READ)
def act(request: HttpRequest, asker: Asker, public_id: str, action: str) -> HttpResponse:
    doing = DOINGS.get(action)
    if doing is None:
        raise Http404(_("There is no such action."))
    if request.method != "POST":
        require(request, asker, doing.right)
        row = look(request, asker, public_id)
        return _ask(request, asker, row, doing, result=_last_result(request, row, doing))
    row = find(public_id, asker.tenants)
    require(request, asker, doing.right)
    if doing.is_dangerous:
        require_fresh(request)
    if doing.is_grant and request.POST.get("version") != str(row.version_count):
        return _ask(request, asker, row, doing, stale=request.POST.get("version", ""), status=409)
    if doing.name == "sign-in" and _seen(request) != Seen(generation=row.generation, attempts=row.attempt_count):
        return _ask(request, asker, row, doing, has_moved=True, status=409)
    if offer(doing, row, asker, queries.open_grant(row)).reason:
        return _ask(request, asker, row, doing, status=409)
    return _do(request, asker, row, doing)


def _seen(request: HttpRequest) -> Seen | None:
    """What the page showed on which the password was typed; None where it does not say."""
    try:
        return Seen(generation=int(request.POST["generation"]), attempts=int(request.POST["attempts"]))
    except (KeyError, ValueError):
        return None


def _ask(
    request: HttpRequest, asker: Asker, row: Connection, doing: Doing, *, status: int = 200, **context: Any
) -> HttpResponse:
    """The page before the deed. It carries the version it was made at, so that it cannot act on another."""
    offered = offer(doing, row, asker, queries.open_grant(row))
    shared = {"doing": doing, "effect": doing.effect(row), "reason": offered.reason, **context}
    if doing.is_dangerous:
        shared["must_confirm"] = must_confirm(request)
    if doing.name == "sign-in":
        shared |= {"form": shared.get("form") or _sign_in_form(asker, row), "refused": refused_tries(row)}
    if doing.name == "snooze":
        shared.setdefault("form", SnoozeForm())
    return connection_page(request, asker, row, "action", shared, status=status)


def _sign_in_form(asker: Asker, row: Connection, data: Any = None) -> SignInAgainForm:
    form = SignInAgainForm(data)
    if row.password is not None:
        form.fields["password"].help_text = _("Empty: the stored password is used.")
    if not asker.may(Right.ADMINISTER):
        del form.fields["keep"]
    return form


def _do(request: HttpRequest, asker: Asker, row: Connection, doing: Doing) -> HttpResponse:
    if doing.name in SWITCHES:
        return _switch(request, asker, row, doing)
    if doing.name == "snooze":
        return _snooze(request, asker, row, doing)
    if doing.name == "sign-in":
        return _sign_in(request, asker, row, doing)
    try:
        result = _test(row, asker) if doing.name == "test" else _grant(row, asker, doing)
    except NotFound:
        raise
    except CustodyProblem as problem:
        result = {"outcome": "failed", **_told(problem)}
    return _show(request, row, doing, result)


def _switch(request: HttpRequest, asker: Asker, row: Connection, doing: Doing) -> HttpResponse:
    try:
        SWITCHES[doing.name](row.public_id, asker.actor, tenants=asker.tenants)
    except Conflict as problem:
        if problem.code != "held":  # somebody held it in the meantime
            raise
        return _ask(request, asker, find(row.public_id, asker.tenants), doing, status=409)
    return _done(request, row, doing)


def _done(request: HttpRequest, row: Connection, doing: Doing) -> HttpResponse:
    """Back to the status, with the way back beside the word."""
    undo = reverse("connections:action", args=[row.public_id, UNDO[doing.name]]) if doing.name in UNDO else ""
    messages.success(request, str(DONE[doing.name]), extra_tags=undo)
    return redirect(row)


def _snooze(request: HttpRequest, asker: Asker, row: Connection, doing: Doing) -> HttpResponse:
    form = SnoozeForm(request.POST)
    if not form.is_valid():
        return _ask(request, asker, row, doing, form=form, status=422)
    span, _word = SPANS[form.cleaned_data["span"]]
    desk.snooze(row.public_id, asker.actor, tenants=asker.tenants, span=span, reason=form.cleaned_data["reason"])
    return _done(request, row, doing)


def _test(row: Connection, asker: Asker) -> dict[str, Any]:
    checks = actions.test(row.public_id, asker.actor, tenants=asker.tenants)
    outcome = "done" if all(check.ok for check in checks) else "failed"
    return {"outcome": outcome, "checks": [check.as_dict() for check in checks]}


def _grant(row: Connection, asker: Asker, doing: Doing) -> dict[str, Any]:
    act_on = GRANTS[doing.name]
    return _report(act_on(row.public_id, asker.actor, tenants=asker.tenants, version=row.version_count))


def _sign_in(request: HttpRequest, asker: Asker, row: Connection, doing: Doing) -> HttpResponse:
    form = _sign_in_form(asker, row, request.POST)
    if form.is_valid() and not form.cleaned_data["password"] and row.password is None:
        form.add_error("password", _("No password is stored: type it here."))
    if form.errors:
        return _ask(request, asker, row, doing, form=form, status=422)
    password = form.cleaned_data["password"] or None
    try:
        if password and form.cleaned_data.get("keep"):
            kept = {"password": password, "store_password": True}
            registry.edit(row.public_id, kept, asker.actor, tenants=asker.tenants, generation=row.generation)
        result = sign_in_now(row, asker, password)
    except registry.Moved:
        return _ask(request, asker, find(row.public_id, asker.tenants), doing, has_moved=True, status=409)
    except registry.InvalidFields as invalid:
        form.refuse(invalid.errors)
        return _ask(request, asker, row, doing, form=form, status=422)
    if result["outcome"] == "unchanged" and result["version"] == row.version_count:
        return _ask(request, asker, find(row.public_id, asker.tenants), doing, has_moved=True, status=409)
    return _show(request, row, doing, result)


def sign_in_now(row: Connection, asker: Asker, password: str | None) -> dict[str, Any]:
    """A password grant, and what came of it as the result page shows it."""
    try:
        report = actions.sign_in(
            row.public_id, asker.actor, tenants=asker.tenants, version=row.version_count, password=password,
            seen=Seen(generation=row.generation, attempts=row.attempt_count),
        )  # fmt: skip
    except NotFound:
        raise
    except CustodyProblem as problem:
        return {"outcome": "failed", **_told(problem)}
    return _report(report)


def _report(report: Report) -> dict[str, Any]:
    told = {"outcome": report.outcome, "version": report.version, "rungs": report.rungs}
    return told | _told(report.problem) if report.problem else told


def _told(problem: CustodyProblem) -> dict[str, Any]:
    return {"code": problem.code, "detail": problem.detail, "retry_after": problem.retry_after}


def _show(request: HttpRequest, row: Connection, doing: Doing, result: dict[str, Any]) -> HttpResponse:
    remember(request, row, doing.name, result)
    return redirect(f"{row.get_absolute_url()}actions/{doing.name}/?result=1")


def remember(request: HttpRequest, row: Connection, action: str, result: dict[str, Any]) -> None:
    """The newest result waits in the session (it holds no secret): reloading shows it again, and does nothing."""
    request.session[RESULT] = {"connection": row.public_id, "action": action, **result}


def _last_result(request: HttpRequest, row: Connection, doing: Doing) -> dict[str, Any] | None:
    kept: dict[str, Any] | None = request.session.get(RESULT)
    if "result" not in request.GET or kept is None:
        return None
    is_this = (kept["connection"], kept["action"]) == (row.public_id, doing.name)
    return kept if is_this else None
