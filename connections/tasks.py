"""django-q2's entry points, and what the ticker calls. Each takes ids or nothing, calls one function, returns a word.

Correctness never depends on the queue: a task may run twice, late, or not at all; what is due stands in the database.
"""

from __future__ import annotations

import logging
import os
import socket
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django_q.tasks import async_task

from connections.custody import audit_proof, copies, lent, pruning, rekey, rounds, spool
from connections.custody.audit import Actor
from connections.custody.ledger import upkeep
from connections.models import DatabaseLater, DatabaseNow, Heartbeat, Tenant, Turn, database_now
from connections.onboarding import drafts, erasure, letters, people

logger = logging.getLogger(__name__)

ROUND = "round"
PRUNE = "prune"
PRUNE_EVERY = timedelta(hours=6)
REKEY_SECONDS = 45  # well below the queue's own limit for a task
VERIFY = "verify"
VERIFY_EVERY = timedelta(days=1)
TAKE_BACK = "take_back"
TAKE_BACK_EVERY = timedelta(minutes=1)


def tick() -> None:
    """Every few seconds: whoever takes the turn enqueues what is due."""
    if upkeep.is_anything_due() and _take_turn(ROUND, settings.SUGARADMIN.tick):
        async_task("connections.tasks.tend_due", task_name="tend_due")
    if _take_turn(PRUNE, PRUNE_EVERY):
        async_task("connections.tasks.prune", task_name="prune")
    if _take_turn(VERIFY, VERIFY_EVERY):
        async_task("connections.tasks.verify_audit", task_name="verify_audit")
    if _take_turn(TAKE_BACK, TAKE_BACK_EVERY):
        lent.take_back_old()


def _take_turn(name: str, every: timedelta) -> bool:
    """Compare-and-set on one row: any number of tickers make one round."""
    later = DatabaseLater(seconds=every.total_seconds() * 0.9)
    due = Q(due_at__lte=DatabaseNow())
    if Turn.objects.filter(due, name=name).update(due_at=later):
        return True
    _, is_new = Turn.objects.get_or_create(name=name, defaults={"due_at": database_now() + every})
    return is_new


def tend_due() -> str:
    done = rounds.tend_due()
    if done and upkeep.is_anything_due():
        async_task("connections.tasks.tend_due", task_name="tend_due")
    return f"tended {done}"


def prune() -> str:
    pruned = pruning.prune() + drafts.expire() + people.forget_ended()
    try:
        return f"pruned {pruned + pruning.prune_audit()}"
    except audit_proof.AuditBroken as broken:
        logger.error("%s", broken, extra={"action": "prune_audit"})
        return f"pruned {pruned}"


def verify_audit() -> str:
    """The head goes to the log: kept elsewhere, it shows later that a tail was cut off."""
    found = audit_proof.check()
    if found.is_whole:
        logger.info("The audit is whole, %s rows; head %s", found.rows, found.head, extra={"action": "verify_audit"})
        return f"whole, {found.rows} rows"
    logger.error("The audit is broken at row %s", found.broken_at, extra={"action": "verify_audit"})
    return f"broken at {found.broken_at}"


def seal_anew() -> str:
    """Under the primary key, a portion at a time: a task that is killed loses nothing, and the next goes on."""
    try:
        done = rekey.rekey_for(REKEY_SECONDS)
    except rekey.KeysDoNotFit as refused:
        logger.error("Nothing was sealed anew: %s", refused, extra={"action": "rekey"})
        return "refused"
    if done is None:
        async_task("connections.tasks.seal_anew", task_name="seal_anew")
        return "goes on"
    return f"sealed {done.sealed}, {done.broken} broken"


def check_database() -> None:
    """Each node for itself: is this still the database that it knows?"""
    copies.check()


def beat() -> None:
    """The sign of life that pages, doctor and metrics look at."""
    now = database_now()
    sign = {"pid": os.getpid(), "beat_at": now, "ring": rekey.ids_held(), "spooled": sorted(spool.key_ids())}
    Heartbeat.objects.update_or_create(
        name=f"worker@{socket.gethostname()}",
        defaults=sign,
        create_defaults={**sign, "started_at": now},
    )
    Heartbeat.objects.filter(beat_at__lt=now - timedelta(days=1)).delete()


def mail_password_link(username: str) -> str:
    """To who forgot his password and has an address here. The link is made here, so that it stands in no queue."""
    return "sent" if letters.mail_password_link(username) else "nobody to send it to"


def mail_link_request(link_id: str) -> str:
    """To who sent the customer's link that does not open any more."""
    return f"told {letters.mail_link_request(link_id)}"


def erase_tenant(pk: int, name: str, address: str | None) -> str:
    """In the name of the admin who asked. Killed on the way, it is asked for again and goes on."""
    erased = erasure.erase(Tenant.objects.get(pk=pk), Actor(kind="staff", name=name, address=address))
    return f"{erased.connections} connections, {len(erased.data_keys)} keys"
