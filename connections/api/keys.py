"""Who asks: a worker's key, looked up twice a second in each process, so that a revoked one dies within a second."""

from __future__ import annotations

import hmac
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db.models import Q
from django.http import HttpRequest

from connections.api.problems import Unauthorized
from connections.models import ApiKey, DatabaseNow
from connections.onboarding.api_keys import SHAPE, hash_of

GOOD_FOR = 0.5  # seconds
STILL_GOOD_FOR = 0.8  # for the others, while one looks it up again
MOST_REMEMBERED = 10_000
USE_NOTED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A valid key and what it may do. `tenants`: None for all."""

    pk: int
    prefix: str
    name: str
    scopes: frozenset[str]
    tenants: frozenset[int] | None
    secret_hash: str = field(repr=False)
    looked_up: float
    used_at: datetime | None
    is_use_due: bool


_known: dict[str, Key] = {}
_looking = tuple(threading.Lock() for _ in range(64))


def authenticate(request: HttpRequest) -> Key:
    """Raises Unauthorized."""
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, given = header.partition(" ")
    shape = SHAPE.fullmatch(given.strip()) if scheme.lower() == "bearer" else None
    if shape is None:
        raise Unauthorized(is_key_given=bool(header))
    prefix, secret = shape.groups()
    key = _known.get(prefix)
    if key is None or _age(key) > GOOD_FOR:
        key = _renewed(prefix, key)
    if key is None or not hmac.compare_digest(key.secret_hash, hash_of(secret)):
        raise Unauthorized(is_key_given=True)
    if key.is_use_due:
        _note_use(key)
    return key


def _age(key: Key) -> float:
    return time.monotonic() - key.looked_up


def _renewed(prefix: str, known: Key | None) -> Key | None:
    """One thread looks it up; a thousand that ask at once would each send the same queries. Nobody waits for that one
    while what is known may still be believed."""
    lock = _looking[hash(prefix) % len(_looking)]
    if not lock.acquire(blocking=known is None or _age(known) > STILL_GOOD_FOR):
        return known
    try:
        key = _known.get(prefix)  # of whoever held the lock before us
        return key if key is not None and _age(key) <= GOOD_FOR else _look_up(prefix)
    finally:
        lock.release()


def _look_up(prefix: str) -> Key | None:
    """Remembers what it finds; the moment is taken before the query, so that nothing is believed for longer."""
    began = time.monotonic()
    is_valid = Q(revoked_at__isnull=True) & (Q(expires_at__isnull=True) | Q(expires_at__gt=DatabaseNow()))
    row = ApiKey.objects.filter(is_valid, prefix=prefix).annotate(now=DatabaseNow()).first()
    if row is None:
        _known.pop(prefix, None)
        return None
    tenants = frozenset(row.tenants.values_list("pk", flat=True)) if row.is_limited else None
    if len(_known) >= MOST_REMEMBERED:
        _known.clear()
    _known[prefix] = key = Key(
        pk=row.pk,
        prefix=prefix,
        name=row.name,
        scopes=frozenset(row.scopes),
        tenants=tenants,
        secret_hash=row.secret_hash,
        looked_up=began,
        used_at=row.last_used_at,
        is_use_due=row.last_used_at is None or row.now - row.last_used_at > USE_NOTED_EVERY,
    )
    return key


def _note_use(key: Key) -> None:
    """Compare-and-set: of many processes and threads one writes."""
    seen = Q(last_used_at=key.used_at) if key.used_at else Q(last_used_at__isnull=True)
    ApiKey.objects.filter(seen, pk=key.pk).update(last_used_at=DatabaseNow())
    _known[key.prefix] = replace(key, is_use_due=False)


def forget() -> None:
    """Between tests."""
    _known.clear()
