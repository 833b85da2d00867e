"""The list as CSV: the connections that a filter shows, on all of its pages, in their order and without any secret."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from connections.custody.handout import Tenants
from connections.dashboard.filters import Filters
from connections.dashboard.queries import listed, shown_in_list
from connections.onboarding import tables

MOST_EXPORTED = 100_000
ROWS_AT_ONCE = 500
COLUMNS = (
    "id", "status", "tenant", "external_id", "label", "tags", "instance_url", "platform", "username", "owner",
    "contact_name", "contact_email", "cause", "trouble_since", "dies_at", "access_expires_at", "access_dead_at",
    "last_success_at",
)  # fmt: skip


def keys_of(filters: Filters, tenants: Tenants) -> list[int]:
    """Which connections, in which order: settled at once, since both move while a slow reader reads."""
    rows = filters.sort.arrange(filters.narrow(listed(tenants)))
    return list(rows.values_list("pk", flat=True)[:MOST_EXPORTED])


def as_csv(keys: Sequence[int], tenants: Tenants) -> Iterator[str]:
    """Row by row, read in portions. What was deleted meanwhile is left out."""
    yield from tables.lines([COLUMNS])
    for start in range(0, len(keys), ROWS_AT_ONCE):
        portion = keys[start : start + ROWS_AT_ONCE]
        found = {row.pk: row for row in shown_in_list(listed(tenants).filter(pk__in=portion))}
        yield from tables.lines(_cells(found[key]) for key in portion if key in found)


def _cells(row: Any) -> tuple[Any, ...]:
    return (
        row.public_id, row.status, row.tenant.slug, row.external_id, row.label,
        sorted(tag.name for tag in row.tags.all()), row.instance_url, row.platform, row.username,
        row.owner and row.owner.get_username(), row.contact_name, row.contact_email, row.diagnosis_code,
        _instant(row.trouble_since), _instant(row.dies_at), _instant(row.access_expires_at),
        _instant(row.access_dead_at), _instant(row.last_success_at),
    )  # fmt: skip


def _instant(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
