"""DATABASE_URL as Django's settings, and the check that refuses what custody cannot work with."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection, transaction

from connections.checks import database_keeps_promises
from sugaradmin.databases import databases
from sugaradmin.env import EnvError, Environment


def default(url: str = "", **variables: str) -> dict[str, Any]:
    return databases(Environment({"DATABASE_URL": url, **variables}), data_dir=Path("/data"))["default"]


def test_without_an_address_it_is_sqlite_in_the_data_directory() -> None:
    assert default()["NAME"] == "/data/sugaradmin.sqlite3"


def test_sqlite_takes_a_file() -> None:
    assert default("sqlite:////var/lib/x%20y.sqlite3")["NAME"] == "/var/lib/x y.sqlite3"


def test_postgres_takes_apart_its_address() -> None:
    made = default("postgresql://us%40er:p%2Fw@db.example:5433/name?sslmode=require", SUGARADMIN_DATABASE_POOL="7")
    assert (made["USER"], made["PASSWORD"], made["HOST"], made["PORT"]) == ("us@er", "p/w", "db.example", "5433")
    assert made["NAME"] == "name"
    assert made["OPTIONS"]["sslmode"] == "require"
    assert made["OPTIONS"]["pool"]["max_size"] == 7
    assert made["CONN_MAX_AGE"] == 0


def test_postgres_takes_a_socket_directory() -> None:
    made = default("postgresql://postgres@/name?host=/run/postgresql&port=5433")
    assert (made["HOST"], made["PORT"]) == ("/run/postgresql", "5433")


@pytest.mark.parametrize(
    "url", ["mysql://host/name", "sqlite://", "sqlite:///:memory:", "sqlite://host/x", "postgresql://secret@h:port/x"]
)
def test_another_database_is_refused_without_quoting_the_address(url: str) -> None:
    with pytest.raises(EnvError) as caught:
        default(url)
    assert "DATABASE_URL" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_our_own_settings_pass_the_check() -> None:
    assert database_keeps_promises(None) == []


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("transaction_mode", "DEFERRED"),
        ("timeout", 5),
        ("init_command", "PRAGMA journal_mode=WAL"),
        ("init_command", "PRAGMA synchronous=FULL"),
    ],
)
def test_sqlite_that_could_lose_a_commit_or_refuse_a_writer_is_an_error(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, option: str, value: object
) -> None:
    made = default()
    monkeypatch.setitem(settings.DATABASES, "default", {**made, "OPTIONS": {**made["OPTIONS"], option: value}})
    assert [error.id for error in database_keeps_promises(None)] == ["connections.E001"]


def test_another_engine_and_lasting_connections_are_errors(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.DATABASES, "default", {"ENGINE": "django.db.backends.mysql"})
    assert [error.id for error in database_keeps_promises(None)] == ["connections.E002"]
    monkeypatch.setitem(settings.DATABASES, "default", {**default("postgresql://h/n"), "CONN_MAX_AGE": 60})
    assert [error.id for error in database_keeps_promises(None)] == ["connections.E003"]


@pytest.mark.django_db(transaction=True)
def test_sqlite_really_runs_as_it_was_told(on_postgres: bool) -> None:
    if on_postgres:
        return
    with connection.cursor() as cursor:
        pragmas = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
    assert pragmas == {"journal_mode": "wal", "synchronous": 2}


@pytest.mark.django_db(transaction=True)
def test_a_sqlite_transaction_takes_the_write_lock_when_it_begins(on_postgres: bool) -> None:
    if on_postgres:
        return
    with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=0, isolation_level=None)) as other:
        with transaction.atomic(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
