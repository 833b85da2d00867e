"""The public doors: `/r/<token>` to enter a password, `/s/<token>` to read the set-up guide. Nobody signs in here.

1. A token in an address is looked up, changes nothing, and is gone from the address with the answer.
2. The pages behind it know the browser by a signed cookie that is sent to this one link's pages only.
3. Only a POST with a form of ours does anything, and each form once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_q.tasks import async_task

from connections.choices import LinkKind, LinkStanding
from connections.custody.problems import CustodyProblem
from connections.customer import languages, pacing, proof, wording
from connections.customer.forms import PasswordForm
from connections.customer.wording import Problem
from connections.models import CustomerLink
from connections.onboarding import links
from connections.onboarding.links import Look

Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Rest], HttpResponse]
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


def door(pace: pacing.Pace) -> Callable[[View[Rest]], View[Rest]]:
    """For anybody, at a walk; nothing of it is kept by caches, search engines or the next page's log."""

    def build(view: View[Rest]) -> View[Rest]:
        def entered(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
            chosen = languages.choose(request)
            waiting = _wait(request, pace)
            response = _too_fast(request, waiting) if waiting else _served(view, request, *args, **kwargs)
            for name, value in HEADERS.items():
                response.headers[name] = value
            if chosen:
                languages.keep(response, chosen)
            return response

        update_wrapper(entered, view)
        return login_not_required(csrf_exempt(entered))

    return build


def _wait(request: HttpRequest, pace: pacing.Pace) -> int:
    address = request.META.get("REMOTE_ADDR", "")
    waiting = pacing.wait(pacing.PAGES, address)
    return max(waiting, pacing.wait(pace, address)) if request.method == "POST" else waiting


def _served(view: View[Rest], request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
    try:
        return view(request, *args, **kwargs)
    except CustodyProblem:
        return _show(request, "unavailable", status=503)


def _too_fast(request: HttpRequest, seconds: int) -> HttpResponse:
    response = _show(request, "too_fast", {"minutes": (seconds + 59) // 60}, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _show(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    # Another language is asked for by GET, which the address of the button does not answer.
    here = "../" if request.path.endswith("/ask/") else ""
    return render(request, f"customer/{template}.html", {**(context or {}), "here": here}, status=status)


def _address(request: HttpRequest) -> str | None:
    return request.META.get("REMOTE_ADDR") or None


# -- the password ------------------------------------------------------------------------------------------------


@require_safe
@door(pacing.PAGES)
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """From the mail to a page without the token; mail scanners may do so as often as they like."""
    link = links.of_token(LinkKind.SIGN_IN, token)
    if link is None:
        return _show(request, "unknown", status=404)
    response = HttpResponseRedirect(_page_of(link))
    proof.let_in(response, link, _page_of(link))
    return response


def _page_of(link: CustomerLink) -> str:
    return reverse("connections:link_page", args=[link.public_id])


@sensitive_variables()
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@door(pacing.PASSWORDS)
def page(request: HttpRequest, link_id: str) -> HttpResponse:
    look = _look(request, link_id)
    if look is None:
        return _show(request, "ask_again", status=403)
    if look.standing != LinkStanding.OPEN:
        return redirect(_page_of(look.link)) if request.method == "POST" else _not_open(request, look)
    if request.method == "POST":
        return _sign_in(request, look)
    if request.method == "GET":
        links.note_opened(look.link, _address(request))
    return _form(request, look, PasswordForm(), wording.problem_of(look.last, look.connection))


def _look(request: HttpRequest, link_id: str) -> Look | None:
    """None: this browser did not come through the link, or too long ago."""
    link = links.of_id(LinkKind.SIGN_IN, link_id) if proof.is_let_in(request, link_id) else None
    return links.look(link) if link else None


def _sign_in(request: HttpRequest, look: Look) -> HttpResponse:
    link = look.link
    seen = proof.submission_of(request, link.public_id)
    form = PasswordForm(request.POST)
    if seen is None:
        return _show(request, "ask_again", status=403)
    if not form.is_valid():
        return _form(request, look, form, None, status=422)
    problem = None
    try:
        password = form.cleaned_data["password"]
        report = links.sign_in(link, password, seen=seen, address=_address(request))
    except CustodyProblem as refused:
        problem = wording.declined(refused.code, look.connection)
    else:
        if report is None or report.is_running or report.outcome == "done":
            return redirect("connections:link_done", link.public_id)
    return _after(request, look, problem)


def _after(request: HttpRequest, before: Look, problem: Problem | None) -> HttpResponse:
    """It did not work: the same form again, with the reason, or the page that says why there is none any more."""
    link = links.of_id(LinkKind.SIGN_IN, before.link.public_id)
    if link is None:
        return _show(request, "ask_again", status=403)
    look = links.look(link)
    if look.standing != LinkStanding.OPEN:
        return redirect(_page_of(link))
    has_tried = look.last is not None and (before.last is None or look.last.pk != before.last.pk)
    found = wording.problem_of(look.last, look.connection) if has_tried else None
    code = "busy" if look.tries_left else "too_many_requests"
    return _form(request, look, PasswordForm(), found or problem or wording.declined(code, look.connection), status=409)


def _form(
    request: HttpRequest, look: Look, form: PasswordForm, problem: Problem | None, *, status: int = 200
) -> HttpResponse:
    context = {
        "look": look,
        "row": look.connection,
        "form": form,
        "problem": problem,
        "proof": proof.form_proof(look.link),
        "steps": wording.guide_steps(look.connection),
        "is_platform_built_in": links.is_platform_built_in(look.connection),
    }
    response = _show(request, "password", context, status=status)
    proof.let_in(response, look.link, _page_of(look.link))
    return response


def _not_open(request: HttpRequest, look: Look) -> HttpResponse:
    if look.standing == LinkStanding.WORKING:
        return _show(request, "working", {"look": look, "row": look.connection})
    return _gone(request, look)


def _gone(request: HttpRequest, look: Look, *, is_asked: bool | None = None) -> HttpResponse:
    context = {
        "look": look,
        "standing": str(look.standing),
        "row": look.connection,
        "proof": proof.form_proof(look.link),
        "is_asked": is_asked,
    }
    return _show(request, "gone", context, status=410)


@require_safe
@door(pacing.PAGES)
def done(request: HttpRequest, link_id: str) -> HttpResponse:
    look = _look(request, link_id)
    if look is None:
        return _show(request, "ask_again", status=403)
    if look.standing == LinkStanding.USED:
        return _show(request, "done", {"look": look, "row": look.connection})
    if look.standing == LinkStanding.WORKING:
        return _not_open(request, look)
    return redirect(_page_of(look.link))


@require_POST
@door(pacing.REQUESTS)
def ask(request: HttpRequest, link_id: str) -> HttpResponse:
    """A button on the page of a link that does not open any more."""
    look = _look(request, link_id)
    if look is None or proof.submission_of(request, link_id) is None:
        return _show(request, "ask_again", status=403)
    if look.is_open:
        return redirect(_page_of(look.link))
    is_asked = links.ask_for_new(look.link, _address(request))
    if is_asked and settings.SUGARADMIN.mail.host:
        async_task("connections.tasks.mail_link_request", look.link.public_id, task_name="mail_link_request")
    return _gone(request, look, is_asked=is_asked)


# -- the guide ---------------------------------------------------------------------------------------------------


@require_safe
@door(pacing.PAGES)
def guide(request: HttpRequest, token: str) -> HttpResponse:
    """Read-only, and meant to be passed on: its token stays in the address."""
    link = links.of_token(LinkKind.GUIDE, token)
    if link is None:
        return _show(request, "unknown", status=404)
    look = links.look(link)
    if look.standing != LinkStanding.OPEN:
        return _show(request, "guide_gone", {"standing": str(look.standing)}, status=410)
    if request.method == "GET":
        links.note_opened(link, _address(request))
    row = look.connection
    context = {"look": look, "row": row, "steps": wording.guide_steps(row), "text": wording.guide_text(row)}
    return _show(request, "guide", context)
