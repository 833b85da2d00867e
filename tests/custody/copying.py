"""A node that looks at its database, a database that is copied, and an operator who confirms."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from connections.condition import examine
from connections.custody import copies, guard
from connections.models import Installation
from tests.conftest import Configured
from tests.custody.conftest import Kept


@pytest.fixture(autouse=True)
def node(tmp_path: Path, transactional_db: None, configured: Configured) -> None:
    """A node of its own, that has just started on an empty database."""
    configured(data_dir=tmp_path / "node", instance_id="i_prod")
    look()


def look() -> str:
    """What the ticker of a node does each minute."""
    try:
        return copies.check()
    finally:
        guard.forget()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Callable[[], None]]:
    """`elsewhere()` copies the database, whole, and goes on with the copy, as a clone for staging does."""
    origin = connection.settings_dict["NAME"]
    copy = f"{origin}_copy" if connection.vendor == "postgresql" else str(tmp_path / "copy.sqlite3")

    def move() -> None:
        disconnect()
        if connection.vendor == "postgresql":
            administer(f'DROP DATABASE IF EXISTS "{copy}"', f'CREATE DATABASE "{copy}" TEMPLATE "{origin}"')
        else:
            shutil.copy(origin, copy)
        connection.settings_dict["NAME"] = copy
        guard.forget()

    yield move
    disconnect()
    connection.settings_dict["NAME"] = origin
    if connection.vendor == "postgresql":
        administer(f'DROP DATABASE IF EXISTS "{copy}"')


def disconnect() -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()


def administer(*statements: str) -> None:
    with connection._nodb_cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def installation(**changes: object) -> Installation:
    row = Installation.objects.get()
    for name, value in changes.items():
        setattr(row, name, value)
    row.save()
    guard.forget()
    return row


def pretend(**known: object) -> None:
    """The database remembers something else of itself than it is."""
    row = Installation.objects.get()
    installation(fingerprint=row.fingerprint | known)


def grants(*fleet: Kept) -> int:
    return sum(kept.grants("refresh") + kept.grants("password") for kept in fleet)


def doctor() -> str:
    return next(f"{one.level} {one.sentence}" for one in examine() if one.name == "copy")


def confirm(*arguments: str) -> dict[str, object]:
    out = io.StringIO()
    call_command("confirm_database", "--yes", "--json", *arguments, stdout=out)
    page: dict[str, object] = json.loads(out.getvalue())
    return page
