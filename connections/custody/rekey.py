"""Brings every sealed value under the primary key, while the product runs.

Where tenants have keys of their own (`tenant_keys`), their values go under those, and the primary key wraps the keys;
where they no longer have, their values come back under the primary key.

1. wrap tenants' keys anew; replay what waits on disk: an answer in the spool becomes rows, sealed anew
2. walk every sealed column; take what another key sealed, a batch at a time, in the order of the rows
3. seal each value anew and swap it in only where the old envelope still stands: whoever wrote meanwhile wins
4. grants that were under way at the start may still write with the older ring of their process: wait for them
5. walk once more; a key is retirable when no value, no grant and no file needs it

Each value is one short write, so nobody waits, and stopping anywhere loses nothing: what is done stays done, and the
next run goes on with the rest. A value that does not open is left as it is and counted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from connections.custody import audit, columns, guard, keys, spool, tenant_key_files, tenant_keys
from connections.custody.audit import Actor
from connections.custody.columns import Column
from connections.models import Attempt, EncryptionKey, Tenant, database_now
from connections.models.attempt import IS_OPEN_GRANT
from connections.vault import VaultError, is_data_key

BATCH = 100
LOOK_SECONDS = 0.2


class KeysDoNotFit(Exception):
    """Nothing was changed: a key of the ring is not what it was, or one is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """What needs one key. `grants`: under way, so that they may still write with it."""

    key_id: str
    is_primary: bool
    is_held: bool  # part of this process's ring
    values: int
    files: int
    grants: int
    wraps: int = 0  # keys of tenants

    @property
    def is_retirable(self) -> bool:
        return self.is_held and not self.is_primary and not (self.values or self.files or self.grants or self.wraps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How many values there are, and how many are not under the key that seals them now."""

    values: int
    behind: int
    of_tenants: int  # under keys of tenants


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekeyed:
    """What a run came to. `overtaken`: somebody wrote a newer value first; `broken`: does not open, left alone."""

    sealed: int
    overtaken: int
    broken: int


def usage(*, grants_before: datetime | None = None) -> list[KeyUse]:
    """One entry per key of the ring, the primary first, and per key that is needed and not to be had.

    Grants begun later than asked do not count.
    """
    ring = keys.keyring()
    values = columns.counts()
    files = spool.key_ids()
    grants = _open_grants(grants_before or database_now())
    wraps = Counter(tenant_keys.wrapping_keys())
    lost = {tenant.data_key for tenant, _ in tenant_keys.missing()}
    others = {name for name in {*values, *files} if name in lost or not _is_to_be_had(name)}
    names = dict.fromkeys([*ring.ids, *sorted(others - {*ring.ids})])
    return [
        KeyUse(
            key_id=name,
            is_primary=name == ring.primary,
            is_held=name in ring.ids,
            values=values[name],
            files=files[name],
            grants=0 if name == ring.primary else grants,
            wraps=wraps[name],
        )
        for name in names
    ]


def use_of(key_id: str) -> KeyUse | None:
    """What needs this key of the ring; None where the ring has no such key."""
    return next((use for use in usage() if use.key_id == key_id and use.is_held), None)


def ids_held() -> list[str]:
    """What this process's ring holds, the key that seals first; nothing where the ring cannot be read."""
    try:
        return list(keys.keyring().ids)
    except VaultError:
        return []


def standing() -> Standing:
    total: Counter[str] = Counter()
    behind = 0
    for column in columns.sealed_columns():
        counted = column.counts()
        total += counted
        behind += sum(counted[key_id] for key_id in _to_leave(column, counted))
    return Standing(
        values=total.total(), behind=behind, of_tenants=sum(total[key_id] for key_id in total if is_data_key(key_id))
    )


def _is_to_be_had(key_id: str) -> bool:
    try:
        return is_data_key(key_id) and bool(tenant_keys.ring_of(key_id))
    except VaultError:
        return False


def _to_leave(column: Column, found: Iterable[str]) -> list[str]:
    """Of the keys that seal values of this column, those that are to seal it no longer."""
    if column.is_of_tenants and tenant_keys.is_sealing():
        return [key_id for key_id in found if not is_data_key(key_id)]
    return [key_id for key_id in found if key_id != keys.keyring().primary]


def begin(actor: Actor) -> None:
    """Notes who has the secrets sealed anew. Raises KeysDoNotFit."""
    if trouble := guard.key_trouble():
        raise KeysDoNotFit(trouble)
    with transaction.atomic():
        audit.record(actor, "rotate_encryption_key", at=database_now(), target=keys.keyring().primary)


def rekey_for(seconds: float) -> Rekeyed | None:
    """A portion of the walk; None when the time was up before the end. Raises KeysDoNotFit."""
    until = time.monotonic() + seconds

    def look(sealed: int) -> None:
        if time.monotonic() > until:
            raise _TimeIsUp

    try:
        return rekey(each_batch=look)
    except _TimeIsUp:
        return None


class _TimeIsUp(Exception):
    """There is more, and what was done stays done."""


def rekey(*, each_batch: Callable[[int], None] = lambda sealed: None) -> Rekeyed:
    """Seal what is not under the primary key anew; `each_batch` hears how many are done. Raises KeysDoNotFit."""
    trouble = guard.key_trouble()
    if trouble:
        raise KeysDoNotFit(trouble)
    total = _wrap_anew()
    spool.replay()
    for column in columns.sealed_columns():
        for key_id in _to_leave(column, [*keys.keyring().ids, *filter(is_data_key, column.counts())]):
            for batch in _batches(column, key_id):
                total += _reseal(column, batch)
                each_batch(total["sealed"])
    return Rekeyed(sealed=total["sealed"], overtaken=total["overtaken"], broken=total["broken"])


def wait_for_grants(before: datetime, *, patience: float) -> int:
    """Until the grants claimed before that moment are closed; how many were still open after `patience` seconds."""
    until = time.monotonic() + patience
    while (still := _open_grants(before)) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
    return still


def longest_grant(now: datetime) -> float:
    """Seconds until the last of the grants that are under way must be over."""
    last = Attempt.objects.filter(IS_OPEN_GRANT).aggregate(sent=Max("drain_until"), claimed=Max("send_by"))
    seconds: list[float] = [(at - now).total_seconds() for at in last.values() if at is not None]
    return max([0.0, *seconds])


def give_up(key_id: str, actor: Actor) -> int:
    """The key is lost for good: secrets may be written again, and each connection that needs it asks for its secrets.

    Nothing is deleted, so that the key still helps if it is found. Returns how many values it sealed.
    Raises LookupError for a key that fits, or that was never known.
    """
    with transaction.atomic():
        if not (tenant_keys.give_up(key_id) or _give_up_of_ring(key_id)):
            raise LookupError(key_id)
        left = columns.counts()[key_id]
        keys.give_up_own(key_id)
        audit.record(actor, "give_up_key", at=database_now(), target=key_id, difference={"values": left})
    guard.forget()
    return left


def _give_up_of_ring(key_id: str) -> bool:
    ring = keys.keyring()
    known = EncryptionKey.objects.filter(key_id=key_id).first()
    if known is None or (key_id in ring.ids and ring.matches_check(key_id, known.check_value)):
        return False
    known.delete()
    return True


def _open_grants(before: datetime) -> int:
    return Attempt.objects.filter(IS_OPEN_GRANT, claimed_at__lte=before).count()


def _batches(column: Column, key_id: str) -> Iterator[Sequence[Any]]:
    """By primary key, so that a value that cannot be sealed anew is met once, not for ever."""
    last = 0
    while batch := list(column.sealed_with(key_id).filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield batch
        last = batch[-1].pk


def _wrap_anew() -> Counter[str]:
    """Each under the lock of its tenant: a key that is being destroyed is not written again."""
    done: Counter[str] = Counter()
    for tenant in Tenant.objects.exclude(data_key=""):
        with transaction.atomic():
            key_id = tenant_keys.locked(tenant.pk).data_key
            try:
                done["sealed"] += bool(key_id) and tenant_key_files.wrap_anew(key_id)
            except (VaultError, OSError):
                done["broken"] += 1
    return done


def _reseal(column: Column, batch: Sequence[Any]) -> Counter[str]:
    """Opening and sealing come first; only the swaps hold a lock."""
    done: Counter[str] = Counter()
    swaps = []
    for row in batch:
        try:
            swaps.append((row, keys.reseal(row, column.field)))
        except VaultError:
            done["broken"] += 1
    with _together():
        for row, sealed in swaps:
            standing = column.rows().select_related(None).filter(pk=row.pk, envelope=row.envelope)
            done["sealed" if standing.update(**{column.field: sealed}) else "overtaken"] += 1
    return done


def _together() -> AbstractContextManager[None]:
    """SQLite has one writer and syncs each commit: a batch at once is kinder. Where rows are locked, one by one is."""
    return transaction.atomic() if connection.vendor == "sqlite" else nullcontext()
