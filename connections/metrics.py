"""Figures for Prometheus. No customer's name is a label; nothing is kept between two scrapes.

Counters count since midnight UTC: bounded however long the history is, the same on every node, and for Prometheus a
counter that starts anew once a day, which it knows how to read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Min, Q, Sum
from django_q.brokers import get_broker
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from connections.choices import GRANT_KINDS, OPEN_STATES, AttemptState, Status
from connections.models import Attempt, Connection, Heartbeat, database_now

BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0)


class Fleet(Collector):
    """Reads everything at one moment of the database's clock."""

    def collect(self) -> Iterator[Metric]:
        now = database_now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        yield _connections()
        yield _refreshes(midnight)
        yield _refresh_seconds(midnight)
        yield _gauge("sugar_refresh_lag_seconds", "Age of the longest due refresh that has not begun.", _lag(now))
        yield _gauge("sugar_attempts_open", "Grants that are claimed or sent.", _open_attempts())
        yield _gauge("sugar_token_min_ttl_seconds", "Shortest life left in a living access token.", _least_life(now))
        yield _gauge("sugar_queue_depth", "Tasks that wait in the queue.", get_broker().queue_size())
        yield _gauge("sugar_worker_heartbeat_age_seconds", "Since the last sign of life of a worker.", _silence(now))


def exposition() -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Fleet())
    return generate_latest(registry)


def _gauge(name: str, text: str, value: float | None) -> Metric:
    """A family without a sample where there is nothing to measure."""
    family = GaugeMetricFamily(name, text)
    if value is not None:
        family.add_metric([], value)
    return family


def _connections() -> Metric:
    family = GaugeMetricFamily("sugar_connections", "Connections by status.", labels=["status"])
    present = Connection.objects.present().with_status().order_by()
    counted = dict(present.values_list("status").annotate(Count("pk")))  # type: ignore[misc]  # a name of with_status
    for status in Status:
        family.add_metric([status.value], counted.get(status.value, 0))
    return family


def _refreshes(midnight: datetime) -> Metric:
    family = CounterMetricFamily("sugar_refresh", "Grants since midnight UTC.", labels=["outcome", "code"])
    grants = Attempt.objects.filter(kind__in=GRANT_KINDS, claimed_at__gte=midnight).exclude(state__in=OPEN_STATES)
    for state, fault, count in grants.order_by().values_list("state", "fault").annotate(Count("pk")):
        family.add_metric([state, fault], count)
    return family


def _refresh_seconds(midnight: datetime) -> Metric:
    """From the first byte sent to the commit of the new version; bounds are cumulative, as Prometheus wants them."""
    duration = ExpressionWrapper(F("closed_at") - F("sent_at"), output_field=DurationField())
    settled = Attempt.objects.filter(
        kind__in=GRANT_KINDS, state=AttemptState.SETTLED, claimed_at__gte=midnight, sent_at__isnull=False
    ).annotate(duration=duration)
    within = {f"le_{n}": Count("pk", filter=Q(duration__lte=timedelta(seconds=le))) for n, le in enumerate(BUCKETS)}
    row = settled.aggregate(count=Count("pk"), total=Sum("duration"), **within)
    buckets = [(str(le), row[f"le_{n}"]) for n, le in enumerate(BUCKETS)]
    family = HistogramMetricFamily("sugar_refresh_seconds", "Duration of successful grants since midnight UTC.")
    family.add_metric([], buckets=[*buckets, ("+Inf", row["count"])], sum_value=_seconds(row["total"] or timedelta()))
    return family


def _lag(now: datetime) -> float:
    oldest = Connection.objects.present().filter(due_at__lte=now).aggregate(oldest=Min("due_at"))["oldest"]
    return _seconds(now - oldest) if oldest else 0.0


def _open_attempts() -> int:
    return Attempt.objects.filter(kind__in=GRANT_KINDS, state__in=OPEN_STATES).count()


def _least_life(now: datetime) -> float | None:
    living = Connection.objects.present().filter(access_expires_at__gt=now, access_dead_at__isnull=True)
    first = living.aggregate(first=Min("access_expires_at"))["first"]
    return _seconds(first - now) if first else None


def _silence(now: datetime) -> float:
    """Infinite where no worker was ever seen: an alert on a threshold must fire then too."""
    newest = Heartbeat.objects.aggregate(newest=Max("beat_at"))["newest"]
    return _seconds(now - newest) if newest else float("inf")


def _seconds(duration: timedelta) -> float:
    return max(duration.total_seconds(), 0.0)
