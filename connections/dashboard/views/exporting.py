"""The list of connections as a file."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from connections.custody import audit
from connections.dashboard.exporting import as_csv, keys_of
from connections.dashboard.filters import Filters
from connections.dashboard.rights import Asker, Right, needs, require_fresh
from connections.models import database_now


@require_safe
@needs(Right.READ, deed="export_connections", is_export=True)
def export(request: HttpRequest, asker: Asker) -> HttpResponseBase:
    """What the list shows under the same filters, on all of its pages; that it left the house is noted."""
    filters = Filters.read(request.GET, request.user.get_username())
    require_fresh(request, back=f"{reverse('connections:list')}?{filters.query()}")
    keys, now = keys_of(filters, asker.tenants), database_now()
    with transaction.atomic():
        difference = {**filters.as_words(), "count": len(keys)}
        audit.record(asker.actor, "export_connections", at=now, difference=difference)
    return StreamingHttpResponse(
        as_csv(keys, asker.tenants),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="sugaradmin-connections-{now:%Y-%m-%d}.csv"'},
    )
