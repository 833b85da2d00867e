"""Writes a crowd as rows: the one place beside the ledger that does, and only the demo comes here.

Thousands of connections cannot be played at a simulator while somebody waits, so their past is written down as custody
would have left it: connections, a journal of about a hundred grants each, a version for each good one, the events of
both. Secrets are sealed like any other, so that re-encryption and the worker API meet nothing strange.

Nothing of it is ever refreshed by itself, so that nobody is hammered: no row has a due time, which is where the
background looks, and no host is at the simulator, all end in `.example`, which no resolver knows. Who rotates one by
hand sees `dns_failure`.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Max

from connections.choices import Confidence, Generation, Role, Status, Trouble
from connections.custody import audit, keys
from connections.custody.audit import Actor
from connections.custody.ledger import transitions
from connections.demo import crowd
from connections.demo.crowd import FAILED, Member
from connections.demo.loading import Loader
from connections.demo.pasts import ATTEMPT, BETWEEN, EVENT, REFRESH_LIFETIME, VERSION, Past, Rows, Tokens
from connections.diagnosis import CATALOGUE, Diagnosis, Evidence, fill
from connections.models import Attempt, Connection, ConnectionTag, Event, Tenant, TokenVersion, database_now
from connections.onboarding.access import create_staff

GRANTS_EACH = 102  # drafts have none: about a hundred for each connection
CHUNK = 10_000  # grants in one transaction
OWNERS = ("ana", "ben", "chris", "dana")
USERNAME = "integration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """How many rows were written."""

    connections: int
    attempts: int
    versions: int
    events: int


def seed(size: int, actor: Actor, *, grants_each: int = GRANTS_EACH) -> Seeded:
    """Writes `size` connections, once in a database, before anything is played in it.

    The grants are written in the order of their times over all connections, as custody would have: rows of one
    connection lie far apart, and the newest events have the highest keys.
    """
    now = database_now()
    pasts = _connections(size, grants_each, now, actor)
    loaders = Loader(Attempt, ATTEMPT), Loader(TokenVersion, VERSION), Loader(Event, EVENT)
    for rows in _chunks(pasts, grants_each, now, actor):
        with transaction.atomic():
            for loader, part in zip(loaders, (rows.attempts, rows.versions, rows.events), strict=True):
                loader.load(part)
    _settle_down()
    return Seeded(
        connections=len(pasts),
        attempts=sum(len(past.member.course) for past in pasts),
        versions=sum(past.versions for past in pasts),
        events=sum(past.events for past in pasts),
    )


def _chunks(pasts: list[Past], grants_each: int, now: datetime, actor: Actor) -> Iterator[Rows]:
    """First what was created, then every grant in the order of time, at last what was paused."""
    rows = Rows()
    for past in pasts:
        past.create(rows, now - BETWEEN * (grants_each + 1), actor.name)
    running = [past for past in pasts if past.member.course]
    key = Attempt.objects.aggregate(newest=Max("pk"))["newest"] or 0
    for place in range(grants_each):
        for past in running:
            key += 1
            past.tell(place, key, rows)
            if len(rows.attempts) == CHUNK:
                yield rows
                rows = Rows()
    for past in running:
        if past.member.fate.status == Status.PAUSED:
            past.pause(rows, now, actor.name)
    yield rows


def _settle_down() -> None:
    """Rows that brought their keys along have moved no sequence, and the planner knows nothing of them."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Attempt]):
            cursor.execute(statement)
        cursor.execute("ANALYZE")


# -- the connections -----------------------------------------------------------------------------------------


def _connections(size: int, grants_each: int, now: datetime, actor: Actor) -> list[Past]:
    members = list(crowd.members(size, grants_each=grants_each))
    running = sum(bool(member.course) for member in members) or 1
    with transaction.atomic():
        tenants = Tenant.objects.bulk_create(Tenant(slug=one.slug, name=one.name) for one in crowd.customers(size))
        owners = [_owner(name, actor) for name in OWNERS]
        pasts: list[Past] = []
        place = 0
        for member in members:
            begins_at = now - BETWEEN * grants_each + BETWEEN / running * place
            place += bool(member.course)
            owner = owners[member.number % len(owners)] if member.number % 3 else None
            pasts.append(_past(member, tenants[member.customer], owner, begins_at, now))
        Connection.objects.bulk_create([past.row for past in pasts], batch_size=1000)
        ConnectionTag.objects.bulk_create(
            (ConnectionTag(connection=past.row, name=name) for past in pasts for name in past.member.tags),
            batch_size=1000,
        )
        audit.record(actor, "seed_demo", at=now, difference={"connections": size, "tenants": len(tenants)})
    return pasts


def _owner(name: str, actor: Actor) -> User:
    """Somebody whose connections they are; nobody knows the password."""
    known = User.objects.filter(username=name).first()
    return known or create_staff(name, secrets.token_urlsafe(24), Role.OPERATOR, actor).user


def _past(member: Member, tenant: Tenant, owner: User | None, begins_at: datetime, now: datetime) -> Past:
    created = now - BETWEEN * (len(member.course) + 1)
    row = Connection(
        tenant=tenant,
        label=member.label,
        external_id=f"crm-{member.number:05d}",
        instance_url=f"https://{member.host}",
        host=f"{member.host}:443",
        rest_path="rest/v11_20",
        platform=member.platform,
        platform_key=member.platform.lower(),
        username=USERNAME,
        username_key=USERNAME,
        owner=owner,
        contact_name="Sam Carter",
        contact_email=f"crm-admin@{member.host}",
        store_password=member.fate.keeps_password,
        created_at=created,
        updated_at=created,
        event_count=member.events,
        paused_at=now if member.fate.status == Status.PAUSED else None,
    )
    past = Past(
        member=member,
        row=row,
        begins_at=begins_at,
        answer_ms=120 + zlib.crc32(member.host.encode()) % 700,
        seal=lambda number: _tokens(row, number),
    )
    if member.fate.keeps_password:
        row.password_number, row.password_set_at = 1, created
        row.password = keys.keyring().seal(secrets.token_urlsafe(12), keys.password_context(row))
    if member.course:
        _note_chain(past)
        _note_trouble(past)
    return past


def _tokens(row: Connection, number: int) -> Tokens:
    access, refresh, ring = secrets.token_hex(20), secrets.token_hex(20), keys.keyring()
    tenant_id = row.tenant.public_id
    return Tokens(
        access=ring.seal(access, keys.access_context(tenant_id, row.public_id, number)).envelope,
        refresh=ring.seal(refresh, keys.refresh_context(tenant_id, row.public_id, number)).envelope,
        fingerprint=keys.fingerprint(access),
        refresh_fingerprint=keys.fingerprint(refresh),
    )


def _note_chain(past: Past) -> None:
    """What its grants have left on its row."""
    row, member = past.row, past.member
    issued_at = past.at(member.last_good)
    row.chain = 1
    row.version_count, row.attempt_count = member.good, len(member.course)
    row.signed_in_at, row.last_success_at, row.last_used_at = past.at(0), issued_at, issued_at
    row.session_generation, row.sugar_version = Generation.ALWAYS, "14.0.0"
    row.access_expires_at = issued_at + timedelta(hours=member.access_hours)
    row.refresh_expires_at = issued_at + REFRESH_LIFETIME
    row.next_refresh_at = issued_at + REFRESH_LIFETIME / 2
    row.has_refresh_token = not member.fate.is_burnt


def _note_trouble(past: Past) -> None:
    """What its last grants have come to."""
    row, fate = past.row, past.member.fate
    if fate.code is None:
        return
    first = past.member.course.index(FAILED)
    row.trouble, row.trouble_since = fate.trouble, past.at(first)
    row.failures = past.member.course.count(FAILED)
    row.diagnosis_code, row.diagnosis = fate.code, transitions.as_json(_diagnosis(row, past.member, first + 1))
    if fate.status == Status.DOWN:
        row.access_dead_at = row.trouble_since
    if fate.trouble == Trouble.IN_DOUBT:
        row.doubt_began, row.doubt_after = first + 1, row.attempt_count


def _diagnosis(row: Connection, member: Member, attempt: int) -> Diagnosis:
    """The words of the catalogue, with the attempt that began it as the evidence."""
    assert member.fate.code is not None
    entry = CATALOGUE[member.fate.code]
    words = {"host": member.host, "platform": row.platform, "username": row.username, "client_id": row.client_id}
    return Diagnosis(
        code=member.fate.code,
        confidence=Confidence.LIKELY if member.fate.is_burnt else Confidence.CERTAIN,
        trouble=member.fate.trouble,
        title=str(entry.title),
        cause=fill(entry.cause, words),
        evidence=(Evidence(text=fill(entry.how_we_know, words), attempt=attempt),),
        fix_by=entry.fix_by,
        fix=tuple(fill(step, words) for step in entry.fix),
    )
