"""One key for each tenant, where SUGARADMIN_TENANT_KEYS names a folder: destroyed, it takes the backups along.

1. the file is durable, then the tenant's row names it, then the first value is sealed with it
2. whoever claims a grant has the key of its answer in memory before the request leaves: settling reads no disk
3. an answer in hand is sealed whatever has become of the key, then by the ring; re-encryption moves it on
4. a name that a row has left is never given out again
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.conf import settings

from connections.custody import columns, tenant_key_files
from connections.custody.tenant_key_files import FolderAway
from connections.models import Tenant
from connections.vault import KeyMissing, Keyring, SealBroken, VaultError, is_data_key

_opened: dict[str, Keyring] = {}


def is_sealing() -> bool:
    """Whether new values are sealed by tenants' keys; what they have sealed opens either way."""
    return settings.SUGARADMIN.tenant_keys is not None and settings.SUGARADMIN.tenant_keys_seal


def key_of(tenant: Tenant) -> str:
    """The id of the key that seals for this tenant, made where there is none; empty: the ring seals.

    Known in memory when this returns, and named by the row in the caller's transaction. Raises VaultError.
    """
    if not is_sealing():
        return ""
    key_id = _named_by(tenant) or _make(tenant)
    ring_of(key_id)
    return key_id


def ring_of(key_id: str) -> Keyring:
    """Raises VaultError."""
    if key_id not in _opened:
        _opened[key_id] = Keyring({key_id: tenant_key_files.read(key_id).unwrapped()}, primary=key_id)
    return _opened[key_id]


def locked(tenant_pk: int) -> Tenant:
    """Whoever erases waits for who adds a connection, and the other way round."""
    return Tenant.objects.select_for_update(no_key=True).get(pk=tenant_pk)


def trouble() -> str:
    """Why no tenant's key can be had; empty when all is well, or nothing needs one. One that is missing alone stops
    its own tenant only: see `missing`."""
    try:
        _forget_all_but(tenant_key_files.names())
    except FolderAway as away:
        return str(away) if is_sealing() or _first_needed() else ""
    return ""


def missing() -> list[tuple[Tenant, str]]:
    """Tenants whose key is needed and does not open, with what is wrong. Nothing leaves for them."""
    found = []
    for tenant in _tenants_with_keys():
        try:
            tenant_key_files.read(tenant.data_key).unwrapped()
        except VaultError as refused:
            if is_sealing() or columns.is_needed(tenant.data_key):
                found.append((tenant, str(refused)))
    return found


def wrapping_keys() -> list[str]:
    """For each tenant's key that is named by a row, the id of the key of the ring that wraps it."""
    wrapping = []
    for tenant in _tenants_with_keys():
        try:
            wrapping.append(tenant_key_files.read(tenant.data_key).sealed.key_id)
        except VaultError:
            continue  # told by `missing`
    return wrapping


def give_up(key_id: str) -> bool:
    """The file is lost: the next secret of its tenant is sealed by a new key. False where it opens, or is nobody's."""
    tenant = Tenant.objects.filter(data_key=key_id).first() if is_data_key(key_id) else None
    if tenant is None or tenant not in [one for one, _ in missing()]:
        return False
    return bool(Tenant.objects.filter(pk=tenant.pk, data_key=key_id).update(data_key=""))


def forget() -> None:
    """Read them from disk again: between tests, and where one was destroyed."""
    _opened.clear()


def all_of(tenant: Tenant) -> Iterator[str]:
    """Every key that was ever made for this tenant and still lies there. Raises FolderAway."""
    for key_id in sorted(tenant_key_files.names()):
        with contextlib.suppress(SealBroken, KeyMissing):
            if tenant_key_files.read(key_id).tenant == tenant.public_id:
                yield key_id


def _named_by(tenant: Tenant) -> str:
    return Tenant.objects.values_list("data_key", flat=True).get(pk=tenant.pk)


def _make(tenant: Tenant) -> str:
    """Two may make one at once: the row names one of them, the other has sealed nothing."""
    if lost := missing():
        # A folder that lacks a known key may be an empty place where the true one is to be mounted.
        raise FolderAway(f"The key of tenant {lost[0][0]} is missing: no new one is made before it is back.")
    made = tenant_key_files.make(tenant.public_id)
    if Tenant.objects.filter(pk=tenant.pk, data_key="").update(data_key=made):
        return made
    tenant_key_files.destroy(made)
    return _named_by(tenant)


def _tenants_with_keys() -> list[Tenant]:
    return list(Tenant.objects.exclude(data_key="").order_by("slug"))


def _first_needed() -> str:
    needed = (tenant.data_key for tenant in _tenants_with_keys() if columns.is_needed(tenant.data_key))
    return next(needed, "")


def _forget_all_but(there: set[str]) -> None:
    """A key that was destroyed elsewhere is not kept here. Only what was seen in a folder that can be read is gone."""
    for key_id in [*_opened]:
        if key_id not in there:
            _opened.pop(key_id, None)
