"""How long ago the person behind a session proved who he is: dangerous actions need five minutes at most."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.urls import reverse

FRESH_SECONDS = 300.0


def is_fresh(request: HttpRequest) -> bool:
    """A sign-in counts as much as a confirmation: both are proofs, noted in the session by whoever checked them."""
    user = request.user
    if not isinstance(user, AbstractBaseUser):
        return False
    proofs = [record["at"] for record in get_authentication_records(request, user)]
    return any(0 <= time.time() - at < FRESH_SECONDS for at in proofs)


def address_to_confirm(back: str) -> str:
    """The page that asks who it is, and leads to `back`, a path of ours, afterwards."""
    return f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"
