"""Where the installation requires a second factor: who has none sets one up, before anything else is shown to him."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""Recovery codes are no factor of their own: they stand in for one."""
WAY_THERE = frozenset(
    {
        "mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
        "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "account_change_password",
        "connections:sign_out", "connections:stay", "connections:theme", "connections:end_session",
        "connections:end_other_sessions",
    }
)  # fmt: skip


def is_missing(request: HttpRequest) -> bool:
    """Whoever came by single sign-on has his second factor there: it is the provider's to ask for it."""
    user = request.user
    if not settings.SUGARADMIN.second_factor_required or not isinstance(user, User):
        return False
    if any(one["method"] == "socialaccount" for one in get_authentication_records(request, user)):
        return False
    return not Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS).exists()


class LeadToSecondFactor(MiddlewareMixin):
    """Nothing is done on the way, not even by POST; what anybody may see without an account stays open."""

    async_capable = False

    def process_view(self, request: HttpRequest, view: Any, *rest: Any) -> HttpResponseBase | None:
        if not getattr(view, "login_required", True) or not hasattr(request, "user"):
            return None
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name in WAY_THERE or not is_missing(request):
            return None
        return HttpResponseRedirect(reverse("mfa_index"))
