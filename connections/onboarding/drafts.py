"""A connection in the making: each step of the wizard is saved, may be left, and is taken up by any colleague.

Address and platform stand in the draft. With the user the connection is born, by `registry.create` as everywhere; what
is changed in an earlier step after that goes through `registry.edit`, which wipes what must not outlive the change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from connections.choices import BUILT_IN_PLATFORMS
from connections.custody import actions, audit, lent
from connections.custody.audit import BACKGROUND, Actor
from connections.custody.handout import Tenants
from connections.custody.problems import NotFound
from connections.models import Connection, Draft, database_now
from connections.onboarding import discovery, pacing, registry
from connections.sugar import REST_PATH, Target, host_port

LIFE = timedelta(days=30)  # without anybody going on
NOTICE = timedelta(days=7)  # for which the list tells that one has expired
OUR_NAME = "sugaradmin"
ADDRESS_FIELDS = ("instance_url", "ca_pem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the third step asks for. `password` empty: as it was lent before."""

    username: str
    client_id: str
    store_password: bool
    password: str = field(repr=False)
    client_secret: str = field(repr=False)


def find(public_id: str, tenants: Tenants) -> Draft:
    """Raises NotFound: unknown, another tenant's, or its connection was deleted."""
    rows = Draft.objects.select_related("tenant", "connection__tenant").filter(public_id=public_id)
    draft = (rows if tenants is None else rows.filter(tenant_id__in=tenants)).first()
    if draft is None:
        raise NotFound
    if draft.connection is not None and draft.connection.deleted_at is not None and draft.expired_at is None:
        raise NotFound
    return draft


def unfinished(tenants: Tenants) -> QuerySet[Draft]:
    """Those that are no connection yet, newest first."""
    rows = Draft.objects.filter(connection__isnull=True, expired_at__isnull=True)
    return rows if tenants is None else rows.filter(tenant_id__in=tenants)


def expired(tenants: Tenants) -> list[Draft]:
    """Those that ended unfinished within the last days: whoever began one is told."""
    rows = Draft.objects.filter(expired_at__isnull=False).select_related("tenant")
    return list((rows if tenants is None else rows.filter(tenant_id__in=tenants))[:10])


# -- step by step --------------------------------------------------------------------------------------------


def begin(tenant_slug: str, fields: dict[str, Any], actor: Actor, *, tenants: Tenants) -> Draft:
    """Raises InvalidFields, InvalidTenant; then nothing was stored."""
    entry = registry.read(fields, is_new=False, actor=actor)
    tenant = registry.tenant_for(tenant_slug, actor, tenants)
    now = database_now()
    draft = Draft(
        tenant=tenant,
        label=entry.label or "",
        instance_url=entry.instance_url or "",
        ca_pem=entry.ca_pem or "",
        rest_path=entry.rest_path or REST_PATH,
        created_by=actor.name,
        updated_by=actor.name,
        created_at=now,
        updated_at=now,
    )
    with transaction.atomic():
        draft.save()
        _record(draft, actor, "create_draft", now, {"label": draft.label, "instance_url": draft.instance_url})
    return draft


def describe(draft: Draft, fields: dict[str, Any], actor: Actor, *, tenants: Tenants) -> None:
    """Label, address, own CA, platform: what is named in `fields`. Raises InvalidFields, EditRefused."""
    before = draft.connection
    entry = registry.read(fields, is_new=False, before=before, actor=actor)
    given = {name: getattr(entry, name) for name in (*fields, "rest_path") if getattr(entry, name) is not None}
    changes = {name: value for name, value in given.items() if value != getattr(draft, name)}
    if "instance_url" in changes:
        changes["rest_path"] = entry.rest_path or REST_PATH
    if changes:
        _change(draft, changes, actor, tenants)


def _change(draft: Draft, changes: dict[str, Any], actor: Actor, tenants: Tenants) -> None:
    """The connection first, if it is born: where that is refused nothing changes."""
    if draft.connection is not None:
        rest_path = changes.get("rest_path")
        fields = {name: value for name, value in changes.items() if name != "rest_path"}
        registry.edit(draft.connection.public_id, fields, actor, tenants=tenants, rest_path=rest_path)
        draft.connection.refresh_from_db()
    if changes.keys() & {*ADDRESS_FIELDS}:
        draft.findings, draft.platform_findings, draft.checks = [], [], []
    if changes.keys() & {"platform"}:
        draft.platform_findings, draft.checks = [], []
    for name, value in changes.items():
        setattr(draft, name, value)
    _save(draft, actor, "edit_draft", changes)


def look(draft: Draft, actor: Actor, *, tenants: Tenants) -> None:
    """Looks at the address, and takes up where it led. Raises TooManyLooks, EditRefused."""
    pacing.take_turn(actor)
    found = discovery.discover(draft.instance_url, draft.ca_pem)
    seen = {"instance_url": found.instance_url, "rest_path": found.rest_path or draft.rest_path}
    changes = {name: value for name, value in seen.items() if value != getattr(draft, name)}
    if changes:
        _change(draft, seen if "instance_url" in changes else changes, actor, tenants)
    draft.findings = [finding.as_dict() for finding in found.findings]
    _save(draft, actor, "look_at_instance", {"instance_url": draft.instance_url})


def check_platform(draft: Draft, actor: Actor) -> None:
    """Asks the instance without signing in. Raises TooManyLooks."""
    pacing.take_turn(actor)
    found = discovery.check_platform(target_of(draft))
    draft.platform_findings = [finding.as_dict() for finding in found]
    _save(draft, actor, "check_platform", {"instance_url": draft.instance_url, "platform": draft.platform})


def target_of(draft: Draft) -> Target:
    return Target(
        instance_url=draft.instance_url, platform=draft.platform, ca_pem=draft.ca_pem, rest_path=draft.rest_path
    )


def host_of(draft: Draft) -> str:
    return host_port(draft.instance_url)


def suggested_platform(draft: Draft) -> str:
    """Our name and the customer's; another number where a connection on this host has it already."""
    stem = re.sub(r"[^A-Za-z0-9_-]", "_", f"{OUR_NAME}_{draft.tenant.slug}")[:120]
    used = set(Connection.objects.present().filter(host=host_of(draft)).values_list("platform_key", flat=True))
    names = [stem, *(f"{stem}_{number}" for number in range(2, 100))]
    return next((name for name in names if name.lower() not in used | BUILT_IN_PLATFORMS), stem)


def fence_of(draft: Draft) -> str:
    """Another one after every change: a form that was made before is not carried out afterwards, when the draft may
    lead to another address."""
    return draft.updated_at.isoformat()


def sign_up(draft: Draft, given: Credentials, actor: Actor, *, tenants: Tenants, session: str) -> Connection:
    """The connection is born, or takes another user; the password is lent to this session, not stored.

    Raises InvalidFields, EditRefused (Moved where `draft` is not the newest), Conflict where nothing can be sealed.
    """
    registry.read({"password": given.password}, is_new=False)
    fields: dict[str, Any] = {
        "username": given.username,
        "client_id": given.client_id or "sugar",
        "store_password": given.store_password,
    }
    if given.client_secret:
        fields["client_secret"] = given.client_secret
    row = _born(draft, fields, actor, tenants) if draft.connection is None else _edited(draft, fields, actor, tenants)
    if given.password:
        lent.lend(row, given.password, session)
    return row


def _born(draft: Draft, fields: dict[str, Any], actor: Actor, tenants: Tenants) -> Connection:
    described = {name: getattr(draft, name) for name in ("label", "instance_url", "platform", "allow_shared_platform")}
    if draft.ca_pem:
        described["ca_pem"] = draft.ca_pem
    with transaction.atomic():
        if fence_of(Draft.objects.select_for_update().get(pk=draft.pk)) != fence_of(draft):
            raise registry.Moved
        row = registry.create(draft.tenant.slug, described | fields, actor, tenants=tenants, rest_path=draft.rest_path)
        draft.connection = row
        _write(draft, actor)
    return row


def _edited(draft: Draft, fields: dict[str, Any], actor: Actor, tenants: Tenants) -> Connection:
    row = draft.connection
    assert row is not None
    changes = {name: value for name, value in fields.items() if name == "client_secret" or getattr(row, name) != value}
    if not changes:
        return row
    draft.connection = registry.edit(row.public_id, changes, actor, tenants=tenants, generation=row.generation)
    if changes.keys() - {"store_password"}:
        draft.checks = []
    _write(draft, actor)
    return draft.connection


def discard(draft: Draft, actor: Actor, *, tenants: Tenants) -> None:
    """Ends an unfinished draft, and the connection that it has become if that never signed in."""
    row = draft.connection
    if row is not None and row.version_count:
        return
    if row is not None:
        actions.delete(row.public_id, actor, tenants=tenants)
    with transaction.atomic():
        draft.delete()
        _record(draft, actor, "discard_draft", database_now(), {"label": draft.label})


# -- the end -------------------------------------------------------------------------------------------------


def expire() -> int:
    """Ends what nobody went on with, forgets what has served; returns how many drafts went."""
    now = database_now()
    old = Draft.objects.filter(updated_at__lt=now - LIFE, expired_at__isnull=True)
    served = old.filter(Q(connection__version_count__gt=0) | Q(connection__deleted_at__isnull=False))
    told = Draft.objects.filter(expired_at__lt=now - NOTICE)
    gone = served.delete()[0] + told.delete()[0]
    ended = [draft for draft in old.select_related("tenant", "connection__tenant") if _end(draft, now)]
    return gone + len(ended)


def _end(draft: Draft, now: datetime) -> bool:
    """False: its connection was changed lately, from another page."""
    row = draft.connection
    if row is not None and row.updated_at >= now - LIFE:
        return False
    if row is not None:
        actions.delete(row.public_id, BACKGROUND)
    with transaction.atomic():
        Draft.objects.filter(pk=draft.pk).update(expired_at=now)
        _record(draft, BACKGROUND, "expire_draft", now, {"label": draft.label})
    return True


def ends_at(draft: Draft) -> datetime:
    return draft.updated_at + LIFE


# -- writing -------------------------------------------------------------------------------------------------


def note_checks(draft: Draft, checks: list[dict[str, Any]], actor: Actor) -> None:
    """How far the test came; what it did at Sugar stands in the journal of the connection."""
    draft.checks = checks
    _write(draft, actor)


def _save(draft: Draft, actor: Actor, action: str, difference: dict[str, Any]) -> None:
    with transaction.atomic():
        now = _write(draft, actor)
        _record(draft, actor, action, now, difference)


def _write(draft: Draft, actor: Actor) -> datetime:
    draft.updated_at = database_now()
    draft.updated_by = actor.name
    draft.save()
    return draft.updated_at


def _record(draft: Draft, actor: Actor, action: str, now: datetime, difference: dict[str, Any]) -> None:
    audit.record(actor, action, at=now, target=draft.public_id, tenant=draft.tenant, difference=difference)
