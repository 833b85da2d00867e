"""In, out, and in between: who is it? django-allauth decides; this says how it looks and where it is found."""

from __future__ import annotations

import json
from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as base
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import views as webauthn
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from connections.dashboard.rights import asker_of
from connections.dashboard.shell import frame
from connections.dashboard.signing_in import CodeForm, ConfirmCodeForm, ConfirmForm, SignInForm
from connections.signin import trail

form_page = method_decorator([sensitive_post_parameters(), require_http_methods(["GET", "HEAD", "POST"])], "dispatch")


class Framed:
    """Mixed in before a view of django-allauth that a signed-in person sees: the frame of every page around it."""

    request: HttpRequest
    section = "profile"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        shown: dict[str, Any] = super().get_context_data(**context)  # type: ignore[misc]  # of the view behind the mixin
        return {"shell": frame(self.request, asker_of(self.request), section=self.section), **shown}


def refused(view: Any, form: Any) -> HttpResponse:
    """The page again, with what is wrong on it; nothing was changed."""
    page: HttpResponse = view.render_to_response(view.get_context_data(form=form), status=422)
    return page


@form_page
class SignIn(account.LoginView):  # type: ignore[misc]  # allauth has no types
    template_name = "connections/signin/sign_in.html"
    form_class = SignInForm

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        shown: dict[str, Any] = super().get_context_data(**context)
        config = settings.SUGARADMIN
        sso = config.single_sign_on.name if config.single_sign_on else ""
        return shown | {"has_mail": bool(config.mail.host), "sso": sso}

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        return refused(self, form)


@method_decorator(require_http_methods(["POST"]), "dispatch")
class SignOut(account.LogoutView):  # type: ignore[misc]  # allauth has no types
    pass


@form_page
class Confirm(Framed, account.ReauthenticateView):  # type: ignore[misc]  # allauth has no types
    """The password once more, before something dangerous."""

    template_name = "connections/signin/confirm.html"
    form_class = ConfirmForm

    def form_valid(self, form: ConfirmForm) -> HttpResponse:
        messages.success(self.request, confirmed())
        return super().form_valid(form)  # type: ignore[no-any-return]

    def form_invalid(self, form: ConfirmForm) -> HttpResponse:
        return refused(self, form)


@form_page
class Code(base.AuthenticateView):  # type: ignore[misc]  # allauth has no types
    """The second step of a sign-in: a code, or a passkey of which the password was the first factor."""

    template_name = "connections/signin/code.html"
    form_class = CodeForm

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        shown: dict[str, Any] = super().get_context_data(**context)
        passkeys = Authenticator.objects.filter(user_id=self.stage.login.user.pk, type=Authenticator.Type.WEBAUTHN)
        options = json.dumps(shown["js_data"]["request_options"], default=dict)
        return shown | {"has_passkeys": passkeys.exists(), "options": options}

    def form_invalid(self, form: Any) -> HttpResponse:
        if form is self.webauthn_form:
            trail.note_failure(self.request, self.stage.login.user.get_username(), way="webauthn")
        page: HttpResponse = self.render_to_response(self.get_context_data(), status=422)
        return page


@method_decorator(login_not_required, "dispatch")
@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), "dispatch")
class SignInWithPasskey(webauthn.LoginWebAuthnView):  # type: ignore[misc]  # allauth has no types
    def form_invalid(self, form: Any) -> HttpResponse:
        trail.note_failure(self.request, "", way="webauthn")
        return super().form_invalid(form)  # type: ignore[no-any-return]


@form_page
class ConfirmByCode(Framed, base.ReauthenticateView):  # type: ignore[misc]  # allauth has no types
    template_name = "connections/signin/confirm.html"
    form_class = ConfirmCodeForm

    def form_valid(self, form: ConfirmCodeForm) -> HttpResponse:
        messages.success(self.request, confirmed())
        return super().form_valid(form)  # type: ignore[no-any-return]

    def form_invalid(self, form: ConfirmCodeForm) -> HttpResponse:
        return refused(self, form)


@form_page
class ConfirmByPasskey(Framed, webauthn.ReauthenticateWebAuthnView):  # type: ignore[misc]  # allauth has no types
    template_name = "connections/signin/confirm_passkey.html"

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, confirmed())
        return super().form_valid(form)  # type: ignore[no-any-return]

    def form_invalid(self, form: Any) -> HttpResponse:
        trail.note_failure(self.request, self.request.user.get_username(), way="webauthn")
        return refused(self, form)

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        shown = super().get_context_data(**context)
        form = context.get("form") or shown["form"]
        return shown | {"form": form, "options": json.dumps(shown["js_data"]["request_options"], default=dict)}


def too_many(request: HttpRequest) -> HttpResponse:
    """django-allauth's way to say that somebody comes too often."""
    trail.note_throttled(request, request.POST.get("login", ""))
    return render(request, "429.html", status=429)


def confirmed() -> str:
    return _("It is you, for the next five minutes. Nothing was done yet: go on here.")
