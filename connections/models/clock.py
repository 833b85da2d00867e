"""The one clock of custody: the database's, read at the moment of the call, never a node's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, Func
from django.db.models.sql.compiler import SQLCompiler


class DatabaseNow(Func):
    """The wall clock of the database while the row is looked at.

    Django's `Now()` is the start of the statement and lies after a wait for a lock; PostgreSQL's
    `clock_timestamp()` does not. SQLite reads its clock once a step, which comes to the same.
    """

    template = "clock_timestamp()"
    output_field = DateTimeField()

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        # Twice escaped: for Func's own template, and for the backend, which formats the statement when it is logged.
        template = "STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'NOW')"
        return super().as_sql(compiler, connection, template=template, **extra)


def database_now() -> datetime:
    """The database's time now, aware, in UTC. Call it after a lock is held, never before."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')")
            return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)
        cursor.execute("SELECT clock_timestamp()")
        value: datetime = cursor.fetchone()[0]
        return value.astimezone(UTC)


class DatabaseLater(Func):
    """`seconds` after the database's clock now, as one expression for one statement."""

    output_field = DateTimeField()

    def __init__(self, *, seconds: float) -> None:
        super().__init__()
        self.seconds = float(seconds)

    def as_sql(self, compiler: SQLCompiler, connection: Any, *args: Any, **extra: Any) -> Any:
        return "(clock_timestamp() + make_interval(secs => %s))", [self.seconds]

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        return "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', %s)", [f"{self.seconds:+.3f} seconds"]
