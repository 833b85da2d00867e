"""The keys that seal secrets: what needs each, how far sealing anew has come, which may go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_q.tasks import async_task

from connections.custody import guard, rekey, ring_changes
from connections.custody.audit import Actor
from connections.custody.rekey import KeyUse
from connections.custody.ring_changes import RingChangeRefused
from connections.dashboard.key_forms import NameForm
from connections.dashboard.rights import Asker, Right, must_confirm, needs, require_everywhere
from connections.dashboard.shell import compare_page, page, surroundings
from connections.models import EncryptionKey
from sugaradmin.keys import RETIRED_KEYS

SECTION = "settings"
TASK = "connections.tasks.seal_anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One key as the page shows it."""

    use: KeyUse
    since: datetime | None  # when this database first saw it
    needed: str  # why it may not go; empty when it may
    late: str  # workers that do not hold it yet, and so could not open what it seals


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.ADMINISTER, deed="rotate_encryption_key", is_dangerous=True)
def keys(request: HttpRequest, asker: Asker) -> HttpResponse:
    require_everywhere(asker, Right.ADMINISTER)
    if request.method == "POST":
        return _begin(request, asker)
    uses, standing = rekey.usage(), rekey.standing()
    lines, trouble = _lines(uses), guard.key_trouble()
    retired = EncryptionKey.objects.filter(retired_at__isnull=False).exclude(key_id__in=[use.key_id for use in uses])
    context = {
        "lines": lines,
        "retired": list(retired),
        "is_ours": ring_changes.is_ours(),
        "next_name": "" if trouble else ring_changes.free_name(),
        "total": standing.values,
        "behind": standing.behind,
        "done": standing.values - standing.behind,
        "of_tenants": standing.of_tenants,
        "trouble": trouble,
        "must_confirm": must_confirm(request),
    }
    mark = compare_page(request, asker, lines, standing, trouble)
    return page(
        request, asker, "settings/keys.html", context,
        section=SECTION, mark=mark, live_at=reverse("connections:keys"), is_busy=bool(standing.behind),
    )  # fmt: skip


def _lines(uses: list[KeyUse]) -> list[Line]:
    known = dict(EncryptionKey.objects.values_list("key_id", "first_seen_at"))
    nodes = ring_changes.nodes()
    return [
        Line(
            use=use,
            since=known.get(use.key_id),
            needed=ring_changes.why_needed(use, nodes) if use.is_held else "",
            late=", ".join(ring_changes.without(use.key_id, nodes)) if use.is_held and not use.is_primary else "",
        )
        for use in uses
    ]


@require_POST
@needs(Right.ADMINISTER, deed="add_key", is_dangerous=True)
def add_key(request: HttpRequest, asker: Asker) -> HttpResponse:
    require_everywhere(asker, Right.ADMINISTER)
    name = request.POST.get("name", "").strip()  # what the page offered: sent twice, it is one key
    told = _("%(key)s is made, and opens. Keep a copy of the file of keys, apart from the backups of the database.")
    return _change(request, asker, ring_changes.add, name, told)


@require_POST
@needs(Right.ADMINISTER, deed="make_key_primary", is_dangerous=True)
def make_key_primary(request: HttpRequest, asker: Asker, key_id: str) -> HttpResponse:
    require_everywhere(asker, Right.ADMINISTER)
    told = _("%(key)s seals from now on. Seal what is left anew below.")
    return _change(request, asker, ring_changes.make_primary, key_id, told)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.ADMINISTER, deed="retire_key", is_dangerous=True)
def retire_key(request: HttpRequest, asker: Asker, key_id: str) -> HttpResponse:
    require_everywhere(asker, Right.ADMINISTER)
    use = rekey.use_of(key_id)
    if use is None:
        raise Http404(key_id)
    form = NameForm(request.POST or None, expected=key_id)
    if request.method == "POST" and form.is_valid():
        return _change(request, asker, ring_changes.retire, key_id, _("%(key)s is retired."))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK
    context = {
        "key": key_id,
        "needed": ring_changes.why_needed(use, ring_changes.nodes()),
        "form": form,
        "is_ours": ring_changes.is_ours(),
        "file": RETIRED_KEYS,
        "must_confirm": must_confirm(request),
    }
    return page(request, asker, "settings/retire_key.html", context, section=SECTION, status=status)


def _change(
    request: HttpRequest, asker: Asker, change: Callable[[str, Actor], None], key_id: str, told: str
) -> HttpResponse:
    """`told`: what is said when it is done; a refusal says itself why."""
    try:
        change(key_id, asker.actor)
    except RingChangeRefused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, told % {"key": key_id})
    return redirect("connections:keys")


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
