"""Where django-allauth asks us: who may sign in, what is said, where one is led."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.signin.freshness import is_fresh


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        # The same words whether the name, the password or the account itself is what is wrong.
        "username_password_mismatch": gettext_lazy(
            "That user name and password do not fit together. Both are case-sensitive."
        ),
        "incorrect_password": gettext_lazy("That is not your password."),
        "incorrect_code": gettext_lazy("This code is wrong, too old, or was used before."),
        "too_many_login_attempts": gettext_lazy(
            "Too many tries went wrong. Wait a quarter of an hour; a passkey works meanwhile."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """Only to our own pages, whatever other names this host answers to."""
        return url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def is_reauthentication_required(self, *, app: str, **rest: Any) -> bool:
        return not is_fresh(self.request)

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        """Who gets here has proved who he is: without a password, which would have been refused like a wrong one."""
        messages.error(request, _("This account is switched off: ask an admin."))
        return redirect("account_login")

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Without the host name, which allauth puts in front: a second name must not mean a second set of tries."""
        return str(credentials.get("username", "")).casefold()
