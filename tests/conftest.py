"""What every test may ask for."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings
from django.core.cache import caches
from django.db import connection
from django.test import TransactionTestCase

from connections.custody import guard
from tests import audit_guard, postgres
from tests.chromium import command_for_a_person
from tests.chromium import find as find_chromium

Configured = Callable[..., None]
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="the database of the suite; tests.settings acts on it",
    )
    parser.addoption(
        "--seeds",
        default="",
        metavar="FIRST:END",
        help="of the random schedules at length, only these (FIRST to END-1)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL run what touches the database; the rest has run once, beside SQLite."""
    if config.getoption("--database") != "postgres":
        return
    config.hook.pytest_deselected(items=[item for item in items if not _is_run_again(item)])
    items[:] = [item for item in items if _is_run_again(item)]


def _is_run_again(item: pytest.Item) -> bool:
    return _touches_database(item) and item.get_closest_marker("once") is None


def _touches_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("django_db") is not None:
        return True
    if issubclass(getattr(item, "cls", None) or object, TransactionTestCase):
        return True
    return bool(DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ())))


@pytest.fixture(scope="session", autouse=True)
def _flush_of_the_suite() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        audit_guard.let_tests_flush(patch)
        yield


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser that `make test` found or brought. Without one a browser test fails: it is not skipped."""
    path = find_chromium()
    assert path is not None, f"No Chromium here; bring one with: {command_for_a_person()}"
    return path


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A real PostgreSQL for tests that bring their own processes or databases, whatever the suite itself runs on.

    One server per run: the processes of a parallel run share it.
    """
    return os.environ.get("TEST_DATABASE_URL") or postgres.start()


@pytest.fixture(autouse=True)
def _nobody_tried_before() -> None:
    """Tries to sign in are counted in the cache, which outlives a test; so does what a process remembers."""
    for each in caches.all():
        each.clear()


@pytest.fixture
def on_postgres() -> bool:
    return connection.vendor == "postgresql"


@pytest.fixture
def configured(settings: LazySettings) -> Iterator[Configured]:
    """Change fields of settings.SUGARADMIN for one test: configured(tick=timedelta(seconds=1))."""

    def change(**fields: object) -> None:
        if "encryption_keys" in fields:
            fields = {"encryption_key_file": None} | fields
        settings.SUGARADMIN = dataclasses.replace(settings.SUGARADMIN, **fields)

    yield change
    guard.forget()  # what it saw of keys and folders that only this test had
