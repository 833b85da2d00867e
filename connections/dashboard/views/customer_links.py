"""Links for the customer: made and shown once, listed with what came of them, revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from connections.choices import LinkKind
from connections.custody.handout import find
from connections.custody.problems import Conflict
from connections.dashboard.rights import Asker, Right, needs, reason_without, require
from connections.dashboard.views.detail import connection_page
from connections.models import Connection
from connections.onboarding import links as customer_links


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.READ, deed="make_link")
def links(request: HttpRequest, asker: Asker, public_id: str) -> HttpResponse:
    row = find(public_id, asker.tenants)
    if request.method != "POST":
        return _page(request, asker, row)
    require(request, asker, Right.OPERATE)
    kind = request.POST.get("kind", "")
    if kind not in LinkKind.values:
        return _page(request, asker, row, status=422)
    return _make(request, asker, row, LinkKind(kind))


def _make(request: HttpRequest, asker: Asker, row: Connection, kind: LinkKind) -> HttpResponse:
    """Shown in this one answer: no redirect, since the address would have to wait somewhere in plain text."""
    given = request.POST.get("seen", "")
    seen = int(given) if given.isdecimal() and len(given) < 10 else -1
    try:
        issued = customer_links.issue(row.public_id, kind, asker.actor, tenants=asker.tenants, seen=seen)
    except customer_links.MadeMeanwhile:
        return _page(request, asker, row, is_stale=True, status=409)
    except Conflict as refused:
        return _page(request, asker, row, refused=refused.detail, status=409)
    return _page(request, asker, row, issued=issued, status=201)


def _page(request: HttpRequest, asker: Asker, row: Connection, *, status: int = 200, **context: Any) -> HttpResponse:
    reason = "" if asker.may(Right.OPERATE) else reason_without(Right.OPERATE, asker)
    looks = customer_links.of_connection(row)
    shared = {
        "looks": looks,
        "seen": row.links.count(),
        "asked_at": customer_links.new_one_wanted_at(looks),
        "why_no_sign_in": reason or customer_links.obstacle(row, LinkKind.SIGN_IN),
        "why_no_guide": reason or customer_links.obstacle(row, LinkKind.GUIDE),
        "may_operate": not reason,
    }
    return connection_page(request, asker, row, "links", shared | context, status=status)


@require_POST
@needs(Right.OPERATE, deed="revoke_link")
def revoke(request: HttpRequest, asker: Asker, public_id: str, link_id: str) -> HttpResponse:
    if customer_links.revoke(public_id, link_id, asker.actor, tenants=asker.tenants):
        messages.success(request, _("Revoked: %(link)s opens nothing any more.") % {"link": link_id})
    else:
        messages.success(request, _("%(link)s had been revoked before.") % {"link": link_id})
    return redirect("connections:links", public_id)
