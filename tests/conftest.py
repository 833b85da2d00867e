"""What every test may ask for."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection

from tests import postgres

Configured = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="the database of the suite; tests.settings acts on it",
    )


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A real PostgreSQL for tests that bring their own processes or databases, whatever the suite itself runs on.

    One server per run: the processes of a parallel run share it through their common directory.
    """
    running = os.environ.get("TEST_DATABASE_URL")
    if running:
        return running
    directory: Path = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        directory = directory.parent
    return postgres.start(directory / "postgres")


@pytest.fixture
def on_postgres() -> bool:
    return connection.vendor == "postgresql"


@pytest.fixture
def configured(settings: LazySettings) -> Configured:
    """Change fields of settings.SUGARADMIN for one test: configured(tick=timedelta(seconds=1))."""

    def change(**fields: object) -> None:
        settings.SUGARADMIN = dataclasses.replace(settings.SUGARADMIN, **fields)

    return change
