"""The pages of a demo: buttons that break things, and all pieces of the design on one page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from connections.choices import DiagnosisCode, EventKind, Status
from connections.dashboard import queries
from connections.dashboard.rights import Asker, Right, needs
from connections.dashboard.shell import compare_page, page, surroundings
from connections.demo import surroundings as demo
from connections.demo.scenes import (
    ASLEEP_SECONDS,
    SCENES,
    Scene,
    put_background_to_sleep,
    scene,
    wake_background,
)
from connections.demo.stage import KEY, NEW_PASSWORD, PASSWORD, USER
from connections.diagnosis import CATALOGUE
from connections.simulator import Control, ControlFailed

BACKGROUND = "background"
SHOWN = 3  # connections of one scene


@require_safe
@needs(Right.READ)
def scenes(request: HttpRequest, asker: Asker) -> HttpResponse:
    is_asleep = demo.is_background_asleep()
    mark = compare_page(request, asker, queries.newest_event(), is_asleep)
    context = {
        "scenes": [_told(one) for one in SCENES],
        "password": PASSWORD,
        "new_password": NEW_PASSWORD,
        "username": USER,
        "key": KEY,
        "may_play": asker.may(Right.OPERATE),
        "asleep_seconds": round(ASLEEP_SECONDS),
        "is_asleep": is_asleep,
        "is_silent": bool(surroundings(request, asker).silent),
    }
    return page(request, asker, "demo/scenes.html", context, section="demo", mark=mark, live_at=request.path)


def _told(one: Scene) -> dict[str, Any]:
    """What the customer's admin can do is offered while one of its connections still suffers from it."""
    befell = list(one.connections())
    is_amendable = one.amends is not None and any(row.diagnosis_code == one.code for row in befell)
    return {"scene": one, "befell": befell[:SHOWN], "is_amendable": is_amendable}


@require_POST
@needs(Right.OPERATE)
def play(request: HttpRequest, asker: Asker, name: str) -> HttpResponse:
    if name == BACKGROUND:
        is_asleep = put_background_to_sleep()
        if is_asleep:
            messages.warning(request, _("The background sleeps. Within a minute every page says so."))
        else:
            messages.error(request, _("The background has not shown a sign of life yet: try again in some seconds."))
        return _back(name)
    try:
        public_id = _named(name).play(Control(demo.simulator_url()), asker.actor)
    except (ControlFailed, OSError):
        messages.error(request, _("The simulated Sugar does not answer: start the demo again."))
        return _back(name)
    address = reverse("connections:detail", args=[public_id])
    told = _("It has happened. Look at the connection that it befell:")
    messages.warning(request, format_html('{} <a href="{}">{}</a>', told, address, public_id))
    return _back(name)


@require_POST
@needs(Right.OPERATE)
def amend(request: HttpRequest, asker: Asker, name: str) -> HttpResponse:
    if name == BACKGROUND:
        wake_background()
        messages.success(request, _("The background is awake."))
        return _back(name)
    try:
        _named(name).amend(Control(demo.simulator_url()))
    except (ControlFailed, OSError):
        messages.error(request, _("The simulated Sugar does not answer: start the demo again."))
        return _back(name)
    messages.success(request, _("Done in the simulated Sugar. The next look, within half a minute, finds it."))
    return _back(name)


def _named(name: str) -> Scene:
    found = scene(name)
    if found is None:
        raise Http404(_("There is no such scene."))
    return found


def _back(name: str) -> HttpResponse:
    return redirect(f"{reverse('demo:scenes')}#{name}")


@require_safe
@needs(Right.READ)
def styleguide(request: HttpRequest, asker: Asker) -> HttpResponse:
    now = surroundings(request, asker).now
    told = [
        (EventKind.REFRESHED, "Refreshed: version 19, good until 14:15:31 UTC.", timedelta(minutes=55)),
        (EventKind.REPORTED, "A worker was refused with version 19: 401 invalid_grant.", timedelta(minutes=12)),
        (EventKind.CHAIN_DIED, "Refresh of version 19 refused: 400 invalid_grant", timedelta(minutes=4)),
        (EventKind.PAUSED, "Paused by staff.", timedelta(seconds=40)),
    ]
    context = {
        "themes": [("light", _("Light")), ("dark", _("Dark"))],
        "statuses": [(status, Status(status).label, number) for number, status in enumerate(queries.URGENCY)],
        "superseded": CATALOGUE[DiagnosisCode.REFRESH_TOKEN_SUPERSEDED],
        "told": [(kind, kind.label, said, now - ago) for kind, said, ago in told],
        "dies_at": now + timedelta(minutes=12),
        "sparks": [0, 0, 1, 3, 2, 0, 0, 5, 9, 4, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 1],
    }
    return page(request, asker, "demo/styleguide.html", context, section="styleguide")
