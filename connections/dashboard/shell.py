"""What surrounds every page: where one is, whether the background lives, whether custody may act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from connections.choices import Theme
from connections.custody import guard
from connections.dashboard import live, queries
from connections.dashboard.rights import Asker, asker_of, zone_of
from connections.dashboard.wording import duration

THEME_COOKIE = "theme"
START_COMMAND = "manage.py serve --only worker"
LAYOUT = "connections/base.html"
BUSY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The frame of a page for a signed-in person."""

    asker: Asker
    section: str
    now: datetime
    zone: str
    """Name of the time zone in which its times are."""
    is_development: bool
    silence: str
    read_only: str
    urgent: int
    worst: str
    """Status of the most pressing connection, or empty: the shape of the favicon."""
    mark: str
    live: str
    """The address that the page asks again; see `dashboard.live`."""
    every: int
    """Milliseconds between two polls while somebody watches."""
    start_command: str = START_COMMAND

    @property
    def icon(self) -> str:
        return f"img/mark-{self.worst}.svg" if self.worst else "img/mark.svg"


def page(
    request: HttpRequest,
    asker: Asker,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    section: str = "",
    status: int = 200,
    mark: str = "",
    live_at: str = "",
    is_busy: bool = False,
) -> HttpResponse:
    """Render a page of the product inside its frame. `live_at`: where a page that stays fresh is asked again, `mark`:
    what `compare_page` made of what it shows; `is_busy`: something runs, so it is asked more often."""
    around = frame(request, asker, section=section, mark=mark, live_at=live_at, is_busy=is_busy)
    shown = {"shell": around, "layout": live.LAYOUT if live.is_poll(request) else LAYOUT, **(context or {})}
    response = render(request, f"connections/{template}", shown, status=status)
    if status == HTTPStatus.OK:
        response.headers["ETag"] = f'"{around.mark}"'
    return response


def page_for_anybody(
    request: HttpRequest, template: str, context: dict[str, Any], *, section: str = "", status: int = 200
) -> HttpResponse:
    """Help, and what is said where there is no page: staff see it inside their frame, everybody else alone."""
    asker = _staff(request)
    shown = {"section": section, **context}
    if asker is None:
        return render(request, template, shown, status=status)
    with timezone.override(zone_of(request, asker)):
        return render(request, template, shown | {"shell": frame(request, asker, section=section)}, status=status)


def surround(request: HttpRequest) -> dict[str, Any]:
    """For templates whose view knows of no frame: staff see it around whatever they are shown. Made when it is used."""

    def made() -> Shell | None:
        asker = _staff(request)
        return None if asker is None else frame(request, asker)

    return {"shell": SimpleLazyObject(made)}


def _staff(request: HttpRequest) -> Asker | None:
    """Who sees the frame: nobody who only asks what has changed, nor who has no role here."""
    user = getattr(request, "user", None)
    asker = asker_of(request) if user is not None and user.is_authenticated else None
    return None if asker is None or not asker.role or live.is_poll(request) else asker


def frame(
    request: HttpRequest,
    asker: Asker,
    *,
    section: str = "",
    mark: str = "",
    live_at: str = "",
    is_busy: bool = False,
) -> Shell:
    """What surrounds a page, also for views that render by themselves."""
    around = surroundings(request, asker)
    every = settings.SUGARADMIN.live
    return Shell(
        asker=asker,
        section=section,
        now=around.now,
        zone=zone_of(request, asker).key,
        is_development=settings.SUGARADMIN.development,
        silence=silence_sentence(around.silent),
        read_only=around.read_only,
        urgent=around.urgent,
        worst=around.worst,
        mark=mark or live.compare(request, *around.facts, around.now.minute),
        live=live_at or reverse("connections:live"),
        every=round(min(every, BUSY if is_busy else every) / timedelta(milliseconds=1)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every page shows besides its own matter."""

    now: datetime
    zone: str
    urgent: int
    worst: str
    silent: timedelta | None
    read_only: str
    role: str

    @property
    def is_silent(self) -> bool:
        """No worker gives a sign of life, or none ever did: nothing is done by itself, so nothing may be promised."""
        return self.silent is None or bool(self.silent)

    @property
    def facts(self) -> tuple[object, ...]:
        return self.urgent, self.worst, self.is_silent, self.read_only, self.role, self.zone


def surroundings(request: HttpRequest, asker: Asker) -> Surroundings:
    """Read once per request."""
    known: Surroundings | None = getattr(request, "_surroundings", None)
    if known is None:
        pressing = queries.pressing(asker.tenants)
        silent, now = queries.signs_of_life()
        known = Surroundings(
            now=now,
            zone=zone_of(request, asker).key,
            urgent=sum(pressing.values()),
            worst=next((status for status in queries.URGENCY if pressing.get(status)), ""),
            silent=silent,
            read_only=guard.read_only_reason(),
            role=asker.role,
        )
        request._surroundings = known  # type: ignore[attr-defined]
    return known


def compare_page(request: HttpRequest, asker: Asker, *facts: object) -> str:
    """The mark of a page that shows `facts`; relative times in its sentences are worth a new one each minute.

    Raises Unchanged where a poll brought the same mark along.
    """
    around = surroundings(request, asker)
    return live.compare(request, *around.facts, around.now.minute, *facts)


def silence_sentence(silent: timedelta | None) -> str:
    """Shouted from every page while no worker shows a sign of life."""
    if silent is None:
        return _("The background worker has never run here: nothing is refreshed.")
    if not silent:
        return ""
    return _("Background worker silent for %(span)s: refreshes are not running.") % {"span": duration(silent)}


def theme_of(request: HttpRequest) -> str:
    """What the person chose, on whatever machine; else what this browser chose; `auto` follows the system."""
    user = getattr(request, "user", None)
    known = asker_of(request).theme if user is not None and user.is_authenticated else ""
    chosen = known or request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in Theme.values else Theme.AUTO
