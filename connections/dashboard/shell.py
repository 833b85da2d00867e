"""What surrounds every page: where one is, whether the background lives, whether custody may act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from connections.custody import guard
from connections.dashboard import queries
from connections.dashboard.rights import Asker
from connections.dashboard.wording import duration
from connections.models import database_now

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "theme"
START_COMMAND = "manage.py serve --only worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The frame of a page for a signed-in person."""

    asker: Asker
    section: str
    now: datetime
    is_development: bool
    silence: str
    read_only: str
    start_command: str = START_COMMAND


def page(
    request: HttpRequest,
    asker: Asker,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    section: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render a page of the product inside its frame."""
    shown = {"shell": frame(asker, section=section), **(context or {})}
    return render(request, f"connections/{template}", shown, status=status)


def frame(asker: Asker, *, section: str = "") -> Shell:
    """What surrounds a page, for views that render by themselves."""
    return Shell(
        asker=asker,
        section=section,
        now=database_now(),
        is_development=settings.SUGARADMIN.development,
        silence=silence_sentence(),
        read_only=guard.read_only_reason(),
    )


def silence_sentence() -> str:
    """Shouted from every page while no worker shows a sign of life."""
    silent = queries.silence()
    if silent is None:
        return _("The background worker has never run here: nothing is refreshed.")
    if not silent:
        return ""
    return _("Background worker silent for %(span)s: refreshes are not running.") % {"span": duration(silent)}


def theme_of(request: HttpRequest) -> str:
    """The person's choice; `auto` follows the system."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "auto"
