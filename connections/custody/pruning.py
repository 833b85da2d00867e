"""Old history goes; what custody reasons over, and the running chain, stays."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet

from connections.choices import OPEN_STATES, AttemptState, VersionState
from connections.models import Attempt, Event, IdempotentCall, TokenVersion, database_now

BATCH = 1000
NEWEST_KEPT = 30  # per connection: what the rules look at


def prune(*, older_than: timedelta | None = None) -> int:
    """Deletes events, attempts and ended versions older than the retention; returns how many rows went."""
    now = database_now()
    before = now - (older_than or settings.SUGARADMIN.retention)
    pruned = sum(_delete(rows) for rows in (_events(before), _versions(before), _attempts(before)))
    return pruned + _delete(IdempotentCall.objects.filter(created_at__lt=now - timedelta(days=1)))


def _delete(rows: QuerySet) -> int:  # type: ignore[type-arg]
    """In batches, so that no lock lasts."""
    total = 0
    while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=pks).delete()
        total += len(pks)
    return total


def _events(before: datetime) -> QuerySet[Event]:
    return Event.objects.filter(at__lt=before, number__lt=F("connection__event_count") - NEWEST_KEPT)


def _versions(before: datetime) -> QuerySet[TokenVersion]:
    """Never the running chain (INV2), never one that still holds a secret."""
    is_running = Q(chain=F("connection__chain")) & Q(connection__deleted_at__isnull=True)
    old = TokenVersion.objects.filter(ended_at__lt=before, access_token__isnull=True, refresh_token__isnull=True)
    return old.exclude(state=VersionState.LIVE).exclude(is_running)


def _attempts(before: datetime) -> QuerySet[Attempt]:
    """Refused tries count for as long as the password they were made with is stored."""
    old = Attempt.objects.filter(claimed_at__lt=before, number__lt=F("connection__attempt_count") - NEWEST_KEPT)
    counts = Q(is_refused_try=True) & (
        Q(connection__password_set_at__isnull=True) | Q(closed_at__gt=F("connection__password_set_at"))
    )
    return old.exclude(counts).exclude(state__in=[*OPEN_STATES, AttemptState.ANSWERED])
