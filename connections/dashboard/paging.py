"""Keyset paging: a page begins after the last row of the one before, whatever was added or died meanwhile."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Value, Window

from connections.dashboard import sorting
from connections.dashboard.queries import capped_count, shown_in_list
from connections.dashboard.sorting import Sort
from connections.models import Connection
from connections.models.status import ConnectionQuerySet

PAGE_SIZE = 50


def place_of(row: Any, sort: Sort = sorting.URGENCY) -> str:
    """Where a row stands in an order, as the address carries it."""
    values = (getattr(row, key) for key in sort.keys)
    words = json.dumps(
        [value.isoformat() if isinstance(value, datetime) else value for value in values], ensure_ascii=False
    )
    return base64.urlsafe_b64encode(words.encode()).decode().rstrip("=")


def place_from(text: str, sort: Sort = sorting.URGENCY) -> tuple[Any, ...] | None:
    """None for what is no place in this order: a mangled link shows the first page, not an error."""
    try:
        words = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(words, list):
            return None
        return tuple(sorting.READ[key](word) for key, word in zip(sort.keys, words, strict=True))
    except (ValueError, TypeError, binascii.Error, OverflowError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of connections. `after`: where the next begins, empty at the end. `count`: of all that match."""

    rows: list[Connection]
    after: str
    count: int


def page_of(rows: ConnectionQuerySet, after: str, sort: Sort = sorting.URGENCY) -> Page:
    """Sorted and cut by key alone, then the few that are shown are read: wide rows make a sort slow.

    The first page counts in the same walk, so that a search looks at every row once; a later one counts by itself.
    """
    rows = sort.arrange(rows)
    place = place_from(after, sort) if after else None
    ordered = rows.filter(sort.after(place)) if place else rows
    total = Value(0) if place else Window(Count("*"))
    found: list[tuple[int, int]] = list(ordered.annotate(total=total).values_list("pk", "total")[: PAGE_SIZE + 1])
    keys = [pk for pk, _ in found[:PAGE_SIZE]]
    shown = list(shown_in_list(rows.filter(pk__in=keys)))
    count = capped_count(rows) if place else found[0][1] if found else 0
    return Page(rows=shown, after=place_of(shown[-1], sort) if len(found) > PAGE_SIZE else "", count=count)
