"""Keyset paging: a page begins after the last row of the one before, or ends before the first of the one after,
whatever was added or died meanwhile."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Window

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
    """One page of connections. `after`: where the next begins, `before`: where the previous ends, empty where there is
    none. `count`: of all that match."""

    rows: list[Connection]
    after: str
    before: str
    count: int


def page_of(rows: ConnectionQuerySet, sort: Sort = sorting.URGENCY, *, after: str = "", before: str = "") -> Page:
    """Sorted and cut by key alone, then the few that are shown are read: wide rows make a sort slow.

    The first page counts in the same walk, so that a search looks at every row once; another one counts by itself.
    """
    rows = sort.arrange(rows)
    end = place_from(before, sort) if before else None
    if end and len(keys := _keys(rows.filter(sort.before(end)).reverse())) > PAGE_SIZE:
        shown = list(shown_in_list(rows.filter(pk__in=keys[:PAGE_SIZE])))
        return Page(
            rows=shown, after=place_of(shown[-1], sort), before=place_of(shown[0], sort), count=capped_count(rows)
        )
    begin = place_from(after, sort) if after else None
    if begin:
        keys, count = _keys(rows.filter(sort.after(begin))), capped_count(rows)
    else:
        keys, count = _counted_keys(rows)
    shown = list(shown_in_list(rows.filter(pk__in=keys[:PAGE_SIZE])))
    return Page(
        rows=shown,
        after=place_of(shown[-1], sort) if len(keys) > PAGE_SIZE else "",
        before=place_of(shown[0], sort) if begin and shown else "",
        count=count,
    )


def _keys(rows: ConnectionQuerySet) -> list[int]:
    """Of one page, and one more where there is more."""
    return list(rows.values_list("pk", flat=True)[: PAGE_SIZE + 1])


def _counted_keys(rows: ConnectionQuerySet) -> tuple[list[int], int]:
    found = list(rows.annotate(total=Window(Count("*"))).values_list("pk", "total")[: PAGE_SIZE + 1])
    return [pk for pk, _ in found], found[0][1] if found else 0
