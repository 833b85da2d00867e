"""Who changed what: one row in the transaction of the change itself, chained to the row before it."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from connections.custody import keys
from connections.custody.problems import Conflict
from connections.models import AuditRow, Connection, Tenant
from connections.vault import VaultError

CHAIN_LOCK = 7_305_204_418_270_091  # any number that nothing else in this database locks
ROWS_AT_ONCE = 2000


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
    """Inside the transaction of the change, and late in it: from here to its end others wait for the chain.

    Raises Conflict where the key of the chain cannot be opened: what cannot be audited is not changed.
    """
    line = AuditRow(
        at=at,
        actor_kind=actor.kind,
        actor=actor.name[:150],
        action=action,
        tenant=tenant,
        target=target,
        outcome=outcome,
        address=actor.address,
        difference=json.loads(json.dumps(difference or {}, cls=DjangoJSONEncoder)),
    )
    with transaction.atomic():
        key = _chain_key()
        _lock_chain()
        line.previous = AuditRow.objects.order_by("-id").values_list("digest", flat=True).first() or ""
        line.digest = _digest(line, key)
        line.save(force_insert=True)


def _chain_key() -> bytes:
    try:
        return keys.own_key(keys.AUDIT)
    except VaultError as refused:
        raise Conflict("read_only", f"Nothing is changed while it cannot be audited: {refused}") from None


def record_on(row: Connection, actor: Actor, action: str, *, at: datetime, **rest: Any) -> None:
    record(actor, action, at=at, target=row.public_id, tenant=row.tenant, **rest)


def _lock_chain() -> None:
    """Two rows must not follow the same one. SQLite has one writer at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])


def _digest(row: AuditRow, key: bytes) -> str:
    told = [
        row.previous,
        row.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        row.actor_kind,
        row.actor,
        row.action,
        row.tenant_id,
        row.target,
        row.outcome,
        row.address,
        row.difference,
    ]
    return hmac.new(key, json.dumps(told, sort_keys=True).encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a walk along the chain found. `broken_at`: id of the first row that does not follow."""

    rows: int
    head: str
    broken_at: int | None = None
    is_head_missing: bool = False

    @property
    def is_whole(self) -> bool:
        return self.broken_at is None and not self.is_head_missing


def verify(head: str = "") -> Verdict:
    """Finds any edit, deletion, insertion or reordering; a cut tail only against a `head` noted before.

    Rows under a key that was given up count as broken until that key is found again.
    """
    known = keys.own_keys(keys.AUDIT)
    rows, last, seen_head = 0, "", not head
    for row in AuditRow.objects.order_by("id").iterator(ROWS_AT_ONCE):
        if row.previous != last or not any(hmac.compare_digest(row.digest, _digest(row, key)) for key in known):
            return Verdict(rows=rows, head=last, broken_at=row.pk)
        rows, last = rows + 1, row.digest
        seen_head = seen_head or hmac.compare_digest(last, head)
    return Verdict(rows=rows, head=last, is_head_missing=not seen_head)
