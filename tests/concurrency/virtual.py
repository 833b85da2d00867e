"""Time under the scheduler's control: every clock that custody reads, and nothing else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

from django.db import connection

from connections.custody import handout, reads, reports, runner, sending, spool
from connections.egress import boottime
from connections.models import clock as database_clock

EPOCH = 1_767_225_600.0  # a Thursday, at midnight
TICK = 0.001  # seconds between two moves: no two of them happen at once


class VirtualClock:
    """Seconds since 1970; moves when the scheduler says so."""

    def __init__(self) -> None:
        self.now = EPOCH

    def __call__(self) -> float:
        return self.now

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, tz=UTC)

    def advance(self, seconds: float) -> None:
        self.now += max(seconds, 0.0)

    def advance_to(self, moment: datetime) -> None:
        self.now = max(self.now, moment.timestamp() + TICK)


@contextmanager
def virtual_time(clock: VirtualClock, sleep: Callable[[float], None]) -> Iterator[None]:
    """Within: the database's clock, the clock that runs through suspend, and the clocks of waiting all show `clock`."""

    def now_sql(self: Any, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        return _literal(connection, clock.moment)

    def later_sql(self: Any, compiler: Any, connection: Any, *args: Any, **extra: Any) -> tuple[str, list[Any]]:
        return _literal(connection, clock.moment + timedelta(seconds=self.seconds))

    ours = SimpleNamespace(monotonic=clock, sleep=sleep, time=clock, perf_counter=time.perf_counter)
    with ExitStack() as stack:
        for kind, sql in ((database_clock.DatabaseNow, now_sql), (database_clock.DatabaseLater, later_sql)):
            stack.enter_context(mock.patch.object(kind, "as_sql", sql))
            stack.enter_context(mock.patch.object(kind, "as_sqlite", sql))
        # The hot paths put their queries together once, with the clock of that moment in them.
        for rows in (reads._DUE, reads._ATTEMPT, reads._LIVE):
            stack.enter_context(mock.patch.object(rows, "_compiled", _Forgetful()))
        stack.enter_context(mock.patch.object(handout, "_statement", handout._statement.__wrapped__))
        _replace_everywhere(stack, "database_now", database_clock.database_now, lambda: clock.moment)
        _replace_everywhere(stack, "boottime", boottime, clock)
        for module in (handout, reports, runner, sending, spool):
            if hasattr(module, "time"):
                stack.enter_context(mock.patch.object(module, "time", ours))
        yield


class _Forgetful(dict[str, Any]):
    def __setitem__(self, key: str, value: Any) -> None: ...


def _literal(database: Any, moment: datetime) -> tuple[str, list[Any]]:
    if database.vendor == "sqlite":
        return "%s", [moment.strftime("%Y-%m-%d %H:%M:%S.%f")]
    return "%s::timestamptz", [moment]


def _replace_everywhere(stack: ExitStack, name: str, original: object, other: object) -> None:
    """Functions are imported by name, so each importer holds its own reference."""
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("connections.") and getattr(module, name, None) is original:
            stack.enter_context(mock.patch.object(module, name, other))


def hurry(sender: object = None, **_: object) -> None:
    """Nobody cuts the power during a schedule: SQLite need not wait for the disk."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
