"""A connection, its events and its diagnosis as JSON: one shape for the API, the commands and whatever else prints.

Times are RFC 3339 in UTC with whole seconds and `Z`. No secret is in any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypedDict

from django.conf import settings
from django.db.models import Min

from connections.choices import Trouble, VersionState
from connections.models import Connection, ConnectionTag, Event, TokenVersion


class TokenJson(TypedDict):
    version: int
    access_expires_at: str | None
    refresh_expires_at: str | None
    chain_ends_at: str | None
    fingerprint: str


class EvidenceJson(TypedDict):
    """`attempt` is a number within the connection, `event` the id of the first event about that attempt."""

    text: str
    attempt: int | None
    event: int | None


class DiagnosisJson(TypedDict):
    code: str
    title: str
    confidence: str
    cause: str
    evidence: list[EvidenceJson]
    fix_by: str
    fix: list[str]
    help_url: str


class ConnectionJson(TypedDict):
    id: str
    tenant: str
    label: str
    instance_url: str
    platform: str
    username: str
    client_id: str
    status: str
    dies_at: str | None
    diagnosis: DiagnosisJson | None
    token: TokenJson | None
    last_success_at: str | None
    next_refresh_at: str | None
    tags: list[str]
    created_at: str | None


class EventJson(TypedDict):
    id: int
    at: str | None
    connection: str
    kind: str
    code: str | None
    summary: str
    attempt: int | None
    version: int | None
    actor: str


EventIds = Mapping[tuple[int, int], int]
"""(connection's key, attempt's number) → id of the first event about it."""


def connection_as_json(row: Connection) -> ConnectionJson:
    """`row` as `handout.find` gives it: annotated with status and dies_at."""
    return connections_as_json([row])[0]


def connections_as_json(rows: Iterable[Connection]) -> list[ConnectionJson]:
    """A page of them in three queries, whatever their number. Each row is annotated, its tenant selected."""
    page = list(rows)
    pks = [row.pk for row in page]
    live = _live_versions(pks)
    tags = _tags(pks)
    events = _event_ids([row for row in page if row.diagnosis])
    return [_connection(row, live.get(row.pk), tags.get(row.pk, []), events) for row in page]


def event_as_json(event: Event) -> EventJson:
    """`event.connection` should be selected with it."""
    return EventJson(
        id=event.pk,
        at=instant(event.at),
        connection=event.connection.public_id,
        kind=str(event.kind),
        code=event.code or None,
        summary=event.summary,
        attempt=event.attempt,
        version=event.version,
        actor=event.actor,
    )


def diagnosis_as_json(row: Connection) -> DiagnosisJson | None:
    return _diagnosis(row, _event_ids([row]) if row.diagnosis else {})


def stored_diagnosis_as_json(stored: Mapping[str, Any], *, public_id: str) -> DiagnosisJson:
    """The diagnosis that a `CustodyProblem` carries: as it was when that was raised."""
    pk = Connection.objects.values_list("pk", flat=True).get(public_id=public_id)
    return _stored(stored, pk, _event_ids_of({pk: _attempts_of(stored)}))


def instant(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, whole seconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _connection(row: Connection, live: TokenVersion | None, tags: list[str], events: EventIds) -> ConnectionJson:
    return ConnectionJson(
        id=row.public_id,
        tenant=row.tenant.slug,
        label=row.label,
        instance_url=row.instance_url,
        platform=row.platform,
        username=row.username,
        client_id=row.client_id,
        status=str(row.status),  # type: ignore[attr-defined]  # annotated by with_status
        dies_at=instant(row.dies_at),  # type: ignore[attr-defined]  # annotated by with_status
        diagnosis=_diagnosis(row, events),
        token=_token(row, live),
        last_success_at=instant(row.last_success_at),
        next_refresh_at=instant(_next_refresh_at(row)),
        tags=tags,
        created_at=instant(row.created_at),
    )


def _token(row: Connection, live: TokenVersion | None) -> TokenJson | None:
    """Null while there is none: before the first sign-in, and after an edit has ended the chain."""
    if live is None:
        return None
    return TokenJson(
        version=live.number,
        access_expires_at=instant(live.access_expires_at),
        refresh_expires_at=instant(live.refresh_expires_at),
        chain_ends_at=instant(row.chain_ends_at),
        fingerprint=live.fingerprint,
    )


def _next_refresh_at(row: Connection) -> datetime | None:
    """When custody acts next by itself: in trouble that is the next try, on hold it is never."""
    if row.held_at is not None:
        return None
    return row.next_refresh_at if row.trouble == Trouble.NONE else row.retry_at


def _diagnosis(row: Connection, events: EventIds) -> DiagnosisJson | None:
    return _stored(row.diagnosis, row.pk, events) if row.diagnosis else None


def _stored(stored: Mapping[str, Any], pk: int, events: EventIds) -> DiagnosisJson:
    return DiagnosisJson(
        code=stored["code"],
        title=stored["title"],
        confidence=stored["confidence"],
        cause=stored["cause"],
        evidence=[
            EvidenceJson(text=item["text"], attempt=item["attempt"], event=events.get((pk, item["attempt"] or 0)))
            for item in stored["evidence"]
        ],
        fix_by=stored["fix_by"],
        fix=list(stored["fix"]),
        help_url=f"{settings.SUGARADMIN.base_url}{stored['help_path']}",
    )


def _live_versions(pks: list[int]) -> dict[int, TokenVersion]:
    live = TokenVersion.objects.filter(connection__in=pks, state=VersionState.LIVE).order_by()
    return {one.connection_id: one for one in live.defer("access_token", "refresh_token")}


def _tags(pks: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for pk, name in ConnectionTag.objects.filter(connection__in=pks).order_by("name").values_list("connection", "name"):
        found.setdefault(pk, []).append(name)
    return found


def _event_ids(rows: list[Connection]) -> EventIds:
    return _event_ids_of({row.pk: _attempts_of(row.diagnosis or {}) for row in rows})


def _attempts_of(stored: Mapping[str, Any]) -> set[int]:
    return {item["attempt"] for item in stored.get("evidence", ()) if item["attempt"]}


def _event_ids_of(wanted: Mapping[int, set[int]]) -> EventIds:
    numbers = set().union(*wanted.values()) if wanted else set()
    if not numbers:
        return {}
    found = (
        Event.objects.filter(connection__in=list(wanted), attempt__in=numbers)
        .order_by()
        .values_list("connection_id", "attempt")
        .annotate(first=Min("pk"))
    )
    return {(pk, attempt): first for pk, attempt, first in found if attempt is not None}
