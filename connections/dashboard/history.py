"""The status of one connection over time, from its events, and how many of which kind befell it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, QuerySet, Subquery, Value, Window
from django.db.models.functions import Coalesce, Lag

from connections.choices import EventKind, Status
from connections.dashboard.figures import Series, Slot, counted
from connections.models import Connection, Event, TokenVersion

MOST_FLIPS = 500

# What an event looks like in a timeline: good, bad, doubtful, or a person's doing.
TONES: dict[str, str] = {
    EventKind.SIGNED_IN: "good",
    EventKind.REFRESHED: "good",
    EventKind.RECOVERED: "good",
    EventKind.GRANT_FAILED: "bad",
    EventKind.TOKEN_DIED: "bad",
    EventKind.CHAIN_DIED: "bad",
    EventKind.DIAGNOSED: "bad",
    EventKind.IN_DOUBT: "doubt",
    EventKind.REPORTED: "doubt",
    EventKind.ANSWER_KEPT: "doubt",
    EventKind.GRANT_ABANDONED: "doubt",
}
TONE_ORDER = ("good", "plain", "doubt", "bad")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """How far back a timeline looks, and how finely it counts: each step is a row of two tables, which stay short."""

    name: str
    length: timedelta
    step: timedelta

    @property
    def slots(self) -> int:
        return self.length // self.step


SPANS: dict[str, Span] = {
    span.name: span
    for span in (
        Span(name="24h", length=timedelta(hours=24), step=timedelta(hours=1)),
        Span(name="7d", length=timedelta(days=7), step=timedelta(hours=6)),
        Span(name="30d", length=timedelta(days=30), step=timedelta(days=1)),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """For how long it was in one status, and the event that began it (none: it began before, or by the clock)."""

    status: str
    begin: datetime
    end: datetime
    event: int | None = None
    kind: str = ""
    code: str = ""

    @property
    def length(self) -> timedelta:
        return self.end - self.begin


def stretches(row: Connection, *, start: datetime, now: datetime) -> list[Stretch]:
    """From `start`, or from its creation, until now, without gaps, oldest first."""
    found: list[Stretch] = []
    flips = _flips(row, start=start)
    deaths = _deaths(row, start=start) if any(flip.status == Status.DYING for flip in flips) else []
    for flip, following in zip(flips, [*flips[1:], None], strict=True):
        begin = max(flip.at, start)
        end = following.at if following else now
        if end > begin:
            stretch = Stretch(
                status=flip.status, begin=begin, end=end, event=flip.number, kind=flip.kind, code=flip.code
            )
            found += _split_at_death(stretch, deaths)
    return _joined(found)


def _flips(row: Connection, *, start: datetime) -> list[Event]:
    """The event that was newest at `start`, and those after it that changed the status."""
    told = Event.objects.filter(connection=row).exclude(status="")
    before = told.filter(at__lt=start).order_by("-number").values("number")[:1]
    was = Window(Lag("status", default=Value("")), order_by=F("number").asc())
    known = told.filter(number__gte=Coalesce(Subquery(before), Value(0))).annotate(was=was)
    return [*reversed(known.exclude(was=F("status")).order_by("-number")[:MOST_FLIPS])]


def _deaths(row: Connection, *, start: datetime) -> list[tuple[datetime, datetime]]:
    """When each access token was issued and ended, newest first."""
    versions = TokenVersion.objects.filter(connection=row, access_expires_at__gte=start).order_by("-number")
    return list(versions.values_list("issued_at", "access_expires_at"))


def _split_at_death(stretch: Stretch, deaths: list[tuple[datetime, datetime]]) -> list[Stretch]:
    """A dying connection goes down by the clock alone, without an event: when its access token ends."""
    if stretch.status != Status.DYING:
        return [stretch]
    end = next((end for issued, end in deaths if issued <= stretch.begin), None)
    if end is None or not stretch.begin < end < stretch.end:
        return [stretch]
    return [replace(stretch, end=end), Stretch(status=Status.DOWN, begin=end, end=stretch.end)]


def _joined(found: list[Stretch]) -> list[Stretch]:
    """Neighbours of one status are one stretch, begun by the first."""
    joined: list[Stretch] = []
    for one in found:
        if joined and joined[-1].status == one.status:
            joined[-1] = replace(joined[-1], end=one.end)
        else:
            joined.append(one)
    return joined


def events_by_slot(events: QuerySet[Event], *, start: datetime, span: Span) -> Series:
    """How many events of which tone fell into each slot."""
    slot = Slot("at", start=start, step=span.step)
    grouped: Any = events.filter(at__gte=start).annotate(slot=slot).values_list("slot", "kind").order_by()
    found = (
        (min(slot, span.slots - 1), TONES.get(kind, "plain"), count)
        for slot, kind, count in grouped.annotate(count=Count("pk"))
    )
    return counted(found, start=start, step=span.step, length=span.slots, kinds=list(TONE_ORDER))
