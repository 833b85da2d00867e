"""What staff decide about groups of failures: somebody is on it, or it is of no interest for a while.

A group may be of several tenants. Who is limited to some marks it for those alone, one mark each, and nobody else
learns of it; who may see all marks it once for everybody.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from connections.choices import FailureStanding
from connections.custody import audit
from connections.custody.audit import Actor
from connections.custody.handout import Tenants
from connections.models import FailureMark, Tenant, database_now


def mark(
    failure: str,
    standing: FailureStanding,
    actor: Actor,
    *,
    tenants: Tenants,
    reason: str = "",
    until: datetime | None = None,
) -> None:
    """Done twice is done once, with the newer words. The caller has seen that the group is the person's to see."""
    told = {"standing": standing, "reason": reason[:300], "until": until}
    with transaction.atomic():
        now = database_now()
        kept = told | {"at": now, "author": actor.name[:150]}
        whose: list[Tenant | None] = [None] if tenants is None else [*Tenant.objects.filter(pk__in=tenants)]
        for tenant in whose:
            FailureMark.objects.update_or_create(failure=failure, tenant=tenant, defaults=kept)
        for tenant in whose:
            audit.record(actor, "mark_failure", at=now, target=failure, tenant=tenant, difference=told)


def open_again(failure: str, actor: Actor, *, tenants: Tenants) -> None:
    """Who may see all opens it for everybody; who is limited for his tenants alone."""
    marks = FailureMark.objects.filter(failure=failure)
    marks = marks if tenants is None else marks.filter(tenant__in=tenants)
    with transaction.atomic():
        gone = list(marks.select_related("tenant"))
        marks.filter(pk__in=[one.pk for one in gone]).delete()
        for one in gone:
            audit.record(actor, "open_failure", at=database_now(), target=failure, tenant=one.tenant)
