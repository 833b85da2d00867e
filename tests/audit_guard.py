"""The guard of the audit, out of the way: as whoever owns the database could do, and as tests must between each other.

The product has no such switch. A transactional test ends with empty tables, and emptying the audit is what the triggers
refuse, so the flush of the test suite, and nothing else, goes around them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.core.management.commands import flush
from django.db import connection, transaction
from django.db.backends.base.operations import BaseDatabaseOperations

TABLE = "connections_auditrow"
STAYS = {"django_content_type", "auth_permission"}


@contextmanager
def unguarded() -> Iterator[None]:
    """One transaction in which the audit may be changed; the triggers are back before it commits."""
    with transaction.atomic():
        put_back = _taken_down()
        yield
        _run(put_back)


def _taken_down() -> list[str]:
    """What has to be run to have the triggers again."""
    if connection.vendor == "sqlite":
        found = _run([f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{TABLE}'"])
        _run([f"DROP TRIGGER {name}" for name, _ in found])
        return [sql for _, sql in found]
    _run(["SET CONSTRAINTS ALL IMMEDIATE"])  # a table is not altered while deferred checks of its rows wait
    found = _run([f"SELECT tgname FROM pg_trigger WHERE tgrelid = '{TABLE}'::regclass AND NOT tgisinternal"])
    _run([f"ALTER TABLE {TABLE} DISABLE TRIGGER {name}" for (name,) in found])
    return [f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER {name}" for (name,) in found]


def _run(statements: list[str]) -> list[Any]:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def let_tests_flush(patch: pytest.MonkeyPatch) -> None:
    """Only what is filled is emptied, and what Django says of the models itself stays: to empty fifty tables of which
    eight have rows, and to write two hundred permissions anew, takes longer than most tests."""

    def around(_: BaseDatabaseOperations, __: list[str]) -> None:
        with unguarded():
            if connection.vendor == "postgresql":
                _run(["SET CONSTRAINTS ALL DEFERRED"])
            _run([f'DELETE FROM "{table}"' for table in _filled()])
            if connection.vendor == "postgresql":
                _run(["SET CONSTRAINTS ALL IMMEDIATE"])  # before the triggers are put back

    patch.setattr(BaseDatabaseOperations, "execute_sql_flush", around)
    patch.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: None)


def _filled() -> list[str]:
    there = set(connection.introspection.table_names())
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} & there - STAYS
    asked = (f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in sorted(known))
    return [name for (name,) in _run([" UNION ALL ".join(asked)])]
