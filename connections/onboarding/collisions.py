"""Who else signs in where a new connection would: told before the sign-in, named only to who may see it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q

from connections.choices import BUILT_IN_PLATFORMS
from connections.custody.handout import Tenants
from connections.models import Connection

MOST_TOLD = 10


class Kind(StrEnum):
    SAME = "same"  # this (instance, user, platform): each sign-in of one ends the session of the other
    SAME_HOST = "same_host"  # the same, at another path of the host: perhaps the same Sugar
    BUILT_IN = "built_in"  # the same user on platforms of Sugar's own, which people sign in on


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision:
    """`other` None: it belongs to a tenant that the asker may not see."""

    kind: Kind
    platform: str
    other: Connection | None

    @property
    def is_blocking(self) -> bool:
        return self.kind == Kind.SAME


def collisions(
    tenants: Tenants, *, host: str, url: str, username: str, platform: str, besides: int | None = None
) -> list[Collision]:
    """Across all tenants: Sugar does not care whose connections they are. The worst first."""
    rows = Connection.objects.present().filter(host=host, username_key=username.lower()).select_related("tenant")
    wanted = Q(platform_key=platform.lower())
    if platform.lower() in BUILT_IN_PLATFORMS:
        wanted |= Q(platform_key__in=sorted(BUILT_IN_PLATFORMS))
    rows = rows.filter(wanted).exclude(pk=besides or 0).order_by("pk")[:MOST_TOLD]
    found = [
        Collision(
            kind=_kind(row, url, platform),
            platform=row.platform if _may_see(row, tenants) else "",
            other=row if _may_see(row, tenants) else None,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: list(Kind).index(one.kind))


def neighbours(tenants: Tenants, *, host: str, besides: int | None = None) -> tuple[list[Connection], int]:
    """Connections on the same host: those the asker may see, and how many there are besides."""
    rows = Connection.objects.present().filter(host=host).exclude(pk=besides or 0)
    mine = rows if tenants is None else rows.filter(tenant_id__in=tenants)
    shown = list(mine.select_related("tenant").order_by("label")[:MOST_TOLD])
    return shown, rows.count() - len(shown)


def _kind(row: Connection, url: str, platform: str) -> Kind:
    if row.platform_key != platform.lower():
        return Kind.BUILT_IN
    return Kind.SAME if row.instance_url == url else Kind.SAME_HOST


def _may_see(row: Connection, tenants: Tenants) -> bool:
    return tenants is None or row.tenant_id in tenants
