"""Grants that people ask for, in the audit: one row that it was begun, before anything is sent, one for how it ended.

A grant outlives the request that asked for it, and may outlive nothing: where its process dies, or the audit cannot be
written, the first row stands alone, and the journal of attempts says the rest.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import InterfaceError, OperationalError, connection, transaction

from connections.choices import AuditOutcome
from connections.custody import audit
from connections.custody.audit import Actor
from connections.custody.problems import Conflict
from connections.custody.values import Goal
from connections.models import Connection, database_now

logger = logging.getLogger(__name__)

AGAIN_AFTER = (0.0, 0.3, 1.0)  # seconds: the database may be just failing over


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody asked for. `number`: of its first row in the audit."""

    row: Connection
    actor: Actor
    goal: Goal
    number: int
    told: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What a deed came to. `attempt`: the last one made; `code`: the diagnosis, as whoever asked is told it."""

    outcome: AuditOutcome
    attempt: int | None = None
    code: str = ""


def begin(row: Connection, actor: Actor, goal: Goal, **told: str) -> Deed:
    """Raises Conflict: what cannot be audited is not begun."""
    with transaction.atomic():
        number = audit.record_on(
            row, actor, str(goal), at=database_now(), outcome=AuditOutcome.BEGUN, difference=dict(told)
        )
    return Deed(row=row, actor=actor, goal=goal, number=number, told=told)


def end(deed: Deed, find_out: Callable[[], End]) -> End | None:
    """What was written, if anything was. Never raises: the grant has been made, whatever can be written about it."""
    for pause in AGAIN_AFTER:
        time.sleep(pause)
        try:
            found = find_out()
            _write(deed, found)
            return found
        except (OperationalError, InterfaceError):
            connection.close()
        except Conflict:
            break  # the key of the chain is gone: waiting brings it back to nobody
        except Exception:
            logger.exception("What a grant came to could not be worked out.", extra={"action": str(deed.goal)})
            break
    logger.error(
        "The end of a grant could not be audited.",
        extra={"action": str(deed.goal), "connection": deed.row.public_id, "begun": deed.number},
    )
    return None


def _write(deed: Deed, found: End) -> None:
    told = {"begun": deed.number, "attempt": found.attempt, "code": found.code}
    difference = deed.told | {name: value for name, value in told.items() if value}
    with transaction.atomic():
        audit.record_on(
            deed.row, deed.actor, str(deed.goal), at=database_now(), outcome=found.outcome, difference=difference
        )
