"""One's own password and sessions."""

from __future__ import annotations

from typing import Any

from allauth.account import views as account
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from connections.dashboard.rights import asker_of, note_others
from connections.dashboard.signing_in import ChangePasswordForm
from connections.dashboard.views.signing_in import Framed, form_page, refused
from connections.onboarding import people
from connections.signin import limits, trail


@form_page
class ChangePassword(Framed, account.PasswordChangeView):  # type: ignore[misc]  # allauth has no types
    """Other sessions end with the old password; this one goes on."""

    template_name = "connections/signin/password.html"
    form_class = ChangePasswordForm
    success_url = reverse_lazy("mfa_index")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if isinstance(request.user, User) and not request.user.has_usable_password():
            messages.info(request, _("You sign in without a password."))
            return redirect("mfa_index")
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def form_valid(self, form: ChangePasswordForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        messages.success(self.request, _("The password is changed. Your other sessions have ended."))
        return response

    def form_invalid(self, form: ChangePasswordForm) -> HttpResponse:
        if "oldpassword" in form.errors:
            trail.note_failure(self.request, self.request.user.get_username(), way="password")
        return refused(self, form)


@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """One of one's own; another person's does not exist."""
    found = UserSession.objects.select_related("user").filter(pk=pk).first()
    if found is None or found.user_id != request.user.pk:
        if found is not None:
            note_others(request, "end_session", found.user)
        raise Http404(_("This session has ended already."))
    is_this = found.session_key == request.session.session_key
    people.end_session(found, asker_of(request).actor)
    if is_this:
        request.session.flush()
        return redirect("account_login")
    messages.success(request, _("The session has ended."))
    return redirect("mfa_index")


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    others = UserSession.objects.filter(user_id=request.user.pk).exclude(session_key=request.session.session_key)
    for one in others:
        people.end_session(one, asker_of(request).actor)
    messages.success(request, _("Every other session has ended."))
    return redirect("mfa_index")


@require_POST
def stay(request: HttpRequest) -> HttpResponse:
    """Somebody is still here: the page asked, and he pressed."""
    limits.stay(request)
    return HttpResponse(status=204)
