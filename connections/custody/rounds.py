"""The background's work: take what is due, do the next thing for each, prune. Same code as for a single refresh."""

from __future__ import annotations

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from connections.choices import Trigger
from connections.custody import guard, reads, spool, wire
from connections.custody.ledger import upkeep
from connections.custody.sending import climb, ping_living
from connections.custody.values import Decline, Goal, Want
from connections.models import Connection, database_now

logger = logging.getLogger(__name__)

TRIES_PER_SESSION = 3
CLAIM_FOR = 30.0  # seconds: then the round ends and the ticker starts the next one


def tend_due(*, most_seconds: float = CLAIM_FOR) -> int:
    """One round: as many at once as the pool can send, until nothing is due or the time is up."""
    spool.replay()
    if guard.is_foreign():
        return 0
    until = time.monotonic() + most_seconds
    threads = settings.SUGARADMIN.pool_threads
    done = 0
    with ThreadPoolExecutor(threads, thread_name_prefix="round") as pool:
        running: set[Future[None]] = set()
        while True:
            room = threads - len(running)
            taken = upkeep.take_due(room, lease=_lease()) if room and time.monotonic() < until else []
            running |= {pool.submit(_tend, pk) for pk in taken}
            if not running:
                return done
            finished, running = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            done += len(finished)


def _lease() -> timedelta:
    """Longer than one attempt may take; its ledger writes set the true due time long before."""
    config = settings.SUGARADMIN
    return config.send_by + config.grant_deadline + timedelta(seconds=30)


def _tend(pk: int) -> None:
    try:
        _insist(pk)
    except Exception:
        # The loop's outermost guard: one bad row must not stop the round; its lease brings it back.
        logger.exception("A connection could not be tended.", extra={"action": "tend"})
    finally:
        connection.close()


def _insist(pk: int) -> None:
    """A fail-over leaves dead sessions in the pool. Whoever meets one asks again with a good one: to tend twice is
    safe, the claim decides, and the lease would keep the connection from everybody for a minute."""
    for _ in range(TRIES_PER_SESSION - 1):
        try:
            tend(pk)
            return
        except (OperationalError, InterfaceError):
            wire.renew_database()
    tend(pk)


def tend(pk: int) -> str:
    """The next thing for one connection: proof, look, or grant. Returns a word."""
    row = reads.due(pk)
    if row is None:
        return "gone"
    if not _may_ask_host(row):
        return "waiting"
    if row.deleted_at is None and row.held_at is None and _is_look_due(row):
        ping_living(row)
        if not _is_grant_due(pk):
            return "looked"
    return _grant(pk, row)


def _may_ask_host(row: Connection) -> bool:
    """A host that does not answer is probed by one; the others wait for what that finds."""
    probe_at: datetime | None = row.probe_at  # type: ignore[attr-defined]  # annotated
    if probe_at is None:
        return True
    if probe_at <= database_now() and upkeep.take_host_probe(row.host, probe_at):
        return True
    upkeep.postpone(row.pk, max(probe_at, database_now()) + timedelta(seconds=1))
    return False


def _is_look_due(row: Connection) -> bool:
    if row.is_session_bound or row.access_dead_at is not None:
        return False
    return row.probe_due_at is not None and row.probe_due_at <= row.now  # type: ignore[attr-defined]  # annotated


def _is_grant_due(pk: int) -> bool:
    row = Connection.objects.get(pk=pk)
    return row.due_at is not None and row.due_at <= database_now()


def _grant(pk: int, row: Connection) -> str:
    want = Want(goal=Goal.KEEP, trigger=Trigger.BACKGROUND, actor="background")
    done = climb(pk, want)
    declined = done.declined
    if declined is not None and declined.reason != Decline.BUSY:
        upkeep.plan_again(pk, not_before=declined.retry_at)
    return str(done.last.result) if done.last else str(declined.reason) if declined else "nothing"
