"""The numbers behind the plots: counted, sorted and cut by the database, one query for each plot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db.models import Count, F, Func, IntegerField, Q, QuerySet, Window
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Cast, RowNumber

from connections.choices import AttemptState
from connections.custody.handout import Tenants, visible
from connections.models import Attempt, Connection
from connections.models.attempt import IS_CLOSED_GRANT

HOUR = timedelta(hours=1)
HOURS_SHOWN = 24
REMEMBERED = 26 * 3600
LATEST_CLOSE = timedelta(minutes=15)  # after its claim: deadline, drain, and a node that was asleep
HORIZON = timedelta(hours=2)
HORIZON_STEP = timedelta(minutes=5)

# What a grant came to, as the plot tells it.
OUTCOMES: dict[str, tuple[AttemptState, ...]] = {
    "good": (AttemptState.SETTLED,),
    "refused": (AttemptState.REFUSED,),
    "unknown": (AttemptState.IN_DOUBT, AttemptState.ANSWERED, AttemptState.DISCARDED),
    "unsent": (AttemptState.ABANDONED,),
}


Hour = dict[str, int]
"""State of an attempt → how many."""


class Slot(Func):
    """Which slot of `step` since `start` a moment falls into, from 0 on; the same on both databases."""

    output_field = IntegerField()

    def __init__(self, moment: Any, *, start: datetime, step: timedelta) -> None:
        super().__init__(moment)
        self.start = start.timestamp()
        self.step = step.total_seconds()

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **extra: Any) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        return f"FLOOR((EXTRACT(EPOCH FROM {column}) - %s) / %s)::integer", (*params, self.start, self.step)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        seconds = f"(CAST(STRFTIME('%%s', {column}) AS REAL) - %s)"
        return f"CAST(FLOOR({seconds} / %s) AS INTEGER)", (*params, self.start, self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Counts of some kinds in slots of equal length."""

    start: datetime
    step: timedelta
    counts: dict[str, list[int]]

    @property
    def slots(self) -> list[datetime]:
        length = len(next(iter(self.counts.values())))
        return [self.start + self.step * number for number in range(length)]

    @property
    def totals(self) -> dict[str, int]:
        return {kind: sum(counts) for kind, counts in self.counts.items()}


def counted(
    found: Iterable[tuple[int, str, int]], *, start: datetime, step: timedelta, length: int, kinds: Sequence[str]
) -> Series:
    """Rows of (slot, kind, count) as a series; what lies outside the slots is left out."""
    counts = {kind: [0] * length for kind in kinds}
    for slot, kind, count in found:
        if 0 <= slot < length:
            counts[kind][slot] += count
    return Series(start=start, step=step, counts=counts)


def grants_by_hour(tenants: Tenants, now: datetime) -> Series:
    """Refreshes and sign-ins of the last 24 hours, by the whole hour and by what they came to.

    An hour that is long over changes no more: it is counted once and remembered in this process, so that a fleet with a
    million attempts costs a page only the hour that is running.
    """
    start = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - HOUR * (HOURS_SHOWN - 1)
    key = f"grants-by-hour:{'all' if tenants is None else ','.join(map(str, sorted(tenants)))}"
    cache = caches["process"]
    known: dict[datetime, Hour] = cache.get(key, {})
    hours = [start + HOUR * number for number in range(HOURS_SHOWN)]
    first = next(hour for hour in hours if hour not in known)
    fresh = _counted_from(first, tenants)
    shown = {hour: known[hour] if hour < first else fresh.get(hour, {}) for hour in hours}
    over = {hour: found for hour, found in shown.items() if hour + HOUR + LATEST_CLOSE < now}
    if over.keys() != known.keys():
        cache.set(key, over, timeout=REMEMBERED)
    return Series(
        start=start,
        step=HOUR,
        counts={
            name: [sum(shown[hour].get(state, 0) for state in states) for hour in hours]
            for name, states in OUTCOMES.items()
        },
    )


def _counted_from(first: datetime, tenants: Tenants) -> dict[datetime, Hour]:
    """Closed grants since `first`, which begins an hour, by hour and state."""
    rows = _of_tenants(Attempt.objects.filter(IS_CLOSED_GRANT, claimed_at__gte=first), tenants)
    grouped = rows.annotate(slot=Slot("claimed_at", start=first, step=HOUR)).values_list("slot", "state").order_by()
    found: dict[datetime, Hour] = defaultdict(dict)
    for slot, state, count in grouped.annotate(count=Count("*")):
        found[first + HOUR * slot][state] = count
    return found


def _of_tenants(rows: QuerySet[Attempt], tenants: Tenants) -> QuerySet[Attempt]:
    return rows if tenants is None else rows.filter(connection__tenant_id__in=tenants)


def expiry_horizon(tenants: Tenants, now: datetime) -> Series:
    """Access tokens that end within two hours, by five minutes: the work that is coming."""
    ending = Q(access_expires_at__gte=now, access_expires_at__lt=now + HORIZON, access_dead_at__isnull=True)
    rows = Connection.objects.present().filter(visible(tenants), ending).order_by()
    grouped = rows.annotate(slot=Slot("access_expires_at", start=now, step=HORIZON_STEP)).values_list("slot")
    found = ((slot, "ending", count) for slot, count in grouped.annotate(count=Count("*")))
    return counted(found, start=now, step=HORIZON_STEP, length=HORIZON // HORIZON_STEP, kinds=["ending"])


def refreshes_in_five_minutes() -> int:
    """What one worker manages at worst, each grant taking its whole deadline."""
    config = settings.SUGARADMIN
    return int(config.pool_threads * HORIZON_STEP / config.grant_deadline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long an instance took to answer grants in one slot, in milliseconds."""

    at: datetime
    count: int
    p50: int
    p95: int


def latency_of_instance(row: Connection, tenants: Tenants, *, start: datetime, step: timedelta) -> list[Latency]:
    """Nearest-rank percentiles of all grants that the instance of `row` answered; slots without one are left out."""
    same = Connection.objects.filter(visible(tenants), instance_url=row.instance_url).values("pk")
    answered = Attempt.objects.filter(
        IS_CLOSED_GRANT, connection__in=same, sent_at__gte=start, http_status__isnull=False
    ).order_by()
    took = Cast(KeyTransform("total_ms", KeyTransform("grant", "timings")), IntegerField())
    sized = answered.annotate(slot=Slot("sent_at", start=start, step=step), took=took).exclude(took=None)
    ranked = sized.annotate(
        rank=Window(RowNumber(), partition_by=[F("slot")], order_by=F("took").asc()),
        size=Window(Count("*"), partition_by=[F("slot")]),
    )
    # ceil(q * n), in whole numbers
    median, high = (F("size") + 1) / 2, (F("size") * 95 + 99) / 100
    kept = ranked.filter(Q(rank=median) | Q(rank=high)).values_list("slot", "size", "rank", "took")
    by_slot: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for slot, size, rank, value in kept:
        by_slot[slot].append((rank, value, size))
    return [_latency(start + step * slot, found) for slot, found in sorted(by_slot.items())]


def _latency(at: datetime, found: list[tuple[int, int, int]]) -> Latency:
    """One row where both percentiles are the same one."""
    found.sort()
    return Latency(at=at, count=found[0][2], p50=found[0][1], p95=found[-1][1])
