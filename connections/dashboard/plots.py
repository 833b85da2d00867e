"""Figures laid out for drawing: the server draws, so that a plot needs no script and says its numbers in a table too.

Every plot stretches to its place; words stand beside it as HTML, where they keep their size on a phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connections.choices import EventKind, Status
from connections.dashboard.figures import Latency, Series
from connections.dashboard.history import Stretch
from connections.dashboard.wording import at_clock, duration, title_of

HEIGHT = 100.0
WIDTH = 1000.0
GAP = 0.2  # of a column
THINNEST = 3.0  # of WIDTH: what lasted a second is still seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One rectangle; `kind` names its colour, `told` what it says when pointed at."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The same figures in words: a heading for each column, the first cell of a row is its head."""

    heads: list[str]
    rows: list[list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What the template draws. `marks` stand along the bottom, `top` is the value of the upper edge."""

    name: str
    title: str
    told: str
    boxes: list[Box]
    marks: list[str]
    table: Table
    top: str = ""
    legend: list[tuple[str, str]] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    """Kind and points of each line."""
    level: float | None = None
    """Where a level line runs, from above."""
    height: float = HEIGHT


def bars(name: str, series: Series, *, title: str, told: str, words: dict[str, str], level: int | None = None) -> Plot:
    """Stacked columns, one for each slot."""
    kinds = [kind for kind in words if kind in series.counts]
    sums = [sum(column) for column in zip(*(series.counts[kind] for kind in kinds), strict=True)]
    top = max([*sums, 1])
    is_near = level is not None and level <= top * 1.5
    if is_near and level is not None:
        top = max(top, level)
    return Plot(
        name=name,
        title=title,
        told=told,
        boxes=[box for number in range(len(sums)) for box in _column(series, kinds, words, number, top)],
        marks=_marks(series.slots, series.step),
        table=_series_table(series, kinds, words),
        top=f"{top:,}",
        legend=[(kind, words[kind]) for kind in kinds] if len(kinds) > 1 else [],
        level=HEIGHT * (1 - level / top) if is_near and level is not None else None,
    )


def _column(series: Series, kinds: list[str], words: dict[str, str], number: int, top: int) -> list[Box]:
    wide = WIDTH / len(series.slots)
    told = _told_of(series, kinds, words, number)
    boxes: list[Box] = []
    y = HEIGHT
    for kind in kinds:
        tall = HEIGHT * series.counts[kind][number] / top
        if tall:
            y -= tall
            box = Box(kind=kind, x=(number + GAP / 2) * wide, y=y, width=wide * (1 - GAP), height=tall, told=told)
            boxes.append(box)
    return boxes


def _told_of(series: Series, kinds: list[str], words: dict[str, str], number: int) -> str:
    counts = ", ".join(
        f"{words[kind]} {series.counts[kind][number]:,}" for kind in kinds if series.counts[kind][number]
    )
    return f"{at_clock(series.slots[number])}: {counts}"


def _series_table(series: Series, kinds: list[str], words: dict[str, str]) -> Table:
    slots = series.slots
    rows = [
        [_between(at, series.step), *(f"{series.counts[kind][number]:,}" for kind in kinds)]
        for number, at in enumerate(slots)
    ]
    return Table(heads=[_("From – to"), *(words[kind] for kind in kinds)], rows=rows)


def _between(at: datetime, step: timedelta) -> str:
    day = timedelta(days=1)
    begin = at_clock(at, is_dated=step > timedelta(hours=1))
    return begin if step >= day else f"{begin} – {at_clock(at + step)}"


def _marks(slots: Sequence[datetime], step: timedelta) -> list[str]:
    """The begin, the middle and the end of the axis."""
    is_dated = step * len(slots) > timedelta(days=1)
    ends = (slots[0], slots[len(slots) // 2], slots[-1] + step)
    return [at_clock(at, is_dated=is_dated) for at in ends]


def band(found: list[Stretch], *, start: datetime, now: datetime) -> Plot:
    """The status over time, as one bar; each flip is a row of its table."""
    whole = now - start
    boxes = [
        Box(
            kind=one.status,
            x=min(WIDTH * ((one.begin - start) / whole), WIDTH - THINNEST),
            y=0,
            width=max(WIDTH * (one.length / whole), THINNEST),
            height=24,
            told=f"{Status(one.status).label}, {at_clock(one.begin, is_dated=True)}, {duration(one.length)}",
        )
        for one in found
    ]
    is_dated = whole > timedelta(days=1)
    return Plot(
        name="band",
        title=_("Status over time"),
        told=_shares(found),
        boxes=boxes,
        marks=[at_clock(at, is_dated=is_dated) for at in (start, start + whole / 2, now)],
        table=Table(heads=[], rows=[]),
        legend=[(status, str(Status(status).label)) for status in dict.fromkeys(one.status for one in found)],
        height=24,
    )


def _shares(found: list[Stretch]) -> str:
    """`Healthy 23 h 10 min, Down 50 min.`"""
    lengths: dict[str, timedelta] = {}
    for one in found:
        lengths[one.status] = lengths.get(one.status, timedelta(0)) + one.length
    longest = sorted(lengths.items(), key=lambda pair: -pair[1])
    words = ", ".join(f"{Status(status).label} {duration(length)}" for status, length in longest)
    return f"{words}." if words else _("Nothing is known of this time.")


def why(one: Stretch) -> str:
    """What began a stretch, in words."""
    if one.event is None:
        return _("By the clock: its access token ended.")
    words = str(EventKind(one.kind).label)
    return f"{words}: {title_of(one.code)}" if one.code else words


def _pointed_at(found: list[Latency], *, start: datetime, whole: timedelta, step: timedelta) -> list[Box]:
    """One over each slot, seen only when it is pointed at: it says the figures."""
    told = _("%(slot)s: median %(p50)s ms, 95 %% within %(p95)s ms")
    is_dated = whole > timedelta(days=1)
    return [
        Box(
            kind="slot",
            x=WIDTH * max(0.0, (one.at - start) / whole),
            y=0.0,
            width=WIDTH * (step / whole),
            height=HEIGHT,
            told=told % {"slot": at_clock(one.at, is_dated=is_dated), "p50": f"{one.p50:,}", "p95": f"{one.p95:,}"},
        )
        for one in found
    ]


def lines(found: list[Latency], *, start: datetime, now: datetime, step: timedelta) -> Plot:
    """Median and 95th percentile over time, in milliseconds."""
    top = max([one.p95 for one in found], default=1) or 1
    whole = now - start

    def points(values: list[int]) -> str:
        """From the begin of each slot to its end, so that a single one is seen too."""
        places = [
            (WIDTH * min(1.0, (at - start) / whole), HEIGHT * (1 - value / top))
            for one, value in zip(found, values, strict=True)
            for at in (one.at, one.at + step)
        ]
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)

    medians, highs = [one.p50 for one in found], [one.p95 for one in found]
    total = sum(one.count for one in found)
    told = ngettext(
        "%(count)s answer to a grant; the slowest slot has 95 %% within %(top)s ms.",
        "%(count)s answers to grants; the slowest slot has 95 %% within %(top)s ms.",
        total,
    ) % {"count": f"{total:,}", "top": f"{top:,}"}
    is_dated = whole > timedelta(days=1)
    return Plot(
        name="latency",
        title=_("How fast the instance answers grants"),
        told=told,
        boxes=_pointed_at(found, start=start, whole=whole, step=step),
        lines=[("p95", points(highs)), ("p50", points(medians))],
        marks=[at_clock(at, is_dated=is_dated) for at in (start, start + whole / 2, now)],
        table=Table(
            heads=[_("From – to"), _("Answers"), _("Median"), _("95 % within")],
            rows=[[_between(one.at, step), f"{one.count:,}", f"{one.p50:,} ms", f"{one.p95:,} ms"] for one in found],
        ),
        top=f"{top:,} ms",
        legend=[("p50", _("Median")), ("p95", _("95 % within"))],
    )
