"""The keys that seal secrets: what needs each, how far sealing anew has come, which may go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_q.tasks import async_task

from connections.custody import guard, rekey
from connections.custody.rekey import KeyUse
from connections.dashboard.rights import Asker, Right, must_confirm, needs, require_everywhere
from connections.dashboard.shell import compare_page, page, surroundings
from connections.models import EncryptionKey

SECTION = "settings"
TASK = "connections.tasks.seal_anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One key as the page shows it. `since`: when this database first saw it."""

    use: KeyUse
    since: datetime | None


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.ADMINISTER, deed="rotate_encryption_key", is_dangerous=True)
def keys(request: HttpRequest, asker: Asker) -> HttpResponse:
    require_everywhere(asker, Right.ADMINISTER)
    if request.method == "POST":
        return _begin(request, asker)
    uses, standing = rekey.usage(), rekey.standing()
    known = dict(EncryptionKey.objects.values_list("key_id", "first_seen_at"))
    context = {
        "lines": [Line(use=use, since=known.get(use.key_id)) for use in uses],
        "total": standing.values,
        "behind": standing.behind,
        "done": standing.values - standing.behind,
        "of_tenants": standing.of_tenants,
        "trouble": guard.key_trouble(),
        "must_confirm": must_confirm(request),
    }
    mark = compare_page(request, asker, uses, standing, context["trouble"])
    return page(
        request, asker, "settings/keys.html", context,
        section=SECTION, mark=mark, live_at=reverse("connections:keys"), is_busy=bool(standing.behind),
    )  # fmt: skip


def _begin(request: HttpRequest, asker: Asker) -> HttpResponse:
    try:
        rekey.begin(asker.actor)
    except rekey.KeysDoNotFit as refused:
        messages.warning(request, _("Nothing was sealed anew: %(why)s") % {"why": refused})
    else:
        async_task(TASK, task_name="seal_anew")
        told = _("The background seals what is left, while everything runs. This page shows how far.")
        if surroundings(request, asker).is_silent:
            told = _("Waiting for the worker: what is left is sealed once the background runs again.")
        messages.success(request, told)
    return redirect("connections:keys")
