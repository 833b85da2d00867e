"""The way in, and how one person wants to see the pages."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections.choices import Theme
from connections.dashboard.desk_forms import ProfileForm
from connections.dashboard.rights import SHOWS_UTC, Asker, Right, needs
from connections.dashboard.shell import THEME_COOKIE, page, theme_of
from connections.models import Profile

A_YEAR = 365 * 24 * 3600


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return redirect("connections:overview")


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Kept for the person, and in a cookie for pages before signing in; the server renders it, so no page flashes."""
    response = HttpResponseRedirect(back(request))
    chosen = request.POST.get("theme", "")
    if chosen in Theme.values:
        remember_theme(response, chosen)
        if isinstance(request.user, User):
            Profile.objects.update_or_create(user=request.user, defaults={"theme": chosen})
    return response


def remember_theme(response: HttpResponse, chosen: str) -> None:
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(THEME_COOKIE, chosen, max_age=A_YEAR, samesite="Lax", httponly=True, secure=secure)


@require_POST
def zone(request: HttpRequest) -> HttpResponse:
    """All times of this session in UTC, or again in the person's own zone."""
    request.session[SHOWS_UTC] = request.POST.get("zone") == "utc"
    return HttpResponseRedirect(back(request))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.READ)
def profile(request: HttpRequest, asker: Asker) -> HttpResponse:
    """Time zone and colours, kept for the person."""
    form = ProfileForm(
        request.POST if request.method == "POST" else None,
        initial={"time_zone": asker.time_zone, "theme": theme_of(request)},
    )
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.errors else 200
        return page(request, asker, "profile.html", {"form": form}, section="profile", status=status)
    assert isinstance(request.user, User), "the gate lets only users in"
    Profile.objects.update_or_create(user=request.user, defaults=form.cleaned_data)
    request.session.pop(SHOWS_UTC, None)
    messages.success(request, _("Saved."))
    response = HttpResponseRedirect(request.path)
    remember_theme(response, form.cleaned_data["theme"])
    return response


def back(request: HttpRequest) -> str:
    """To the page it was pressed on, if that is one of ours."""
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/")
    return wanted if is_ours else "/"
