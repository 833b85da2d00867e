"""The ticker's pace, without processes or waiting."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connections.serving import ticker
from tests.conftest import Configured


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, configured: Configured) -> list[str]:
    made: list[str] = []
    monkeypatch.setattr(ticker.tasks, "tick", lambda: made.append("tick"))
    monkeypatch.setattr(ticker.tasks, "beat", lambda: made.append("beat"))
    # Another test may have left a connection behind, which would be looked at without a database.
    monkeypatch.setattr(ticker, "close_old_connections", lambda: None)
    monkeypatch.setattr(ticker.tasks, "check_database", lambda: made.append("check"))
    configured(tick=timedelta(seconds=5), heartbeat=timedelta(seconds=10))
    return made


def test_each_keeps_its_own_pace(calls: list[str]) -> None:
    clock = ticker.Ticker()
    for second in range(100, 161):
        clock.look(float(second))
    assert calls.count("tick") == 13
    assert calls.count("beat") == 7
    assert calls.count("check") == 2
    assert calls[0] == "check"


def test_a_tick_that_fails_stops_neither_the_next_nor_the_heartbeat(
    calls: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        calls.append("tick")
        raise RuntimeError("the database is away")

    monkeypatch.setattr(ticker.tasks, "tick", fail)
    clock = ticker.Ticker()
    for second in (100.0, 105.0, 110.0):
        clock.look(second)
    assert calls.count("tick") == 3
    assert calls.count("beat") == 2
    assert "the next one tries again" in caplog.text
