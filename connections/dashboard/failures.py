"""Failures of the whole fleet, grouped by diagnosis, host and message: one outage is one line, not two hundred."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, OuterRef, Q, QuerySet, Subquery

from connections.choices import FailureStanding
from connections.custody.handout import Tenants
from connections.dashboard.figures import HOUR, Series, Slot, counted
from connections.dashboard.queries import shown_in_list
from connections.models import Attempt, Connection, DatabaseNow, FailureMark
from connections.onboarding.addresses import host_of

SPANS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
MOST_GROUPS = 200
MOST_AFFECTED = 200
SPARKS = 24
OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Failures of one kind. `standing`: open, acknowledged or ignored; `sparks`: of each of the last 24 hours."""

    failure: str
    code: str
    host: str
    message: str
    count: int
    connections: int
    first_at: datetime
    last_at: datetime
    standing: str = OPEN
    mark: FailureMark | None = None
    sparks: tuple[int, ...] = ()


def groups(tenants: Tenants, now: datetime, *, span: timedelta) -> list[Group]:
    """Those with failures within `span`, the most connections first."""
    found = list(_grouped(_seen(tenants), since=now - span)[:MOST_GROUPS])
    names = [one["failure"] for one in found]
    marks = _marks(names, tenants, now)
    firsts = dict(_seen(tenants).filter(failure__in=names).values_list("failure").annotate(first=Min("claimed_at")))
    sparks = _sparks(_seen(tenants).filter(failure__in=names), now)
    return [_group(one, marks.get(one["failure"]), firsts, sparks) for one in found]


def top_groups(tenants: Tenants, now: datetime, limit: int = 5) -> list[Group]:
    """Of the last 24 hours, in one query, for a page that shows only the greatest."""
    found = _grouped(_seen(tenants), since=now - SPANS["24h"])[:limit]
    return [_group(one, None, {}, {}) for one in found]


def group(failure: str, tenants: Tenants, now: datetime) -> Group | None:
    """One group over everything that is kept; None where this person sees no failure of it."""
    mine = _seen(tenants).filter(failure=failure)
    found = _grouped(mine, since=None).first()
    if found is None:
        return None
    mark = _marks([failure], tenants, now).get(failure)
    return _group(found, mark, {}, _sparks(mine, now))


def _seen(tenants: Tenants) -> QuerySet[Attempt]:
    failed = Attempt.objects.exclude(failure="").order_by()
    return failed if tenants is None else failed.filter(connection__tenant_id__in=tenants)


def _grouped(rows: QuerySet[Attempt], *, since: datetime | None) -> Any:
    if since is not None:
        rows = rows.filter(claimed_at__gte=since)
    return (
        rows.values("failure")
        .annotate(
            count=Count("*"),
            connections=Count("connection", distinct=True),
            first=Min("claimed_at"),
            last=Max("claimed_at"),
            code=Max("diagnosis_code"),
            address=Max("instance_url"),  # of one host all: it is part of the fingerprint, and no join is needed
            message=Max("error_message"),
            error=Max("error"),
            fault=Max("fault"),
            preflight=Max("preflight_fault"),
        )
        .order_by("-connections", "-count", "failure")
    )


def _sparks(rows: QuerySet[Attempt], now: datetime) -> dict[str, tuple[int, ...]]:
    start = now - HOUR * SPARKS
    slotted = rows.filter(claimed_at__gte=start).annotate(slot=Slot("claimed_at", start=start, step=HOUR))
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * SPARKS)
    for failure, slot, count in slotted.values_list("failure", "slot").annotate(count=Count("*")):
        counts[failure][min(slot, SPARKS - 1)] += count
    return {failure: tuple(found) for failure, found in counts.items()}


def _group(
    found: dict[str, Any],
    mark: FailureMark | None,
    firsts: dict[str, datetime],
    sparks: dict[str, tuple[int, ...]],
) -> Group:
    name = found["failure"]
    return Group(
        failure=name,
        code=found["code"],
        host=host_of(found["address"]),
        message=found["message"] or found["error"] or found["fault"] or found["preflight"],
        count=found["count"],
        connections=found["connections"],
        first_at=firsts.get(name, found["first"]),
        last_at=found["last"],
        standing=FailureStanding(mark.standing).value if mark else OPEN,
        mark=mark,
        sparks=sparks.get(name, (0,) * SPARKS),
    )


def _marks(names: list[str], tenants: Tenants, now: datetime) -> dict[str, FailureMark]:
    """The one that stands for each group, of those that this person may know. With a time it ends by itself.

    Marks of tenants stand together: one whose failures he sees and nobody marked leaves the group open.
    """
    rows = FailureMark.objects.filter(Q(until=None) | Q(until__gt=now), failure__in=names)
    if tenants is not None:
        rows = rows.filter(Q(tenant=None) | Q(tenant__in=tenants))
    found: dict[str, dict[int | None, FailureMark]] = defaultdict(dict)
    for mark in rows:
        found[mark.failure][mark.tenant_id] = mark
    shared = [name for name, marks in found.items() if marks.keys() - {None}]
    whose = _whose(shared, tenants) if shared else {}
    stand = ((name, _newest(marks, whose.get(name, set()))) for name, marks in found.items())
    return {name: mark for name, mark in stand if mark is not None}


def _whose(names: list[str], tenants: Tenants) -> dict[str, set[int]]:
    whose: dict[str, set[int]] = defaultdict(set)
    rows = _seen(tenants).filter(failure__in=names).values_list("failure", "connection__tenant_id")
    for failure, tenant in rows.distinct():
        whose[failure].add(tenant)
    return whose


def _newest(marks: dict[int | None, FailureMark], tenants: set[int]) -> FailureMark | None:
    told = [marks[None]] if None in marks else []
    if tenants and tenants <= marks.keys():
        told += [marks[tenant] for tenant in tenants]
    return max(told, key=lambda mark: mark.at, default=None)


def by_slot(failure: str, tenants: Tenants, now: datetime) -> Series:
    """Of the last seven days, by four hours."""
    step = timedelta(hours=4)
    length = SPANS["7d"] // step
    start = now - SPANS["7d"]
    rows = _seen(tenants).filter(failure=failure, claimed_at__gte=start)
    slotted = rows.annotate(slot=Slot("claimed_at", start=start, step=step)).values_list("slot")
    found = ((min(slot, length - 1), "bad", count) for slot, count in slotted.annotate(count=Count("*")))
    return counted(found, start=start, step=step, length=length, kinds=["bad"])


def affected(failure: str, tenants: Tenants) -> list[Connection]:
    """Its connections that are still there: how they are now, how often it befell them, their newest such attempt."""
    mine = _seen(tenants).filter(failure=failure)
    of_one = mine.filter(connection=OuterRef("pk"))
    found = Connection.objects.present().filter(pk__in=mine.values("connection")).with_status()
    rows: Any = found.annotate(
        now=DatabaseNow(),
        failed=Subquery(of_one.values("connection").annotate(count=Count("*")).values("count")),
        newest=Subquery(of_one.order_by("-number").values("number")[:1]),
        failed_at=Subquery(of_one.order_by("-number").values("claimed_at")[:1]),
    )
    return list(shown_in_list(rows.order_by("-failed_at", "pk"))[:MOST_AFFECTED])
