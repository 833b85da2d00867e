"""Finds connections by what people know of them: the filters of the list, for the API, the commands and the pages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from connections.custody.handout import Tenants, visible
from connections.models import Connection, DatabaseNow
from connections.models.status import ConnectionQuerySet


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is empty does not narrow. `text` looks at label, id, external id, host and user, without case."""

    statuses: Collection[str] = ()
    tenant: str = ""
    tag: str = ""
    external_id: str = ""
    text: str = ""


def matching(wanted: Filter, *, tenants: Tenants = None) -> ConnectionQuerySet:
    """In the order in which they were created; annotated with status, dies_at and now, tenants selected."""
    rows: ConnectionQuerySet = Connection.objects.present().with_status().annotate(now=DatabaseNow())
    rows = rows.select_related("tenant").filter(visible(tenants)).order_by("pk")
    if wanted.statuses:
        rows = rows.filter(Q(status__in=list(wanted.statuses)))  # the stubs know no annotation of a queryset's own
    if wanted.tenant:
        rows = rows.filter(tenant__slug=wanted.tenant)
    if wanted.tag:
        rows = rows.filter(tags__name=wanted.tag)
    if wanted.external_id:
        rows = rows.filter(external_id=wanted.external_id)
    return rows.filter(_mentions(wanted.text)) if wanted.text else rows


def _mentions(text: str) -> Q:
    return (
        Q(label__icontains=text)
        | Q(public_id__iexact=text)
        | Q(external_id__icontains=text)
        | Q(host__icontains=text)
        | Q(username__icontains=text)
    )
