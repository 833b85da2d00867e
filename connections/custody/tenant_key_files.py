"""The files of tenants' keys: one key each, wrapped by the ring, outside of the database and of every dump of it.

A file is on disk, name and all, before anybody learns its name, and what it wraps never changes: a name stands for one
key for ever. All nodes see the same folder. It is not made by us: a folder that is not mounted must not look like an
empty one.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from connections.custody import durable
from connections.custody.ring import keyring
from connections.vault import DATA_KEY_PREFIX, Context, KeyMissing, SealBroken, Sealed, VaultError

KEY_BYTES = 32
NAME_BYTES = 6


class FolderAway(VaultError):
    """The folder of tenants' keys cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """One file. `tenant` is a public id: erasing a tenant finds all of its keys by it."""

    key_id: str
    tenant: str
    sealed: Sealed = field(repr=False)

    def unwrapped(self) -> bytes:
        """Raises VaultError."""
        return bytes.fromhex(keyring().open(self.sealed, _context(self.key_id, self.tenant)))


def folder() -> Path:
    """Raises FolderAway."""
    found: Path | None = settings.SUGARADMIN.tenant_keys
    if found is None:
        raise FolderAway("SUGARADMIN_TENANT_KEYS is not set.")
    return found


def names() -> set[str]:
    """The ids of all keys that lie there. Raises FolderAway."""
    place = folder()
    try:
        return {path.stem for path in place.iterdir() if path.name.startswith(DATA_KEY_PREFIX)}
    except OSError as refused:
        raise FolderAway(f"The folder of tenants' keys, {place}, cannot be read: {refused.strerror}.") from None


def read(key_id: str) -> Wrapped:
    """Raises KeyMissing, FolderAway, SealBroken for a file that is none of ours."""
    try:
        page = json.loads(_path(key_id).read_text(encoding="utf-8"))
        return Wrapped(key_id=key_id, tenant=str(page["tenant"]), sealed=Sealed(str(page["sealed"])))
    except FileNotFoundError:
        raise KeyMissing(key_id) from None
    except OSError as refused:
        raise FolderAway(f"The tenant's key {key_id} cannot be read: {refused.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise SealBroken from None


def make(tenant: str) -> str:
    """A new key under a new name, which it returns when both are on disk and open. Raises VaultError."""
    key_id = DATA_KEY_PREFIX + secrets.token_hex(NAME_BYTES)
    key = secrets.token_bytes(KEY_BYTES)
    names()  # a folder that is not there is not made
    try:
        durable.write_new(_path(key_id), _page(key_id, tenant, key))
    except OSError as refused:
        raise FolderAway(f"The folder of tenants' keys, {folder()}, cannot be written: {refused.strerror}.") from None
    if read(key_id).unwrapped() != key:
        raise SealBroken
    return key_id


def wrap_anew(key_id: str) -> bool:
    """The same key under the primary key of the ring; whether there was anything to do. Raises VaultError, OSError."""
    wrapped = read(key_id)
    if wrapped.sealed.key_id == keyring().primary:
        return False
    durable.write(_path(key_id), _page(key_id, wrapped.tenant, wrapped.unwrapped()))
    return True


def destroy(key_id: str) -> None:
    """Gone when it returns, as far as the file system keeps its word. Raises OSError, FolderAway."""
    durable.destroy(_path(key_id))


def _path(key_id: str) -> Path:
    return folder() / f"{key_id}.json"


def _page(key_id: str, tenant: str, key: bytes) -> str:
    sealed = keyring().seal(key.hex(), _context(key_id, tenant))
    return json.dumps({"key": key_id, "tenant": tenant, "sealed": sealed.envelope})


def _context(key_id: str, tenant: str) -> Context:
    return Context(tenant=tenant, row=key_id, field="data_key", number=1)
