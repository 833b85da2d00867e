"""The SQL twin of `diagnosis.status`: same conditions, same order; a test holds the two together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce, Greatest, Least

from connections.choices import Status, Trouble
from connections.models.clock import DatabaseNow

if TYPE_CHECKING:
    from connections.models.connection import Connection  # noqa: F401


def in_doubt() -> Q:
    return Q(trouble=Trouble.IN_DOUBT) | Q(answer_lost_at__isnull=False)


def needs_person() -> Q:
    """Custody said so; or nothing stored could renew the token, by state or by the clock alone."""
    nothing_left = Q(has_refresh_token=False) | Q(refresh_expires_at__lte=DatabaseNow())
    return Q(trouble=Trouble.PERSON) | (Q(password__isnull=True) & ~in_doubt() & nothing_left)


def access_lives() -> Q:
    return Q(access_expires_at__gt=DatabaseNow(), access_dead_at__isnull=True)


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def present(self) -> ConnectionQuerySet:
        return self.filter(deleted_at__isnull=True)

    def with_status(self) -> ConnectionQuerySet:
        """Adds `status` and `dies_at`."""
        return self.annotate(status=status_expression(), dies_at=per_status({Status.DYING: death()}, default=None))

    def due(self, now: datetime) -> ConnectionQuerySet:
        """What the background should look at, oldest first."""
        return self.filter(due_at__lte=now).order_by("due_at")


def status_expression() -> Case:
    return per_status({status: Value(status) for status in Status}, default=None)


def death() -> Least:
    """Until when the access token of a dying connection can be counted on."""
    doubtful = Coalesce(F("access_doubtful_until"), F("access_expires_at"))
    return Least(F("access_expires_at"), Greatest(doubtful, DatabaseNow()))


def per_status(results: Mapping[Status, Any], *, default: Any) -> Case:
    """What each status comes to, decided in one walk: the conditions and their order stand here alone.

    Where the last of them all come to the same, nothing is asked any more.
    """
    conditions = {
        Status.PAUSED: Q(paused_at__isnull=False) | Q(held_at__isnull=False),
        Status.DRAFT: Q(version_count=0),
        Status.DYING: needs_person() & access_lives(),
        Status.DOWN: needs_person(),
        Status.IN_DOUBT: in_doubt(),
        Status.UNREACHABLE: Q(trouble=Trouble.UNREACHABLE),
        Status.RETRYING: Q(trouble=Trouble.RETRYING),
    }
    nothing = Value(default)
    fallback = results.get(Status.HEALTHY, nothing)
    asked = [(condition, results.get(status, nothing)) for status, condition in conditions.items()]
    while asked and asked[-1][1] is fallback:
        asked.pop()
    return Case(*(When(condition, then=result) for condition, result in asked), default=fallback)
