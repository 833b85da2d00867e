"""Random lives of connections: the invariants hold after every step (`make campaign` lives longer)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from connections.custody import runner
from tests.machine.machine import Life
from tests.scenarios.conftest import Open

COMMON = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    database=None,
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody watches a dead process's attempt for half a minute of real time."""
    monkeypatch.setattr(runner, "WATCH_FOR", 0.1)


def live(scene: Open, crash: Callable[[str], None], own: settings) -> None:
    run_state_machine_as_test(lambda: Life(scene, crash), settings=own)


def test_short_lives(scene: Open, crash: Callable[[str], None]) -> None:
    phases = (Phase.generate,)
    live(scene, crash, settings(COMMON, max_examples=8, stateful_step_count=20, derandomize=True, phases=phases))


@pytest.mark.campaign
def test_long_lives(scene: Open, crash: Callable[[str], None]) -> None:
    live(scene, crash, settings(COMMON, max_examples=500, stateful_step_count=50))
