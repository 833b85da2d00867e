"""The database as an earlier migration left it, for as long as a test looks; then as it is today."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


@contextmanager
def migrated_to(name: str) -> Iterator[Any]:
    """Gives the models of that time. Whatever happens, the tests after it find all tables of today."""
    try:
        yield migrate(name)
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes("connections"))


def migrate(name: str) -> Any:
    return MigrationExecutor(connection).migrate([("connections", name)]).apps
