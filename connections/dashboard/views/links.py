"""Who follows a one-time link: the token leaves the address at once, looking uses nothing up, the password does."""

from __future__ import annotations

from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe
from django_q.tasks import async_task

from connections.choices import LinkPurpose
from connections.dashboard.people_forms import FirstAdminForm, ForgottenForm, SetPasswordForm
from connections.models import OneTimeLink
from connections.onboarding import invitations
from connections.onboarding.access import AccessRefused
from connections.onboarding.invitations import LinkGone

FOLLOWED = "one_time_link"


@sensitive_variables()
@login_not_required
@never_cache
@require_safe
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """Only its hash goes into the session."""
    request.session[FOLLOWED] = invitations.digest_of(token)
    return redirect("connections:link")


@sensitive_post_parameters()
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest) -> HttpResponse:
    try:
        found = invitations.find(request.session.get(FOLLOWED, ""))
        is_first = found.purpose == LinkPurpose.FIRST_ADMIN
        form = (FirstAdminForm if is_first else SetPasswordForm)(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                return _use(request, found, form)
            except AccessRefused as refused:
                form.add_error(None, str(refused))
    except LinkGone:
        return render(request, "connections/signin/link_gone.html", status=410)
    context = {"form": form, "is_first": is_first, "username": found.user.get_username() if found.user else ""}
    return render(request, "connections/signin/link.html", context, status=422 if form.errors else 200)


def _use(request: HttpRequest, found: OneTimeLink, form: SetPasswordForm) -> HttpResponse:
    """Raises LinkGone, AccessRefused."""
    password, address = form.cleaned_data["password"], request.META.get("REMOTE_ADDR")
    if isinstance(form, FirstAdminForm):
        name = form.cleaned_data["username"]
        invitations.make_first_admin(found.digest, username=name, password=password, address=address)
        messages.success(request, _("You are the first administrator. Sign in, then add a passkey."))
    else:
        invitations.set_password(found.digest, password=password, address=address)
        messages.success(request, _("The password is set. Sign in with it."))
    request.session.pop(FOLLOWED, None)
    return redirect("account_login")


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """A link by mail, where mail is configured. The answer, and how long it takes, is the same for every name."""
    if not settings.SUGARADMIN.mail.host:
        raise Http404
    form = ForgottenForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "connections/signin/forgotten.html", {"form": form}, status=422 if form.errors else 200)
    name = form.cleaned_data["username"]
    limited = ratelimit.consume_or_429(request, app="allauth.account", action="reset_password", key=name.casefold())
    if limited is not None:
        return limited  # type: ignore[no-any-return]  # allauth has no types
    async_task("connections.tasks.mail_password_link", name, task_name="mail_password_link")
    return render(request, "connections/signin/forgotten.html", {"is_sent": True})
