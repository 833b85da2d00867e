"""Keys of workers: made once, shown once, kept as a hash, revoked for good."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from connections.choices import Scope
from connections.custody.audit import Actor, record
from connections.custody.handout import Tenants
from connections.models import ApiKey, DatabaseNow, Tenant, database_now
from connections.models.fields import CROCKFORD

SHAPE = re.compile(r"sga_([0-9a-z]{1,16})_([A-Za-z0-9_-]{20,200})")
PREFIX_LENGTH = 8
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A new key; `key` is its only copy in plain text."""

    row: ApiKey
    key: str = field(repr=False)


def issue(
    name: str,
    scopes: Sequence[str],
    actor: Actor,
    *,
    tenants: Sequence[Tenant] | None = None,
    expires_at: datetime | None = None,
) -> Issued:
    """Makes a key. `tenants`: None for all, else only these. Raises ValueError for a name or scope that is none."""
    if not name.strip():
        raise ValueError("A key needs a name: it stands in the history beside what was done with it.")
    known = [Scope(scope).value for scope in dict.fromkeys(scopes)]
    if not known:
        raise ValueError("A key needs at least one scope.")
    prefix = "".join(secrets.choice(CROCKFORD) for _ in range(PREFIX_LENGTH))
    secret = secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        row = ApiKey.objects.create(
            name=name.strip()[:150],
            prefix=prefix,
            secret_hash=hash_of(secret),
            scopes=known,
            is_limited=tenants is not None,
            created_by=actor.name[:150],
            expires_at=expires_at,
        )
        row.tenants.set(tenants or ())
        difference = {"name": row.name, "scopes": known, "tenants": [tenant.slug for tenant in tenants or ()]}
        record(actor, "create_api_key", at=database_now(), target=prefix, tenant=_only(row), difference=difference)
    return Issued(row=row, key=f"sga_{prefix}_{secret}")


def visible_keys(tenants: Tenants) -> QuerySet[ApiKey]:
    """Of those who are limited to tenants: the keys that reach no further than they do."""
    rows = ApiKey.objects.prefetch_related("tenants").order_by("name", "id")
    if tenants is None:
        return rows
    beyond = ApiKey.tenants.through.objects.exclude(tenant__in=tenants)
    return rows.filter(is_limited=True).exclude(pk__in=beyond.values("apikey"))


def revoke(row: ApiKey, actor: Actor) -> bool:
    """Every process refuses it within a second; False when it was revoked before."""
    with transaction.atomic():
        is_first = bool(ApiKey.objects.filter(Q(revoked_at__isnull=True), pk=row.pk).update(revoked_at=DatabaseNow()))
        if is_first:
            named = {"name": row.name}
            record(actor, "revoke_api_key", at=database_now(), target=row.prefix, tenant=_only(row), difference=named)
    return is_first


def _only(row: ApiKey) -> Tenant | None:
    """The customer in whose audit the key stands, where it reaches one alone."""
    tenants = list(row.tenants.all()[:2]) if row.is_limited else []
    return tenants[0] if len(tenants) == 1 else None


def hash_of(secret: str) -> str:
    """Of 256 random bits: a slow hash would add nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()
