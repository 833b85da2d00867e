"""A connection that was deleted: what it was, as long as its row is kept."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

from connections.choices import EventKind
from connections.custody.problems import NotFound
from connections.dashboard import auditing, queries
from connections.dashboard.rights import Asker, Right
from connections.dashboard.shell import page


def tombstone(request: HttpRequest, asker: Asker, public_id: str) -> HttpResponse:
    """410, with its audit for who may see it. Raises NotFound, also for another tenant's."""
    row = queries.deleted(public_id, asker.tenants)
    if row is None:
        raise NotFound
    context: dict[str, Any] = {"row": row, "end": queries.events_of(row).filter(kind=EventKind.DELETED).first()}
    if asker.may(Right.AUDIT):
        rows = auditing.readable(asker.tenants).filter(target=public_id)
        context["page"] = auditing.page_of(rows, request.GET.get("before", ""))
        context |= {"before": context["page"].before, "older": context["page"].older}
    return page(request, asker, "detail/gone.html", context, section="connections", status=HTTPStatus.GONE)
