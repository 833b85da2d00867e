"""Forget a customer: none of his secrets opens any more, neither here nor, where he has a key of his own, in a backup.

1. note who asked, before anything is undone
2. delete his connections (each is wiped and logged out at Sugar), end his drafts, revoke the keys that reach only him
3. wipe what was still under way; take the name of his key off his row
4. destroy every key that was ever made for him, and note that

Stopped anywhere, it is asked for again and goes on. His name, and what happened to his connections, stay for as long as
the history is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from connections.custody import actions, audit, guard, spool, tenant_key_files, tenant_keys
from connections.custody.audit import Actor
from connections.custody.ledger import remains
from connections.custody.problems import Conflict
from connections.models import ApiKey, Connection, Draft, Tenant, database_now
from connections.onboarding import api_keys, drafts
from connections.vault import VaultError


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How many of each. Without a data key, backups are sealed by the ring like everybody's."""

    connections: int
    drafts: int
    api_keys: int
    data_keys: tuple[str, ...]


def erase(tenant: Tenant, actor: Actor) -> Erased:
    """Raises Conflict: here is no place to erase anything, or something was added meanwhile."""
    data_keys = keys_to_destroy(tenant)
    _note(tenant, actor, "erase_tenant", data_keys)
    spool.replay()
    connections = list(Connection.objects.present().filter(tenant=tenant).values_list("public_id", flat=True))
    for public_id in connections:
        actions.delete(public_id, actor)
    unfinished = list(Draft.objects.filter(tenant=tenant))
    for draft in unfinished:
        drafts.discard(draft, actor, tenants=None)
    revoked = sum(api_keys.revoke(row, actor) for row in _keys_of_his_alone(tenant))
    _let_go(tenant)
    _destroy(tenant, actor, data_keys)
    return Erased(connections=len(connections), drafts=len(unfinished), api_keys=revoked, data_keys=data_keys)


def keys_to_destroy(tenant: Tenant) -> tuple[str, ...]:
    """A copy of the database may see the folder of the one it was copied from, and must destroy nothing there."""
    if reason := guard.read_only_reason():
        raise Conflict("read_only", reason)
    if not tenant.data_key and not tenant_keys.is_sealing():
        return ()
    try:
        return tuple(tenant_keys.all_of(tenant))
    except VaultError as refused:
        raise Conflict("read_only", str(refused)) from None


def _keys_of_his_alone(tenant: Tenant) -> list[ApiKey]:
    reaching = ApiKey.objects.filter(is_limited=True, tenants=tenant, revoked_at__isnull=True)
    return [row for row in reaching if row.tenants.count() == 1]


def _let_go(tenant: Tenant) -> None:
    with transaction.atomic():
        tenant_keys.locked(tenant.pk)
        if Connection.objects.present().filter(tenant=tenant).exists():
            raise Conflict("busy", "A connection was added meanwhile; erase again.")
        remains.wipe_remains(tenant)
        tenant.failure_marks.all().delete()  # what staff wrote about his failures
        Tenant.objects.filter(pk=tenant.pk).update(data_key="")


def _destroy(tenant: Tenant, actor: Actor, data_keys: tuple[str, ...]) -> None:
    for key_id in data_keys:
        tenant_key_files.destroy(key_id)
    tenant_keys.forget()
    if data_keys:
        _note(tenant, actor, "destroy_data_keys", data_keys)


def _note(tenant: Tenant, actor: Actor, action: str, data_keys: tuple[str, ...]) -> None:
    with transaction.atomic():
        difference = {"data_keys": list(data_keys)}
        audit.record(actor, action, at=database_now(), target=tenant.slug, tenant=tenant, difference=difference)
