"""How long ago the person behind a session proved who he is: dangerous actions need five minutes at most."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.urls import reverse

FRESH_SECONDS = 300.0
SSO_PROVED = "single_sign_on_proved_at"


def is_fresh(request: HttpRequest) -> bool:
    """A sign-in counts as much as a confirmation: both are proofs, noted in the session by whoever checked them."""
    user = request.user
    if not isinstance(user, AbstractBaseUser):
        return False
    proofs = [_proved_at(request, record) for record in get_authentication_records(request, user)]
    return any(0 <= time.time() - at < FRESH_SECONDS for at in proofs)


def _proved_at(request: HttpRequest, record: dict[str, Any]) -> float:
    """Coming by single sign-on proves nothing new while the provider has an old session of its own."""
    at = float(record["at"])
    return min(at, request.session.get(SSO_PROVED, 0.0)) if record["method"] == "socialaccount" else at


def note_single_sign_on(request: HttpRequest, proved_at: float) -> None:
    """When a person who is about to be signed in proved to his identity provider who he is."""
    setattr(request, SSO_PROVED, proved_at)


def listen() -> None:
    """Called once, when the application is ready."""
    user_logged_in.connect(_keep, dispatch_uid=f"{__name__}.keep")


def _keep(request: HttpRequest, **_: Any) -> None:
    """Only now: signing in may have begun a new session."""
    if hasattr(request, SSO_PROVED):
        request.session[SSO_PROVED] = getattr(request, SSO_PROVED)


def address_to_confirm(back: str) -> str:
    """The page that asks who it is, and leads to `back`, a path of ours, afterwards."""
    return f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"
