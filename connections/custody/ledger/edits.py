"""What people change: create, edit, pause, resume, hold, delete. The edit wins over any grant under way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, fields
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from connections.choices import OPEN_STATES, AttemptState, EventKind, Trouble, VersionState
from connections.custody import audit, guard, journal, keys, reads, tenant_keys
from connections.custody.audit import Actor
from connections.custody.ledger import links, passwords, transitions
from connections.custody.ledger.claims import target_of
from connections.custody.ledger.versions import wipe
from connections.custody.problems import Conflict
from connections.models import (
    Attempt,
    Connection,
    ConnectionTag,
    LentPassword,
    Tenant,
    TokenVersion,
    database_now,
)
from connections.sugar import Target, host_port
from connections.vault import VaultError

HELD = ("held", "This connection is held: resume it first.")


class EditRefused(Exception):
    """The database says no to a new or changed connection."""


class ConnectionExists(EditRefused):
    """Another connection keeps this (instance, user, platform)."""

    def __init__(self, other: Connection | None) -> None:
        super().__init__("Another connection already uses this instance, user and platform.")
        self.other = other


class ExternalIdTaken(EditRefused):
    """Another connection of this tenant has this external id."""


class TripleBusy(EditRefused):
    """A grant sent for this (instance, user, platform) before an edit or a delete may still be under way."""

    def __init__(self, until: datetime, now: datetime) -> None:
        super().__init__("A grant for this instance, user and platform is still under way.")
        self.retry_after = max(1, round((until - now).total_seconds() + 0.5))


class Moved(EditRefused):
    """Address, platform or user are not those any more that the asker had before him."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A connection as staff or an integration describes it; already validated. None: leave as it is."""

    label: str | None = None
    instance_url: str | None = None
    platform: str | None = None
    username: str | None = None
    client_id: str | None = None
    ca_pem: str | None = None
    external_id: str | None = None
    contact_name: str | None = None
    contact_email: str | None = None
    owner: str | None = None
    """User name; empty: nobody."""
    server_seconds: int | None = None
    allow_shared_platform: bool | None = None
    store_password: bool | None = None
    rest_path: str | None = None
    tags: tuple[str, ...] | None = None
    password: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)


PLAIN_FIELDS = (
    "label",
    "external_id",
    "contact_name",
    "contact_email",
    "server_seconds",
    "allow_shared_platform",
    "store_password",
    "rest_path",
)
ADDRESS_FIELDS = ("instance_url", "ca_pem")
CHAIN_OF = ("instance_url", "username", "platform", "client_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """A session that we gave up: it is logged out at the address where it lives."""

    target: Target
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


def create(tenant: Tenant, entry: Entry, actor: Actor) -> Connection:
    """Raises EditRefused, Conflict where secrets are read-only."""
    try:
        with transaction.atomic():
            return _create(tenant, entry, actor)
    except IntegrityError as refused:
        raise _named(refused, entry) from None


def _create(tenant: Tenant, entry: Entry, actor: Actor) -> Connection:
    tenant = tenant_keys.locked(tenant.pk)
    now = database_now()
    row = Connection(tenant=tenant, created_at=now, updated_at=now)
    _set_plain(row, entry)
    for name in (*CHAIN_OF, "ca_pem"):
        if getattr(entry, name) is not None:
            setattr(row, name, getattr(entry, name))
    row.host = host_port(row.instance_url)
    _check_triple_is_free(row, now)
    _set_secrets(row, entry, now)
    row.save()
    _set_tags(row, entry)
    journal.write_event(row, EventKind.CREATED, "Connection created.", at=now, actor=actor.name)
    audit.record_on(row, actor, "create", at=now, difference=_shown(entry))
    transitions.reschedule(row, now)
    row.save(update_fields=["event_count", "due_at"])
    return row


def edit(pk: int, entry: Entry, actor: Actor, *, generation: int | None = None) -> tuple[Connection, Farewell | None]:
    """Applies what `entry` names. Raises EditRefused, Connection.DoesNotExist, Conflict where secrets are read-only.

    `generation`: the one that the asker saw; Moved where it is over, so that no secret gets to an address he never saw.
    """
    try:
        with transaction.atomic():
            return _edit(pk, entry, actor, generation)
    except IntegrityError as refused:
        raise _named(refused, entry) from None


def _edit(pk: int, entry: Entry, actor: Actor, generation: int | None) -> tuple[Connection, Farewell | None]:
    row, now = transitions.present_with_clock(pk)
    if generation is not None and row.generation != generation:
        raise Moved
    before = target_of(row)
    changed = {name for name in (*CHAIN_OF, "ca_pem") if _differs(row, entry, name)}
    farewell = _farewell(row, before) if changed & {"instance_url", "username", "platform", "ca_pem"} else None
    is_root_changed = _differs(row, entry, "rest_path")
    if changed:
        _change_identity(row, entry, changed, now, actor)
    _set_plain(row, entry)
    _set_secrets(row, entry, now)
    _set_tags(row, entry)
    row.updated_at = now
    journal.write_event(row, EventKind.EDITED, _edit_sentence(entry), at=now, actor=actor.name)
    audit.record_on(row, actor, "edit", at=now, difference=_shown(entry))
    if changed or is_root_changed or entry.password or entry.client_secret is not None or entry.refresh_token:
        _start_afresh(row, now, actor)
    transitions.reschedule(row, now)
    transitions.save(row)
    return row, farewell


def _differs(row: Connection, entry: Entry, name: str) -> bool:
    value = getattr(entry, name)
    return value is not None and value != getattr(row, name)


def _edit_sentence(entry: Entry) -> str:
    names = [item.name for item in fields(entry) if getattr(entry, item.name) is not None]
    return f"Edited: {', '.join(names)}." if names else "Edited: nothing changed."


def _shown(entry: Entry) -> dict[str, object]:
    """The difference for the audit: secrets only by name."""
    secret = {"password", "client_secret", "refresh_token"}
    return {
        item.name: "set" if item.name in secret else getattr(entry, item.name)
        for item in fields(entry)
        if getattr(entry, item.name) is not None
    }


def _set_plain(row: Connection, entry: Entry) -> None:
    for name in PLAIN_FIELDS:
        if getattr(entry, name) is not None:
            setattr(row, name, getattr(entry, name))
    if entry.owner is not None:
        row.owner = User.objects.filter(username=entry.owner).first() if entry.owner else None


def disown(owner_id: int, *, but_in: Collection[int]) -> int:
    """Somebody sees these tenants alone from now on: how many connections elsewhere have lost their owner."""
    return Connection.objects.filter(owner_id=owner_id).exclude(tenant_id__in=but_in).update(owner=None)


def _set_tags(row: Connection, entry: Entry) -> None:
    if entry.tags is None:
        return
    row.tags.exclude(name__in=entry.tags).delete()
    ConnectionTag.objects.bulk_create(
        [ConnectionTag(connection=row, name=name) for name in dict.fromkeys(entry.tags)], ignore_conflicts=True
    )


def _set_secrets(row: Connection, entry: Entry, now: datetime) -> None:
    if (entry.password or entry.client_secret or entry.refresh_token) and guard.key_trouble():
        raise Conflict("read_only", guard.key_trouble())
    data_key = _data_key(row, entry)
    if entry.password and row.store_password:
        passwords.store(row, entry.password, now, data_key=data_key)
    elif entry.store_password is False:
        row.password = None
    if entry.client_secret is not None:
        row.client_secret_number += 1
        context = keys.client_secret_context(row)
        secret = entry.client_secret
        row.client_secret = keys.seal(secret, context, data_key=data_key) if secret else None
    if entry.refresh_token:
        row.adopted_number += 1
        row.adopted_token = keys.seal(entry.refresh_token, keys.adopted_context(row), data_key=data_key)


def _data_key(row: Connection, entry: Entry) -> str:
    """Raises Conflict where the tenant's key is not to be had."""
    if not (entry.password or entry.client_secret or entry.refresh_token):
        return ""
    try:
        return tenant_keys.key_of(row.tenant)
    except VaultError as refused:
        raise Conflict("read_only", str(refused)) from None


def _change_identity(row: Connection, entry: Entry, changed: set[str], now: datetime, actor: Actor) -> None:
    """A new chain: the fence moves, what was claimed is abandoned, what was sent keeps its triple until drained."""
    is_host_changed = "ca_pem" in changed or (
        "instance_url" in changed and _origin(entry.instance_url or "") != _origin(row.instance_url)
    )
    for name in changed:
        setattr(row, name, getattr(entry, name))
    row.host = host_port(row.instance_url)
    row.platform_key, row.username_key = row.platform.lower(), row.username.lower()
    links.note_void(row, now, actor)
    row.generation += 1
    _abandon_claimed(row, now)
    _check_triple_is_free(row, now)
    row.is_new_chain_wanted = row.version_count > 0
    row.is_client_changed = changed == {"client_id"}
    row.password = None
    _take_back_password(row)
    row.has_refresh_token = False
    row.adopted_token = None
    row.rest_version_at = None
    row.is_session_bound = False
    row.chain_ends_at = None
    row.doubt_after = row.doubt_began = None
    row.dead_tried_at = None
    row.superseded_at = row.superseded_before_at = None
    if not row.is_client_changed:
        _end_chain(row, now)
    if is_host_changed:
        row.client_secret = None
        journal.write_event(
            row, EventKind.SECRETS_WIPED, "Every secret wiped: the host or its CA changed.", at=now, actor=actor.name
        )


def _take_back_password(row: Connection) -> None:
    """Typed for another address, user or platform."""
    LentPassword.objects.filter(connection=row).update(secret=None)


def _origin(url: str) -> str:
    """Scheme, host and port."""
    return url.split("://", 1)[0] + "://" + (host_port(url) if url else "")


def _end_chain(row: Connection, now: datetime) -> None:
    """Its tokens belong to another instance, user or platform: nobody is handed them any more."""
    TokenVersion.objects.filter(connection=row, state=VersionState.LIVE).update(state=VersionState.ENDED, ended_at=now)
    wipe(TokenVersion.objects.filter(connection=row))
    kept = Attempt.objects.filter(connection=row, answer__isnull=False)
    kept.filter(state=AttemptState.ANSWERED).update(answer=None, state=AttemptState.DISCARDED)
    kept.update(answer=None)  # a cut answer, whose attempt still drains
    row.access_expires_at = row.access_dead_at = row.access_doubtful_until = None
    row.refresh_expires_at = row.next_refresh_at = row.probe_due_at = None
    row.has_refresh_token = False


def _abandon_claimed(row: Connection, now: datetime) -> None:
    """Claimed but not sent: its sender's last look fails from now on."""
    Attempt.objects.filter(connection=row, state=AttemptState.CLAIMED).update(
        state=AttemptState.ABANDONED, closed_at=now
    )


def _check_triple_is_free(row: Connection, now: datetime) -> None:
    under_way = Attempt.objects.filter(
        instance_url=row.instance_url,
        username_key=row.username.lower(),
        platform_key=row.platform.lower(),
        state__in=OPEN_STATES,
        drain_until__gt=now,
    )
    until = (under_way.exclude(connection=row) if row.pk else under_way).values_list("drain_until", flat=True).first()
    if until is not None:
        raise TripleBusy(until, now)


def _start_afresh(row: Connection, now: datetime, actor: Actor) -> None:
    """Staff changed something that may cure: back-off is reset and the background looks at once."""
    row.failures = 0
    row.is_key_missing = False
    if row.version_count:
        transitions.update_diagnosis(row, now, actor=actor.name)
    row.retry_at = None
    if row.trouble != Trouble.NONE:
        row.retry_at = now


def _farewell(row: Connection, target: Target) -> Farewell | None:
    """What is needed to log the old session out; opened before it is wiped."""
    version = reads.live_version(row)
    if version is None or version.access_token is None:
        return None
    try:
        refresh = keys.opened_refresh(row, version) if version.refresh_token else ""
        return Farewell(target=target, access_token=keys.opened_access(row, version), refresh_token=refresh)
    except VaultError:
        return None


# -- pause, resume, hold, delete -----------------------------------------------------------------------------


DEED_OF = {EventKind.PAUSED: "pause", EventKind.HELD: "hold", EventKind.RESUMED: "resume"}


def pause(pk: int, actor: Actor) -> Connection:
    """No refreshes for workers; the chain is kept alive, a living token is still served.

    Raises Conflict while it is held: it would stay so, and the asker believe that tokens are served.
    """
    return _switch(pk, actor, EventKind.PAUSED, "Paused: the chain is kept alive, workers get no refresh.")


def hold(pk: int, actor: Actor) -> Connection:
    """Nothing leaves, nothing is handed out."""
    return _switch(pk, actor, EventKind.HELD, "Held: nothing leaves, nothing is handed out.")


def resume(pk: int, actor: Actor) -> Connection:
    return _switch(pk, actor, EventKind.RESUMED, "Resumed.")


def _switch(pk: int, actor: Actor, kind: EventKind, sentence: str) -> Connection:
    with transaction.atomic():
        row, now = transitions.present_with_clock(pk)
        if kind == EventKind.PAUSED and row.held_at is not None:
            raise Conflict(*HELD)
        if _is_switched(row, kind):
            return row  # done twice is done once
        row.paused_at = now if kind == EventKind.PAUSED else None if kind == EventKind.RESUMED else row.paused_at
        row.held_at = now if kind == EventKind.HELD else None if kind == EventKind.RESUMED else row.held_at
        if kind == EventKind.HELD:
            _abandon_claimed(row, now)
        journal.write_event(row, kind, sentence, at=now, actor=actor.name)
        audit.record_on(row, actor, DEED_OF[kind], at=now)
        _plan_after_switch(row, now, actor)
        transitions.save(row)
        return row


def _is_switched(row: Connection, kind: EventKind) -> bool:
    match kind:
        case EventKind.PAUSED:
            return row.paused_at is not None
        case EventKind.HELD:
            return row.held_at is not None
    return row.paused_at is None and row.held_at is None


def _plan_after_switch(row: Connection, now: datetime, actor: Actor) -> None:
    live = reads.live_version(row)
    if live is not None:
        transitions.plan_refresh(row, live, now)
    if row.trouble != Trouble.NONE:
        row.failures = 0
        row.retry_at = now
    transitions.reschedule(row, now, live=live)


def delete(pk: int, actor: Actor) -> Farewell | None:
    """Wipes every secret and keeps the history; returns what is needed to log out at Sugar."""
    with transaction.atomic():
        row, now = transitions.present_with_clock(pk)
        farewell = _farewell(row, target_of(row))
        links.note_void(row, now, actor)
        row.generation += 1
        row.deleted_at = now
        _abandon_claimed(row, now)
        _end_chain(row, now)
        row.password = row.client_secret = row.adopted_token = None
        row.contact_name = row.contact_email = ""
        _take_back_password(row)
        row.doubt_after = row.doubt_began = row.answer_lost_at = None
        row.trouble, row.trouble_since, row.diagnosis, row.diagnosis_code = Trouble.NONE, None, None, ""
        row.retry_at = None
        journal.write_event(row, EventKind.DELETED, "Deleted; every secret wiped.", at=now, actor=actor.name)
        audit.record_on(row, actor, "delete", at=now)
        transitions.reschedule(row, now)
        transitions.save(row)
    return farewell


def _named(refused: IntegrityError, entry: Entry) -> Exception:
    """Lock is courtesy, constraint is law: which one spoke."""
    words = str(refused)
    if "connection_triple_unique" in words or "connections_connection.platform_key" in words:
        return ConnectionExists(None)
    if "connection_external_id_unique" in words or "connections_connection.external_id" in words:
        return ExternalIdTaken(f"External id {entry.external_id!r} is taken.")
    if "attempt_one_open" in words:
        return TripleBusy(database_now(), database_now())
    return refused
