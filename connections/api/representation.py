"""How rows look to the outside: public names, whole seconds in UTC, no secret and no database key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import Min

from connections.choices import Trouble, VersionState
from connections.custody.handout import HandedOut, find
from connections.models import Connection, ConnectionTag, Event, TokenVersion

Json = dict[str, Any]
EventOf = Mapping[tuple[int, int], int]
"""(connection's key, attempt's number) → id of the first event about that attempt."""

HEADER = "OAuth-Token"


def moment(at: datetime | None) -> str | None:
    """RFC 3339 in UTC with Z, whole seconds, rounded down: nothing is promised to live longer than it does."""
    return None if at is None else instant(at)


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()[:19] + "Z"


def token(given: HandedOut) -> Json:
    shown: Json = {
        "connection": given.connection_id,
        "access_token": given.access_token,
        "header": HEADER,
        "version": given.version,
        "expires_at": instant(given.expires_at),
        "expires_in": given.expires_in,
        "instance_url": given.instance_url,
        "api_url": f"{given.instance_url}/{given.rest_path}",
        "platform": given.platform,
        "warning": given.warning,
    }
    if given.is_verified is not None:
        shown["verified"] = given.is_verified
    return shown


def connection_of(public_id: str, tenants: frozenset[int] | None) -> Json:
    """One connection as it stands now. Raises NotFound."""
    return connections([find(public_id, tenants)])[0]


def connections(rows: Sequence[Connection]) -> list[Json]:
    """Rows with status; their versions, tags and linked events in one query each."""
    keys = [row.pk for row in rows]
    live = {
        version.connection_id: version
        for version in TokenVersion.objects.filter(connection__in=keys, state=VersionState.LIVE).only(
            "connection_id", "number", "access_expires_at", "refresh_expires_at", "fingerprint"
        )
    }
    tags: dict[int, list[str]] = {}
    for tag in ConnectionTag.objects.filter(connection__in=keys).order_by("name"):
        tags.setdefault(tag.connection_id, []).append(tag.name)
    events = events_of((row.pk, row.diagnosis) for row in rows if row.diagnosis)
    return [_connection(row, live.get(row.pk), tags.get(row.pk, []), events) for row in rows]


def _connection(row: Connection, live: TokenVersion | None, tags: list[str], events: EventOf) -> Json:
    return {
        "id": row.public_id,
        "tenant": row.tenant.slug,
        "label": row.label,
        "instance_url": row.instance_url,
        "platform": row.platform,
        "username": row.username,
        "client_id": row.client_id,
        "status": str(row.status),  # type: ignore[attr-defined]  # annotated
        "dies_at": moment(row.dies_at),  # type: ignore[attr-defined]  # annotated
        "diagnosis": diagnosis(row.diagnosis, row.pk, events) if row.diagnosis else None,
        "token": _version(row, live) if live else None,
        "last_success_at": moment(row.last_success_at),
        "next_refresh_at": moment(_next_refresh(row)),
        "tags": tags,
        "created_at": moment(row.created_at),
    }


def _next_refresh(row: Connection) -> datetime | None:
    """When custody acts next by itself: in trouble that is the next try."""
    if row.held_at is not None:
        return None
    return row.next_refresh_at if row.trouble == Trouble.NONE else row.retry_at


def _version(row: Connection, live: TokenVersion) -> Json:
    return {
        "version": live.number,
        "access_expires_at": moment(live.access_expires_at),
        "refresh_expires_at": moment(live.refresh_expires_at),
        "chain_ends_at": moment(row.chain_ends_at),
        "fingerprint": live.fingerprint,
    }


def diagnosis(stored: Json, key: int, events: EventOf) -> Json:
    return {
        "code": stored["code"],
        "title": stored["title"],
        "confidence": stored["confidence"],
        "cause": stored["cause"],
        "evidence": [
            {
                "text": item["text"],
                "attempt": item["attempt"],
                "event": events.get((key, item["attempt"])) if item["attempt"] else None,
            }
            for item in stored["evidence"]
        ],
        "fix_by": stored["fix_by"],
        "fix": stored["fix"],
        "help_url": settings.SUGARADMIN.base_url + stored["help_path"],
    }


def diagnosis_on(public_id: str, stored: Json) -> Json:
    """The same where only the connection's public id is at hand."""
    key = Connection.objects.filter(public_id=public_id).values_list("pk", flat=True).first() or 0
    return diagnosis(stored, key, events_of([(key, stored)]))


def events_of(diagnoses: Iterable[tuple[int, Json]]) -> EventOf:
    """The events that evidence points at."""
    attempts = {(key, item["attempt"]) for key, stored in diagnoses for item in stored["evidence"] if item["attempt"]}
    if not attempts:
        return {}
    found = (
        Event.objects.filter(
            connection__in={key for key, _ in attempts}, attempt__in={number for _, number in attempts}
        )
        .order_by()
        .values_list("connection_id", "attempt")
        .annotate(first=Min("pk"))
    )
    return {(key, number): first for key, number, first in found}


def event(row: Event) -> Json:
    return {
        "id": row.pk,
        "at": moment(row.at),
        "connection": row.connection.public_id,
        "kind": row.kind,
        "code": row.code or None,
        "summary": row.summary,
        "attempt": row.attempt,
        "version": row.version,
        "actor": row.actor,
    }
