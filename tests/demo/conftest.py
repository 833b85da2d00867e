"""A simulator with a port for each instance, and custody with demo-like settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from connections.custody import guard, wire
from connections.simulator import SimulatorServer
from tests.conftest import Configured


@pytest.fixture
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer(port_per_instance=True) as running:
        yield running


@pytest.fixture
def like_the_demo(transactional_db: None, configured: Configured) -> None:
    configured(
        allow_http=True,
        instance_rate=0.0,
        grant_deadline=timedelta(seconds=3),
        server_time=timedelta(seconds=20),
        preflight=timedelta(seconds=2),
        session_check=timedelta(seconds=15),
    )
    guard.forget()
    wire.forget_preflights()
