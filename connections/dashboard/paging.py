"""Keyset paging: a page begins after the last row of the one before, whatever was added or died meanwhile."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Value, Window

from connections.dashboard.queries import capped_count, shown_in_list
from connections.models import Connection
from connections.models.status import ConnectionQuerySet

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a row stands in the order of urgency."""

    rank: int
    moment: datetime
    name: str
    pk: int

    def after(self) -> Q:
        """Everything that comes later in the order."""
        same_rank = Q(rank=self.rank)
        same_moment = same_rank & Q(moment=self.moment)
        return (
            Q(rank__gt=self.rank)
            | (same_rank & Q(moment__gt=self.moment))
            | (same_moment & Q(name_key__gt=self.name))
            | (same_moment & Q(name_key=self.name, pk__gt=self.pk))
        )


def place_of(row: Any) -> str:
    """A row of `by_urgency`, as the address carries it."""
    words = json.dumps([row.rank, row.moment.isoformat(), row.name_key, row.pk], ensure_ascii=False)
    return base64.urlsafe_b64encode(words.encode()).decode().rstrip("=")


def place_from(text: str) -> Place | None:
    """None for what is no place: a mangled link shows the first page, not an error."""
    try:
        rank, moment, name, pk = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None or not isinstance(name, str):
            return None
        return Place(rank=int(rank), moment=at, name=name, pk=int(pk))
    except (ValueError, TypeError, binascii.Error, OverflowError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of connections. `after`: where the next begins, empty at the end. `count`: of all that match."""

    rows: list[Connection]
    after: str
    count: int


def page_of(rows: ConnectionQuerySet, after: str) -> Page:
    """Sorted and cut by key alone, then the few that are shown are read: wide rows make a sort slow.

    The first page counts in the same walk, so that a search looks at every row once; a later one counts by itself.
    """
    place = place_from(after) if after else None
    ordered = rows.filter(place.after()) if place else rows
    total = Value(0) if place else Window(Count("*"))
    found: list[tuple[int, int]] = list(ordered.annotate(total=total).values_list("pk", "total")[: PAGE_SIZE + 1])
    keys = [pk for pk, _ in found[:PAGE_SIZE]]
    shown = list(shown_in_list(rows.filter(pk__in=keys)))
    count = capped_count(rows) if place else found[0][1] if found else 0
    return Page(rows=shown, after=place_of(shown[-1]) if len(found) > PAGE_SIZE else "", count=count)
