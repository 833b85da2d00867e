"""Whose a connection is and how it is tagged: changed at once, and taken back beside the word that says so."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from connections.custody.handout import find
from connections.dashboard.forms import Tags
from connections.dashboard.refusals import refuse_without_keys
from connections.dashboard.rights import Asker, Right, needs
from connections.models import Connection
from connections.onboarding import registry


@require_POST
@needs(Right.ADMINISTER, deed="edit")
def describe(request: HttpRequest, asker: Asker, public_id: str) -> HttpResponse:
    """`owner` or `tags`, from the form; the way back has what was before in its address."""
    row = find(public_id, asker.tenants)
    is_taken_back = bool(request.GET)
    wanted = _read(request.GET if is_taken_back else request.POST)
    before = urlencode(
        {name: " ".join(value) if name == "tags" else value for name, value in _now(row, wanted).items()}
    )
    try:
        refuse_without_keys()
        row = registry.edit(public_id, wanted, asker.actor, tenants=asker.tenants)
    except registry.InvalidFields as refused:
        messages.error(request, " ".join(text for texts in refused.errors.values() for text in texts))
        return redirect(row)
    undo = "" if is_taken_back or not wanted else f"{reverse('connections:describe', args=[public_id])}?{before}"
    messages.success(request, _told(row, wanted), extra_tags=undo)
    return redirect(row)


def _read(given: QueryDict) -> dict[str, Any]:
    wanted: dict[str, Any] = {"owner": given.get("owner", "").strip()} if "owner" in given else {}
    return wanted | ({"tags": Tags().to_python(given.get("tags", ""))} if "tags" in given else {})


def _now(row: Connection, wanted: dict[str, Any]) -> dict[str, Any]:
    """What of it stands there now."""
    told = {
        "owner": row.owner.get_username() if row.owner else "",
        "tags": sorted(tag.name for tag in row.tags.all()),
    }
    return {name: told[name] for name in wanted}


def _told(row: Connection, wanted: dict[str, Any]) -> str:
    now = _now(row, wanted)
    if "owner" in now:
        return _("Owner: %(name)s.") % {"name": now["owner"] or _("nobody")}
    if now.get("tags"):
        return _("Tags: %(tags)s.") % {"tags": ", ".join(now["tags"])}
    return _("No tags.")
