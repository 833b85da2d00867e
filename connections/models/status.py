"""The SQL twin of `diagnosis.status`: same conditions, same order; a test holds the two together."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Case, CharField, DateTimeField, F, Q, Value, When
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
        return self.annotate(status=status_expression()).annotate(
            dies_at=Case(
                When(
                    status=Status.DYING,
                    then=Least(
                        F("access_expires_at"),
                        Greatest(Coalesce(F("access_doubtful_until"), F("access_expires_at")), DatabaseNow()),
                    ),
                ),
                default=Value(None),
                output_field=DateTimeField(null=True),
            )
        )

    def due(self, now: datetime) -> ConnectionQuerySet:
        """What the background should look at, oldest first."""
        return self.filter(due_at__lte=now).order_by("due_at")


def status_expression() -> Case:
    return Case(
        When(Q(paused_at__isnull=False) | Q(held_at__isnull=False), then=Value(Status.PAUSED)),
        When(version_count=0, then=Value(Status.DRAFT)),
        When(needs_person() & access_lives(), then=Value(Status.DYING)),
        When(needs_person(), then=Value(Status.DOWN)),
        When(in_doubt(), then=Value(Status.IN_DOUBT)),
        When(trouble=Trouble.UNREACHABLE, then=Value(Status.UNREACHABLE)),
        When(trouble=Trouble.RETRYING, then=Value(Status.RETRYING)),
        default=Value(Status.HEALTHY),
        output_field=CharField(),
    )
