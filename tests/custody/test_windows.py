"""Counts of who knocks how often: exact, however many knock at once, and for as long as the window lasts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection

from connections.custody import windows
from sugaradmin import settings as product

MOST = 10
WINDOW = timedelta(minutes=10)


@pytest.fixture(autouse=True)
def _shared_cache(settings: LazySettings, transactional_db: None) -> Iterator[None]:
    """The cache of the product: a table that all processes share."""
    settings.CACHES = product.CACHES
    call_command("createcachetable", verbosity=0)
    yield
    caches["default"].clear()


def knock() -> bool:
    return windows.count("somebody", most=MOST, window=WINDOW) == 0


def knock_in_a_thread(_: int) -> bool:
    try:
        return knock()
    finally:
        connection.close()


def test_many_at_once_are_counted_each() -> None:
    with ThreadPoolExecutor(8) as pool:
        let_in = list(pool.map(knock_in_a_thread, range(6 * MOST)))
    assert sum(let_in) == MOST


def test_a_count_lives_as_long_as_its_window() -> None:
    with time_machine.travel(datetime(2027, 3, 1, 12, 0, tzinfo=UTC), tick=False) as clock:
        assert all(knock() for _ in range(MOST))
        clock.shift(WINDOW - timedelta(seconds=5))
        assert not knock()
        clock.shift(timedelta(seconds=5))
        assert knock(), "the next window begins anew"
