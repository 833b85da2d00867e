"""The language of the public pages: the browser's wish, until the visitor chooses another."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

CHOICE = "lang"
KEPT_FOR = 90 * 24 * 3600  # seconds


def choose(request: HttpRequest) -> str:
    """The language that the address asks for, active from now on; empty: none that we have, so the one before stays."""
    wanted = request.GET.get(CHOICE, "")
    if wanted not in dict(settings.LANGUAGES):
        return ""
    translation.activate(wanted)
    return wanted


def keep(response: HttpResponse, chosen: str) -> None:
    """For the pages that follow; it says nothing of who came."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, chosen, max_age=KEPT_FOR, secure=settings.SESSION_COOKIE_SECURE, httponly=True,
        samesite="Lax",
    )  # fmt: skip
