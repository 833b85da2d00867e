"""The one clock of custody is the database's: here it can be moved, and Sugar's with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.backends.signals import connection_created

from connections.custody import guard, rounds, wire
from connections.models import Connection, database_now
from connections.simulator import SimulatorServer

_offset = timedelta(0)
MOST_LOOKS_IN_AN_HOUR = 150  # looks four minutes apart are 15, probes of a host half a minute apart 120 at most

_POSTGRES = """
CREATE SCHEMA IF NOT EXISTS moved;
CREATE TABLE IF NOT EXISTS moved.clock (seconds double precision NOT NULL);
DELETE FROM moved.clock;
INSERT INTO moved.clock VALUES (0);
CREATE OR REPLACE FUNCTION moved.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql AS
    $$ SELECT pg_catalog.clock_timestamp() + make_interval(secs => seconds) FROM moved.clock $$;
"""


def _strftime(pattern: str, moment: str, *more: str) -> str:
    """SQLite's own, as custody calls it: now, and some seconds after."""
    assert moment == "NOW" and pattern == "%Y-%m-%d %H:%M:%f", (pattern, moment)
    at = datetime.now(UTC) + _offset + sum((timedelta(seconds=float(one.split()[0])) for one in more), timedelta(0))
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


def _look_at_moved_clock(sender: Any, connection: Any, **rest: Any) -> None:
    if connection.vendor == "sqlite":
        assert isinstance(connection.connection, sqlite3.Connection)
        connection.connection.create_function("STRFTIME", -1, _strftime)
        return
    with connection.cursor() as cursor:
        cursor.execute("SET search_path = moved, pg_catalog, public")


def _look_at_real_clock(sender: Any, connection: Any, **rest: Any) -> None:
    """A pooled session still looks into our schema first: it would make its tables there, unseen by all others."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("RESET search_path")


@contextmanager
def movable(simulator: SimulatorServer) -> Iterator[Clock]:
    """Every database connection made meanwhile reads the moved clock; at the end time is real again."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_POSTGRES)
    connection_created.disconnect(dispatch_uid="real clock")
    connection_created.connect(_look_at_moved_clock, dispatch_uid="moved clock")
    connection.ensure_connection()
    _look_at_moved_clock(None, connection)
    clock = Clock(simulator)
    try:
        yield clock
    finally:
        clock.jump(-_offset)
        connection_created.disconnect(dispatch_uid="moved clock")
        connection_created.connect(_look_at_real_clock, dispatch_uid="real clock")
        connection.close()


def tend(pk: int) -> str:
    """One look of the background; a process that dies in it (see the fixture `crash`) leaves its lease behind."""
    Connection.objects.filter(pk=pk).update(due_at=database_now() + rounds._lease())
    try:
        return rounds.tend(pk)
    except BaseException as end:
        if type(end).__name__ != "Killed":
            raise
        connection.close()
        return "killed"


class Clock:
    """Jumps over waiting times; what is due on the way is tended at its own moment, as the background would."""

    def __init__(self, simulator: SimulatorServer) -> None:
        self._simulator = simulator

    @property
    def now(self) -> datetime:
        return database_now()

    def jump(self, span: timedelta) -> None:
        """Time passes, and nobody does anything. Memories of this process that are short in life are over too."""
        global _offset
        _offset += span
        self._simulator.control.advance_clock(span.total_seconds())
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("UPDATE moved.clock SET seconds = %s", [_offset.total_seconds()])
        wire.forget_preflights()
        guard.forget()

    def run(self, span: timedelta, *, until: Callable[[], bool] | None = None) -> list[str]:
        """The background works for `span`, or until something has come true; returns what its looks came to."""
        end, words = self.now + span, list[str]()
        looks: dict[int, list[datetime]] = {}
        while True:
            if until is not None and until():
                return words
            due = Connection.objects.filter(due_at__isnull=False).order_by("due_at", "pk").first()
            if due is None or due.due_at > end:
                self.jump(max(end - self.now, timedelta(0)))
                return words
            if due.due_at > self.now:
                self.jump(due.due_at - self.now + timedelta(milliseconds=2))
            words.append(tend(due.pk))
            recent = [one for one in looks.get(due.pk, []) if one > self.now - timedelta(hours=1)]
            looks[due.pk] = recent = [*recent, self.now]
            assert len(recent) <= MOST_LOOKS_IN_AN_HOUR, f"The background never rests: {words[-20:]} {recent[-20:]}"
