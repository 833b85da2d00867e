"""Is this the database that Sugaradmin last worked on? Looks and compares; changes nothing but the mark of this node.

What a copy has differently is kept in the database (`Installation.fingerprint`): a copy carries it along and does not
fit it. An older state restored in its place does fit it; the high-water mark in the data directory of a node tells.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import NotSupportedError, ProgrammingError, connection, transaction
from django.db.models import Max

from connections.custody import birth, durable
from connections.models import Attempt, Installation, TokenVersion

logger = logging.getLogger(__name__)

MARK_FILE = "high_water.json"
MARKER = Installation._meta.db_table
PLACE = {
    "system": "the system identifier of the PostgreSQL server",
    "database": "the oid of the database",
    "marker": f"the oid of its table {MARKER}",
    "name": "the name of the database",
    "inode": "the inode of the database file",
    "birth": "the birth time of the database file",
}
WHAT_TO_DO = "If no other Sugaradmin works on these connections, run: manage.py confirm_database"
INSTANCE_ID_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where a database is and how far it has come."""

    place: dict[str, str]
    timeline: int | None  # PostgreSQL's: a standby that takes over begins a new one
    versions: int  # the highest key of a token version
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far this node has seen the database come, and of which confirmation on it counts."""

    since: datetime
    versions: int
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one look came to. Nothing set: it is the database that we know."""

    here: State
    row: Installation | None = None  # None: nobody has looked at this database before
    copied: str = ""  # a copy, or an older state: nobody may make grants on it
    foreign: str = ""  # it belongs to another installation: this node may not
    is_failover: bool = False

    @property
    def reason(self) -> str:
        return self.copied or self.foreign


def look() -> Verdict:
    """Compares what is with what was written down; a reason once found stays until somebody confirms."""
    mark = read_mark()  # before the database: what others commit meanwhile must not look like missing
    row = Installation.objects.first()
    here = state()
    if row is None:
        return Verdict(here=here)
    was, foreign = stored(row), _foreign(row)
    copied = row.read_only_reason or _moved(was.place, here.place)
    if not foreign:  # else the mark is about another database
        copied = copied or _behind(row, reach(was, here), mark)
    return Verdict(
        here=here,
        row=row,
        copied=copied,
        foreign=foreign,
        is_failover=None not in (was.timeline, here.timeline) and was.timeline != here.timeline,
    )


def _moved(was: dict[str, str], now: dict[str, str]) -> str:
    """What is known on both sides decides; a server that does not let us ask is known by less."""
    shared = [key for key in PLACE if key in was and key in now]
    if was and now and not shared:
        return f"This database is a copy: it came from another kind of database server. {WHAT_TO_DO}"
    if "system" in shared and "name" in shared:
        shared.remove("name")  # a renamed database is the same one
    different = next((key for key in shared if was[key] != now[key]), None)
    if different is None:
        return ""
    return (
        f"This database is a copy: {PLACE[different]} is {now[different]}, it was {was[different]} where Sugaradmin "
        f"worked on it. {WHAT_TO_DO}"
    )


def _behind(row: Installation, here: State, mark: Mark | None) -> str:
    """A mark of before the last confirmation is history."""
    if mark is None or row.confirmed_at is None or mark.since < row.confirmed_at:
        return ""
    if mark.since > row.confirmed_at:
        return (
            f"This database is an older one: this node has worked on one that was confirmed at "
            f"{mark.since:%Y-%m-%d %H:%M} UTC, later than this one. {WHAT_TO_DO}"
        )
    for what, seen, found in (
        ("token version", mark.versions, here.versions),
        ("attempt", mark.attempts, here.attempts),
    ):
        if seen > found:
            return (
                f"This database is an older state of itself: this node has seen {what} {seen}, and the newest here is "
                f"{found}. {WHAT_TO_DO}"
            )
    return ""


def _foreign(row: Installation) -> str:
    if row.instance_id == instance_id():
        return ""
    return (
        f"This database belongs to the installation {row.instance_id}, and this node is {instance_id()}: all nodes of "
        f"one installation need the same SUGARADMIN_INSTANCE_ID. {WHAT_TO_DO}"
    )


def instance_id() -> str:
    return settings.SUGARADMIN.instance_id[:INSTANCE_ID_LENGTH]


# -- what is ------------------------------------------------------------------------------------------------


def state() -> State:
    return State(
        place=_postgres_place() if connection.vendor == "postgresql" else _file_place(),
        timeline=_timeline() if connection.vendor == "postgresql" else None,
        versions=TokenVersion.objects.aggregate(newest=Max("pk"))["newest"] or 0,
        attempts=Attempt.objects.aggregate(newest=Max("pk"))["newest"] or 0,
    )


def _postgres_place() -> dict[str, str]:
    known = {
        # A table keeps its oid in every physical copy and gets a new one from a dump; a copy made by
        # CREATE DATABASE … TEMPLATE keeps it too, but not that of the database.
        "system": _asked("SELECT system_identifier FROM pg_control_system()"),
        "database": _asked("SELECT oid FROM pg_database WHERE datname = current_database()"),
        "marker": _asked(f"SELECT '{connection.ops.quote_name(MARKER)}'::regclass::oid"),
        "name": _asked("SELECT current_database()"),
    }
    return {key: str(value) for key, value in known.items() if value is not None}


def _timeline() -> int | None:
    """Of what is written now: `pg_control_checkpoint()` would name the old one until the next checkpoint."""
    file = _asked("SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_lsn()) END")
    return int(file[:8], 16) if file else None


def _asked(question: str) -> Any:
    """None where this server does not let us ask, as managed ones may not. Leaves the caller's transaction whole."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0]
    except (ProgrammingError, NotSupportedError):
        return None


def _file_place() -> dict[str, str]:
    """Nothing for a database in memory: it cannot be copied."""
    file = Path(connection.settings_dict["NAME"])
    try:
        place, born = {"inode": str(file.stat().st_ino)}, birth.born_at(file)
    except OSError:
        return {}
    return place if born is None else place | {"birth": str(born)}


# -- what was written down ----------------------------------------------------------------------------------


def stored(row: Installation) -> State:
    page: dict[str, Any] = row.fingerprint
    return State(
        place=page.get("place", {}),
        timeline=page.get("timeline"),
        versions=page.get("versions", 0),
        attempts=page.get("attempts", 0),
    )


def reach(was: State, here: State) -> State:
    """`here`, with marks that never fall: rows that were pruned since have been there."""
    return State(
        place=was.place | here.place,
        timeline=here.timeline if here.timeline is not None else was.timeline,
        versions=max(was.versions, here.versions),
        attempts=max(was.attempts, here.attempts),
    )


def as_json(known: State, seen_at: datetime) -> dict[str, Any]:
    return {
        "place": known.place,
        "timeline": known.timeline,
        "versions": known.versions,
        "attempts": known.attempts,
        "seen_at": seen_at.isoformat(),
    }


def read_mark() -> Mark | None:
    """None where this node has none, or one that says nothing."""
    path = settings.SUGARADMIN.data_dir / MARK_FILE
    try:
        page = json.loads(path.read_text(encoding="utf-8"))
        since = datetime.fromisoformat(page["since"])
        return Mark(since=since, versions=int(page["versions"]), attempts=int(page["attempts"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        logger.error("The high-water mark of this node cannot be read.", extra={"action": "check_database"})
        return None


def write_mark(mark: Mark) -> None:
    """Synced to disk when it returns. Raises OSError."""
    page = {"since": mark.since.isoformat(), "versions": mark.versions, "attempts": mark.attempts}
    durable.write(settings.SUGARADMIN.data_dir / MARK_FILE, json.dumps(page))
