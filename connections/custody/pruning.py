"""Old history goes; what custody reasons over, and the running chain, stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Max, Min, Q, QuerySet

from connections.choices import OPEN_STATES, AttemptState, VersionState
from connections.custody import audit, audit_proof, guard
from connections.custody.audit import Actor
from connections.models import (
    Attempt,
    AuditRow,
    Connection,
    CustomerLink,
    Event,
    IdempotentCall,
    TokenVersion,
    database_now,
)

BATCH = 1000
NEWEST_KEPT = 30  # per connection: what the rules look at


def prune(*, older_than: timedelta | None = None) -> int:
    """Deletes events, attempts and ended versions older than the retention, and what was deleted that long ago as a
    whole; returns how many rows went."""
    now = database_now()
    before = now - (older_than or settings.SUGARADMIN.retention)
    gone = Connection.objects.filter(deleted_at__lt=before)
    pruned = sum(_delete(rows) for rows in (_events(before), _versions(before), _attempts(before)))
    pruned += _delete(TokenVersion.objects.filter(connection__in=gone)) + _delete(gone)
    pruned += _delete(CustomerLink.objects.filter(expires_at__lt=before))
    return pruned + _delete(IdempotentCall.objects.filter(created_at__lt=now - timedelta(days=1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """How many rows pruning would delete now; of deleted connections not what goes with them."""

    events: int
    attempts: int
    versions: int
    connections: int
    audit: int


def due() -> Due:
    """Changes nothing."""
    now = database_now()
    before = now - settings.SUGARADMIN.retention
    last = max(_audit_due(now - settings.SUGARADMIN.audit_retention), audit_proof.cleared_to())
    return Due(
        events=_events(before).count(),
        attempts=_attempts(before).count(),
        versions=_versions(before).count(),
        connections=Connection.objects.filter(deleted_at__lt=before).count(),
        audit=AuditRow.objects.filter(pk__lte=last).count(),
    )


def prune_audit(actor: Actor = audit.BACKGROUND) -> int:
    """Deletes audit rows older than their own retention, and leaves a chain that can still be verified.

    1. walk along what is due: a chain that is broken there is left as it is. Raises audit_proof.AuditBroken
    2. write a checkpoint, a row of the chain like any other, which says up to where rows may be missing
    3. delete up to there, from the oldest on, if the checkpoint is ours; the database refuses to delete anything newer

    Whoever is stopped between 2 and 3 goes on at 3 the next time. Returns how many rows went.
    """
    if guard.key_trouble():
        return 0
    now = database_now()
    due = _audit_due(now - settings.SUGARADMIN.audit_retention)
    if due:
        _clear(due, actor, now)
    return _delete(AuditRow.objects.filter(pk__lte=audit_proof.cleared_to()))


def _audit_due(before: datetime) -> int:
    """Number of the last row that is too old, as are all before it; 0 where no checkpoint has to be moved."""
    kept = AuditRow.objects.filter(at__gte=before).aggregate(first=Min("id"))["first"]
    newest = AuditRow.objects.aggregate(newest=Max("id"), cleared=Max("cleared_to"))
    last = kept - 1 if kept else newest["newest"] or 0
    return last if last > (newest["cleared"] or 0) else 0


def _clear(due: int, actor: Actor, now: datetime) -> None:
    found = audit_proof.verify(up_to=due)
    if not found.is_whole or found.head is None:
        raise audit_proof.AuditBroken(f"The audit is broken at row {found.broken_at}: nothing of it was deleted.")
    difference = {"rows": found.rows, "digest": found.head.digest}
    audit.record(actor, "prune_audit", at=now, difference=difference, cleared_to=found.head.row)


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
