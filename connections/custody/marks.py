"""What staff decide about groups of failures: somebody is on it, or it is of no interest for a while."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from connections.choices import FailureStanding
from connections.custody import audit
from connections.custody.audit import Actor
from connections.models import FailureMark, database_now


def mark(
    failure: str, standing: FailureStanding, actor: Actor, *, reason: str = "", until: datetime | None = None
) -> None:
    """Done twice is done once, with the newer words. The caller has seen that the group is the person's to see."""
    with transaction.atomic():
        now = database_now()
        told = {"standing": standing, "reason": reason[:300], "until": until}
        FailureMark.objects.update_or_create(failure=failure, defaults={**told, "at": now, "author": actor.name[:150]})
        audit.record(actor, "mark_failure", at=now, target=failure, difference=told)


def open_again(failure: str, actor: Actor) -> None:
    with transaction.atomic():
        gone, _ = FailureMark.objects.filter(failure=failure).delete()
        if gone:
            audit.record(actor, "open_failure", at=database_now(), target=failure)
