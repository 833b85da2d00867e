"""Who changed what: the whole audit, the audit of one connection, and exactly what is shown as CSV."""

from __future__ import annotations

from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from connections.choices import AuditOutcome
from connections.custody import audit
from connections.custody.handout import find
from connections.dashboard import queries
from connections.dashboard.auditing import MOST_EXPORTED, AuditFilters, as_csv, name_targets, page_of, readable
from connections.dashboard.deed_words import WORDS
from connections.dashboard.rights import Asker, Right, needs, require_fresh
from connections.dashboard.shell import page
from connections.dashboard.views.detail import connection_page
from connections.models import AuditCheck, database_now


@require_safe
@needs(Right.AUDIT)
def rows(request: HttpRequest, asker: Asker) -> HttpResponse:
    filters = AuditFilters.read(request.GET)
    matching = filters.narrow(readable(asker.tenants))
    found = page_of(matching, request.GET.get("before", ""))
    name_targets(found.rows)
    context = {
        "filters": filters,
        "chips": list(filters.chips()),
        "page": found,
        "count": queries.capped_count(matching),
        "most_counted": queries.MOST_COUNTED,
        "most_exported": MOST_EXPORTED,
        "actions": sorted(WORDS.items()),
        "outcomes": AuditOutcome.choices,
        "tenant_slugs": queries.tenant_slugs(asker.tenants),
        "checked": AuditCheck.objects.first(),
    }
    return page(request, asker, "audit.html", context, section="audit")


@require_safe
@needs(Right.AUDIT, deed="export_audit", is_export=True)
def export(request: HttpRequest, asker: Asker) -> HttpResponseBase:
    """The rows that the page shows under the same filters, on all of its pages; that they left the house is noted."""
    filters = AuditFilters.read(request.GET)
    require_fresh(request, back=f"{reverse('connections:audit')}?{filters.query()}")
    matching = filters.narrow(readable(asker.tenants))
    newest = matching.values_list("pk", flat=True).first() or 0
    with transaction.atomic():
        audit.record(asker.actor, "export_audit", at=database_now(), difference=filters.as_words())
    name = f"sugaradmin-audit-{database_now():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        as_csv(matching.filter(pk__lte=newest)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_safe
@needs(Right.AUDIT)
def of_connection(request: HttpRequest, asker: Asker, public_id: str) -> HttpResponse:
    row = find(public_id, asker.tenants)
    found = page_of(readable(asker.tenants).filter(target=row.public_id), request.GET.get("before", ""))
    whole = f"{reverse('connections:audit')}?{urlencode({'target': row.public_id})}"
    context = {"page": found, "before": found.before, "older": found.older, "whole": whole}
    return connection_page(request, asker, row, "audit", context)
