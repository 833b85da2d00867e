"""What a watched page asks for: the frame alone, and the rows of a list in the order in which they stand there."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from connections.choices import Status
from connections.dashboard import queries
from connections.dashboard.paging import PAGE_SIZE
from connections.dashboard.rights import Asker, Right, needs
from connections.dashboard.shell import compare_page, page, surroundings
from connections.dashboard.wording import is_snoozed
from connections.models import Connection


@require_safe
@needs(Right.READ)
def frame(request: HttpRequest, asker: Asker) -> HttpResponse:
    """Banners, title and favicon, for pages whose own matter does not move."""
    return page(request, asker, "live.html")


@require_safe
@needs(Right.READ)
def rows(request: HttpRequest, asker: Asker) -> HttpResponse:
    """Cells change where they stand, rows keep their places; how many would stand elsewhere is told."""
    was = _read(request.GET.get("was", ""))
    found = {row.public_id: row for row in queries.rows_of(asker.tenants, list(was))}
    mark = compare_page(request, asker, *(_facts(row) for row in found.values()))
    context = {
        "rows": [found[public_id] for public_id in was if public_id in found],
        "gone": [public_id for public_id in was if public_id not in found],
        "changed": max(_changed(was, found), _more_urgent(request, asker)),
    }
    return page(request, asker, "connection_rows.html", context, mark=mark)


def rows_address(rows: list[Connection]) -> str:
    """The query that asks for these rows again: each with the status that it had when the page was made."""
    return ",".join(f"{row.public_id}.{row.status}" for row in rows)  # type: ignore[attr-defined]  # annotated


def _read(text: str) -> dict[str, str]:
    """Public id → status of then; what is no such pair is left out."""
    pairs = [one.partition(".")[::2] for one in text.split(",")[:PAGE_SIZE]]
    return {public_id: status for public_id, status in pairs if public_id.startswith("c_") and status in Status.values}


def _facts(row: Any) -> tuple[object, ...]:
    return (
        row.pk, row.status, is_snoozed(row), row.event_count, row.label, row.trouble_since, row.diagnosis_code,
        row.access_expires_at, row.access_dead_at, row.last_success_at,
    )  # fmt: skip


def _changed(was: dict[str, str], found: dict[str, Any]) -> int:
    return sum(public_id not in found or found[public_id].status != status for public_id, status in was.items())


def _more_urgent(request: HttpRequest, asker: Asker) -> int:
    """Connections that came to need a person, or ceased to, wherever they stand."""
    then = request.GET.get("urgent", "")
    if not then.isdecimal() or len(then) > 9:
        return 0
    return abs(surroundings(request, asker).urgent - int(then))
