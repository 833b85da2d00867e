"""DATABASE_URL as Django's settings, and the check that refuses what custody cannot work with."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection, transaction

from connections.checks import database_keeps_promises
from sugaradmin.databases import databases, line_about, redis_url
from sugaradmin.env import EnvError, Environment
from tests.serving.site import ROOT, environment


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


@pytest.mark.parametrize("url", ["http://canary", "canary", "redis://", "redis://canary:70000", "unix://"])
def test_a_queue_that_is_none_is_refused_without_quoting_the_address(url: str) -> None:
    with pytest.raises(EnvError, match="REDIS_URL") as refused:
        redis_url(Environment({"REDIS_URL": url}))
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("url", ["", "redis://:secret@host:6379/0", "rediss://host", "unix:///run/redis.sock?db=1"])
def test_the_queue_is_handed_on_as_it_is_given(url: str) -> None:
    assert redis_url(Environment({"REDIS_URL": url})) == url


@pytest.mark.parametrize("query", ["SELECT 1 FROM nowhere", "SELECT nowhere FROM connections_tenant"])
def test_a_database_of_another_version_is_told_in_one_line(db: None, query: str) -> None:
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(query)
    assert "`serve` makes them" in line_about(refused.value)


def test_a_command_without_its_tables_ends_in_one_line(tmp_path: Path) -> None:
    words = [sys.executable, str(ROOT / "manage.py"), "create_api_key", "--name", "etl", "--scope", "token:read"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment(tmp_path / "fresh"))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "`serve` makes them" in done.stderr


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
