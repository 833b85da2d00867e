"""Who changed what: one row in the transaction of the change itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connections.models import AuditRow, Connection, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person or a key that asks for a change. `kind`: staff, key, command, link."""

    kind: str
    name: str
    address: str | None = None


BACKGROUND = Actor(kind="background", name="background")


def record(
    actor: Actor,
    action: str,
    *,
    at: datetime,
    target: str,
    tenant: Tenant | None = None,
    outcome: str = "ok",
    difference: dict[str, Any] | None = None,
) -> None:
    AuditRow.objects.create(
        at=at,
        actor_kind=actor.kind,
        actor=actor.name[:150],
        action=action,
        tenant=tenant,
        target=target,
        outcome=outcome,
        address=actor.address,
        difference=difference or {},
    )


def record_on(row: Connection, actor: Actor, action: str, *, at: datetime, **rest: Any) -> None:
    record(actor, action, at=at, target=row.public_id, tenant=row.tenant, **rest)
