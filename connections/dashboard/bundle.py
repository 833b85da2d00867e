"""The support bundle: what a colleague or the vendor needs to know of a connection, as Markdown, without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from connections.dashboard import queries
from connections.dashboard.wording import status_sentence
from connections.models import Connection
from sugaradmin import __version__

EVENTS, VERSIONS, ATTEMPTS = 20, 10, 10


def bundle(row: Any) -> str:
    return "\n".join([*_head(row), *_diagnosis(row), *_events(row), *_versions(row), *_attempts(row), ""])


def _at(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else "–"


def _cell(value: object) -> str:
    """A table's cell: Sugar's own words may hold anything."""
    return " ".join(str(value if value not in (None, "") else "–").split()).replace("|", "\\|")


def _table(*heads: str) -> list[str]:
    return [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]


def _line(*cells: object) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _head(row: Any) -> Iterator[str]:
    yield f"# {_cell(row.label)} ({row.public_id})"
    yield ""
    yield f"- Made {_at(row.now)} by Sugaradmin {__version__} at {settings.SUGARADMIN.base_url}"
    yield f"- Tenant: {row.tenant.slug}; external id: {_cell(row.external_id)}"
    yield f"- Instance: {row.instance_url} ({row.rest_path})"
    yield f"- Sugar: {_cell(row.sugar_version)}, generation {row.session_generation}"
    yield f"- Platform: `{row.platform}`; user: `{row.username}`; client id: `{row.client_id}`"
    yield f"- Status: **{row.status}**. {status_sentence(row)}"
    yield f"- Access token until {_at(row.access_expires_at)}; refresh token until {_at(row.refresh_expires_at)}"
    yield f"- Password stored: {'yes' if row.password is not None else 'no'}; last success {_at(row.last_success_at)}"


def _diagnosis(row: Connection) -> Iterator[str]:
    found: dict[str, Any] | None = row.diagnosis
    if not found:
        return
    yield f"\n## Diagnosis: {found['title']} (`{found['code']}`, {found['confidence']})\n"
    yield f"{found['cause']}\n"
    for item in found["evidence"]:
        points = f" (attempt {item['attempt']})" if item.get("attempt") else ""
        yield f"- {_cell(item['text'])}{points}"
    yield "\nFix:\n"
    yield from (f"{number}. {_cell(step)}" for number, step in enumerate(found["fix"], 1))


def _events(row: Connection) -> Iterator[str]:
    yield f"\n## Last {EVENTS} events\n"
    yield from _table("#", "At", "Kind", "Code", "Summary", "Actor")
    for event in queries.events_of(row)[:EVENTS]:
        yield _line(event.number, _at(event.at), event.kind, event.code, event.summary, event.actor)


def _versions(row: Connection) -> Iterator[str]:
    yield "\n## Token versions\n"
    yield from _table("Version", "Origin", "State", "Fingerprint", "Issued", "Access until", "Ended")
    for one in queries.versions_of(row)[:VERSIONS]:
        ends = _at(one.access_expires_at)
        yield _line(
            f"v{one.number}", one.origin, one.state, one.fingerprint, _at(one.issued_at), ends, _at(one.ended_at)
        )


def _attempts(row: Connection) -> Iterator[str]:
    yield "\n## Attempts\n"
    yield from _table("#", "Kind", "State", "Claimed", "HTTP", "Fault", "Sugar said")
    for one in queries.attempts_of(row)[:ATTEMPTS]:
        said = f"{one.error} {one.error_message}"
        yield _line(one.number, one.kind, one.state, _at(one.claimed_at), one.http_status, one.fault, said)
