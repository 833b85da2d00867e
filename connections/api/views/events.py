"""History, oldest first, with a cursor that a reader can tail: it never passes an event that is not committed yet."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Func, Q, QuerySet
from django.db.models.sql.compiler import SQLCompiler
from django.http import HttpResponse

from connections.api.entrance import Call, answer
from connections.api.reading import cursor_to
from connections.custody import handout
from connections.models import DatabaseLater, Event
from connections.onboarding.representation import event_as_json

BEGINNING = "0"
LONGEST_TRANSACTION = 600
"""Seconds. Ours last milliseconds; a row this old is shown in any case: other databases of the same server share its
transaction numbers, and a long job there must not hold our history back for hours. Numbers also wrap in the end."""


class NoOlderIsOpen(Func):
    """True when every transaction that could still bring an older event has ended.

    Ids are given out in one order and committed in another. PostgreSQL tells the oldest transaction still running;
    what was written by a yet older one has nothing uncommitted before it. SQLite has one writer at a time.
    """

    output_field = BooleanField()

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        table = connection.ops.quote_name(Event._meta.db_table)
        return f"(age({table}.xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid))", []

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        return "(1 = 1)", []


def index(call: Call) -> HttpResponse:
    tenants = call.tenants
    return _page(call, Event.objects.all() if tenants is None else Event.objects.filter(connection__tenant__in=tenants))


def of_connection(call: Call) -> HttpResponse:
    return _page(call, Event.objects.filter(connection=handout.find(call.public_id, call.tenants)))


def _page(call: Call, found: QuerySet[Event]) -> HttpResponse:
    after = call.query["after"] or BEGINNING
    is_settled = Q(NoOlderIsOpen()) | Q(at__lt=DatabaseLater(seconds=-LONGEST_TRANSACTION))
    rows = list(
        found.filter(is_settled, pk__gt=int(after)).select_related("connection").order_by("pk")[: call.query["limit"]]
    )
    last = str(rows[-1].pk) if rows else after
    return answer({"items": [event_as_json(row) for row in rows], "next": cursor_to(last)})
