"""The users page: who the staff are, what they may do, and how a new one gets in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from connections.choices import Role
from connections.dashboard.people_forms import NewPersonForm, PersonForm
from connections.dashboard.rights import Asker, Right, must_confirm, needs, require_everywhere
from connections.dashboard.shell import page
from connections.onboarding import people
from connections.onboarding.access import AccessRefused
from connections.onboarding.invitations import Issued, invite

SECTION = "settings"


@require_safe
@needs(Right.ADMINISTER)
def users(request: HttpRequest, asker: Asker) -> HttpResponse:
    require_everywhere(asker, Right.ADMINISTER)
    return page(request, asker, "people/list.html", {"people": list(people.people())}, section=SECTION)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.ADMINISTER, deed="create_staff", is_dangerous=True)
def new_user(request: HttpRequest, asker: Asker) -> HttpResponse:
    require_everywhere(asker, Right.ADMINISTER)
    form = NewPersonForm(request.POST or None, initial={"role": Role.VIEWER})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            issued = people.add(given["username"], given["email"], Role(given["role"]), given["tenants"], asker.actor)
        except AccessRefused as refused:
            form.add_error("username", str(refused))
        else:
            return _hand_over(request, asker, given["username"], issued)
    status = 422 if form.errors else 200
    context = {"form": form, "must_confirm": must_confirm(request)}
    return page(request, asker, "people/new.html", context, section=SECTION, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.ADMINISTER, deed="change_staff", is_dangerous=True)
def user(request: HttpRequest, asker: Asker, username: str) -> HttpResponse:
    require_everywhere(asker, Right.ADMINISTER)
    person = people.people().filter(username=username).first()
    if person is None:
        raise Http404(_("There is no such person."))
    if request.method != "POST":
        return _person_page(request, asker, person)
    section = request.POST.get("section", "")
    try:
        return _do(request, asker, person, section)
    except AccessRefused as refused:
        return _person_page(request, asker, person, refusal=str(refused), status=409)


def _do(request: HttpRequest, asker: Asker, person: User, section: str) -> HttpResponse:
    """Raises AccessRefused."""
    match section:
        case "change":
            form = PersonForm(request.POST)
            if not form.is_valid():
                return _person_page(request, asker, person, form=form, status=422)
            given = form.cleaned_data
            people.change(person, given["email"], Role(given["role"]), given["tenants"], asker.actor)
            messages.success(request, _("Saved. It counts from the next page this person opens."))
        case "link":
            return _hand_over(request, asker, person.username, invite(person, asker.actor))
        case "reset":
            return _hand_over(request, asker, person.username, people.reset(person, asker.actor))
        case "deactivate":
            people.switch(person, asker.actor, on=False)
            messages.success(request, _("Switched off: every session has ended."))
        case "activate":
            people.switch(person, asker.actor, on=True)
            messages.success(request, _("Switched on again."))
        case _:
            return _person_page(request, asker, person, status=422)
    return redirect("connections:user", person.username)


def _hand_over(request: HttpRequest, asker: Asker, username: str, issued: Issued) -> HttpResponse:
    """Shows the link, this once: it stands nowhere else."""
    address = f"{settings.SUGARADMIN.base_url}{issued.path}"
    hours = int(issued.lives.total_seconds() // 3600)
    context = {"username": username, "link": address, "hours": hours}
    return page(request, asker, "people/link.html", context, section=SECTION)


def _person_page(
    request: HttpRequest,
    asker: Asker,
    person: User,
    *,
    form: PersonForm | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "person": person,
        "form": form or PersonForm(initial=_initial(person)),
        "refusal": refusal,
        "must_confirm": must_confirm(request),
    }
    return page(request, asker, "people/one.html", context, section=SECTION, status=status)


def _initial(person: User) -> dict[str, Any]:
    staff = getattr(person, "staff", None)
    if staff is None:
        return {"email": person.email, "role": Role.VIEWER}
    return {"email": person.email, "role": staff.role, "tenants": [one.slug for one in staff.tenants.all()]}
