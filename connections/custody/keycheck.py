"""Do the keys of this process fit the data? Asked at start, then every few seconds by the guard.

Each key has a known value beside the data (`EncryptionKey.check_value`), made when the key is first seen. A key of the
same name and other bytes, or a missing one that something stored was sealed with, makes custody read-only: no grant
leaves, no secret is written, nothing is deleted. With the right key back, all is as it was. The same goes for the
folder of tenants' keys; one file of it that is missing stops its own tenant alone.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from connections.custody import columns, key_file, keys, tenant_keys
from connections.models import EncryptionKey, database_now
from connections.vault import Keyring, VaultError


def trouble() -> str:
    """What is wrong with the keys, in one sentence; empty when every key fits. Changes nothing."""
    try:
        ring = keys.keyring()
    except VaultError as refused:
        return str(refused)
    rows = EncryptionKey.objects.values_list("key_id", "check_value", "retired_at")
    known = {key_id: check for key_id, check, _ in rows}
    wrong = [key_id for key_id in ring.ids if key_id in known and not ring.matches_check(key_id, known[key_id])]
    if wrong:
        return f"The encryption key {', '.join(wrong)} is another one than it was."
    missing = [one for one, _, retired in rows if one not in ring.ids and retired is None and _is_needed(one)]
    if missing:
        return f"The encryption key {', '.join(missing)} is missing: what it sealed cannot be opened."
    return tenant_keys.trouble()


def file_trouble() -> str:
    """Why the next start would not find the keys that this process has; empty when all is well."""
    file = settings.SUGARADMIN.encryption_key_file
    return key_file.trouble(file) if file else ""


def _is_needed(key_id: str) -> bool:
    return columns.is_needed(key_id) or key_id in tenant_keys.wrapping_keys()


def take_note() -> str:
    """Keeps a value for each key seen for the first time, and notes of one that left that nothing needed it.

    Answers like `trouble`; where there is one, nothing is changed.
    """
    found = trouble()
    if not found:
        ring = keys.keyring()
        now = database_now()
        _remember(ring, now)
        _retire_those_that_left(ring, now)
    return found


def _remember(ring: Keyring, now: datetime) -> None:
    EncryptionKey.objects.bulk_create(
        [EncryptionKey(key_id=one, check_value=ring.key_check(one), first_seen_at=now) for one in ring.ids],
        ignore_conflicts=True,
    )
    EncryptionKey.objects.filter(key_id__in=ring.ids, retired_at__isnull=False).update(retired_at=None)


def _retire_those_that_left(ring: Keyring, now: datetime) -> None:
    """Not while an answer on disk may still be sealed with it: that is found by looking at the disk, not the rows."""
    if not any(settings.SUGARADMIN.spool_dir.glob("*.json")):
        EncryptionKey.objects.filter(retired_at__isnull=True).exclude(key_id__in=ring.ids).update(retired_at=now)
