"""Who changed what: one row in the transaction of the change itself, chained to the row before it."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import ipaddress
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import Q

from connections.choices import AuditOutcome
from connections.custody import keys
from connections.custody.problems import Conflict
from connections.models import AuditRow, Connection, Tenant, database_now
from connections.vault import VaultError

logger = logging.getLogger(__name__)

CHAIN_LOCK = 7_305_204_418_270_091  # any number that nothing else in this database locks


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person or a key that asks for a change. `kind`: staff, key, command, link, background.

    `key`: the public part of an API key. Its name says less: a successor often has the same, or somebody else's.
    """

    kind: str
    name: str
    address: str | None = None
    key: str = ""


BACKGROUND = Actor(kind="background", name="background")


def record(
    actor: Actor,
    action: str,
    *,
    at: datetime,
    target: str = "",
    tenant: Tenant | None = None,
    outcome: str = AuditOutcome.OK,
    difference: dict[str, Any] | None = None,
    cleared_to: int | None = None,
) -> int:
    """Inside the transaction of the change, and late in it: from here to its end others wait for the chain. Gives
    the number of the row.

    Raises Conflict where the key of the chain cannot be opened: what cannot be audited is not changed.
    """
    line = AuditRow(
        at=at,
        actor_kind=actor.kind,
        actor=actor.name[:150],
        action=action,
        tenant=tenant,
        target=target[:100],
        outcome=str(outcome),
        address=canonical_address(actor.address),
        difference=json.loads(json.dumps(_told(actor, difference), cls=DjangoJSONEncoder)),
        cleared_to=cleared_to,
    )
    with transaction.atomic():
        key = _chain_key()
        _lock_chain()
        newest = AuditRow.objects.order_by("-id").values_list("id", "digest").first() or (0, "")
        line.id, line.previous = newest[0] + 1, newest[1]
        line.digest = digest_of(line, key)
        line.save(force_insert=True)
    return line.id


def _told(actor: Actor, difference: dict[str, Any] | None) -> dict[str, Any]:
    return {**(difference or {}), **({"api_key": actor.key} if actor.key else {})}


def _chain_key() -> bytes:
    try:
        return keys.own_key(keys.AUDIT)
    except VaultError as refused:
        raise Conflict("read_only", f"Nothing is changed while it cannot be audited: {refused}") from None


def record_on(row: Connection, actor: Actor, action: str, *, at: datetime, **rest: Any) -> int:
    return record(actor, action, at=at, target=row.public_id, tenant=row.tenant, **rest)


def record_denied(actor: Actor, action: str, *, target: str = "") -> None:
    """What was asked for and not done. In a transaction of its own, when that of the request has been rolled back.

    `action`: as it is called where it is done. The customer whose connection it was about finds it too.
    A denial that cannot be written stays a denial.
    """
    is_about = Q(connections__public_id=target) | Q(drafts__public_id=target)
    tenant = Tenant.objects.filter(is_about).first() if target else None
    try:
        with transaction.atomic(durable=True):
            record(actor, action, at=database_now(), target=target, tenant=tenant, outcome=AuditOutcome.DENIED)
    except Conflict as refused:
        logger.error("A denied action could not be audited: %s", refused.detail, extra={"action": "audit_denied"})


def canonical_address(address: str | None) -> str | None:
    """As the database gives it back: another spelling would not fit the digest. None for what is no address."""
    with contextlib.suppress(ValueError):
        parsed = ipaddress.ip_address((address or "").split("%", 1)[0])
        return str(getattr(parsed, "ipv4_mapped", None) or parsed)
    return None


def _lock_chain() -> None:
    """Two rows must not follow the same one. SQLite has one writer at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])


def digest_of(row: AuditRow, key: bytes) -> str:
    """Over every column but the digest itself."""
    told = [
        row.previous,
        row.pk,
        row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        row.actor_kind,
        row.actor,
        row.action,
        row.tenant_id,
        row.target,
        row.outcome,
        row.address,
        row.difference,
        row.cleared_to,
    ]
    return hmac.new(key, json.dumps(told, sort_keys=True).encode(), hashlib.sha256).hexdigest()
