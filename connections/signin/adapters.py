"""Where django-allauth asks us: who may sign in, what is said, where one is led."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import get_pending_stage
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.signin import codes, trail
from connections.signin.freshness import is_fresh
from connections.vault import VaultError


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        # The same words whether the name, the password or the account itself is what is wrong.
        "username_password_mismatch": gettext_lazy(
            "That user name and password do not fit together. Both are case-sensitive."
        ),
        "incorrect_password": gettext_lazy("That is not your password."),
        "too_many_login_attempts": gettext_lazy(
            "Too many tries went wrong. Wait a quarter of an hour; a passkey works meanwhile."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """Only to our own pages, whatever other names this host answers to."""
        return url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        self._tried = str(credentials.get("username", ""))
        super().pre_authenticate(request, **credentials)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        trail.note_failure(request, str(credentials.get("username", "")), way="password")

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        if code == "too_many_login_attempts":
            trail.note_throttled(self.request, getattr(self, "_tried", "") or _who_is_asked(self.request))
        refusal: ValidationError = super().validation_error(code, *args)
        return refusal

    def is_reauthentication_required(self, *, app: str, **rest: Any) -> bool:
        return not is_fresh(self.request)

    def get_reauthentication_methods(self, user: AbstractBaseUser | AnonymousUser) -> list[dict[str, Any]]:
        """The first is the one that is offered; whoever came by single sign-on only can go there again."""
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        words = {"reauthenticate": _("Use your password"), "mfa_reauthenticate": _("Use a code")}
        ways = [way | {"description": words.get(way["id"], _("Use a passkey"))} for way in ways]
        config = settings.SUGARADMIN.single_sign_on
        if config is not None and SocialAccount.objects.filter(user_id=user.pk).exists():
            ways.append({"id": "sso", "description": config.name, "url": reverse("single_sign_on")})
        return ways

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        """Who gets here has proved who he is: without a password, which would have been refused like a wrong one."""
        messages.error(request, _("This account is switched off: ask an admin."))
        return redirect("account_login")

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Without the host name, which allauth puts in front: a second name must not mean a second set of tries."""
        return str(credentials.get("username", "")).casefold()


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("This did not fit: it is wrong, too old, or was used before."),
        "rate_limited": gettext_lazy("Too many tries went wrong. Wait a quarter of an hour."),
    }

    def encrypt(self, text: str) -> str:
        return codes.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return codes.unseal(encrypted_text)
        except VaultError:
            sentence = _("Codes cannot be checked: the encryption key is missing. Ask an operator.")
            raise ValidationError(sentence, code="encryption_key_missing") from None

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:
        """`Passkey 2`: a person gives it a better one."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey %(number)d") % {"number": count + 1}


def _who_is_asked(request: HttpRequest) -> str:
    """The name of whoever is signed in, or has got as far as his second factor."""
    stage = get_pending_stage(request)
    return str(stage.login.user.get_username()) if stage else request.user.get_username()
