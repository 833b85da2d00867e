"""One's own account: password, authenticator app, passkeys, recovery codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.mfa.base import views as base
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator

from connections.dashboard.rights import SAFE_METHODS, note_others
from connections.dashboard.signing_in import AddPasskeyForm, AddTotpForm, RenamePasskeyForm
from connections.dashboard.views.signing_in import Framed, form_page, refused
from connections.signin import codes, second_factor, trail

in_one_transaction = method_decorator(transaction.atomic, "dispatch")
"""The audit row of a change belongs to the change."""

View = Callable[..., HttpResponseBase]


def noting_others(action: str) -> Callable[[type], type]:
    """Outside of the transaction, which is rolled back: a try to change another person's passkey, which does not exist
    for him."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, pk: int, **given: Any) -> HttpResponseBase:
            try:
                return view(request, *args, pk=pk, **given)
            except Http404:
                passkey = Authenticator.objects.filter(pk=pk, type=Authenticator.Type.WEBAUTHN).first()
                if passkey is not None and request.method not in SAFE_METHODS:
                    note_others(request, action, passkey.user)
                raise

        return guarded

    decorated: Callable[[type], type] = method_decorator(guard, "dispatch")
    return decorated


class Security(Framed, base.IndexView):  # type: ignore[misc]  # allauth has no types
    template_name = "connections/signin/security.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        UserSession.objects.purge_and_list(self.request.user)  # those that ended by their age
        shown = super().get_context_data(**context)
        known = shown["authenticators"]
        recovery_codes = known.get("recovery_codes")
        return shown | {
            "totp": known.get("totp"),
            "passkeys": known.get("webauthn", []),
            "recovery_codes": recovery_codes,
            "sessions": UserSession.objects.filter(user_id=self.request.user.pk).order_by("-last_seen_at"),
            "must_set_up": second_factor.is_missing(self.request),
            "this_session": self.request.session.session_key,
            "codes_left": len(recovery_codes.get_unused_codes()) if recovery_codes else 0,
        }


@form_page
@in_one_transaction
class AddTotp(Framed, totp.ActivateTOTPView):  # type: ignore[misc]  # allauth has no types
    template_name = "connections/signin/totp_add.html"
    form_class = AddTotpForm

    def form_valid(self, form: AddTotpForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        codes.forget_pending(self.request.session)
        return response

    def form_invalid(self, form: AddTotpForm) -> HttpResponse:
        return refused(self, form)


@form_page
@in_one_transaction
class RemoveTotp(Framed, totp.DeactivateTOTPView):  # type: ignore[misc]  # allauth has no types
    template_name = "connections/signin/totp_remove.html"


@form_page
@in_one_transaction
class AddPasskey(Framed, webauthn.AddWebAuthnView):  # type: ignore[misc]  # allauth has no types
    template_name = "connections/signin/passkey_add.html"
    form_class = AddPasskeyForm

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        shown = super().get_context_data(**context)
        form = context.get("form") or shown["form"]
        return shown | {"form": form, "options": json.dumps(shown["js_data"]["creation_options"], default=dict)}

    def form_invalid(self, form: AddPasskeyForm) -> HttpResponse:
        return refused(self, form)


@noting_others("rename_second_factor")
@form_page
@in_one_transaction
class RenamePasskey(Framed, webauthn.EditWebAuthnView):  # type: ignore[misc]  # allauth has no types
    template_name = "connections/signin/passkey_rename.html"
    form_class = RenamePasskeyForm
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: RenamePasskeyForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        trail.note_renamed(form.instance)
        return response


@noting_others("remove_second_factor")
@form_page
@in_one_transaction
class RemovePasskey(Framed, webauthn.RemoveWebAuthnView):  # type: ignore[misc]  # allauth has no types
    template_name = "connections/signin/passkey_remove.html"
    success_url = reverse_lazy("mfa_index")


class RecoveryCodes(Framed, recovery.ViewRecoveryCodesView):  # type: ignore[misc]  # allauth has no types
    """Shown once, when they were made."""

    template_name = "connections/signin/recovery_codes.html"


@form_page
@in_one_transaction
class RenewRecoveryCodes(Framed, recovery.GenerateRecoveryCodesView):  # type: ignore[misc]  # allauth has no types
    template_name = "connections/signin/recovery_codes_renew.html"
