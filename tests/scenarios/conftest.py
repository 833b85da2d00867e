"""Waiting times are the product's own here; only what really passes (a slow answer) is shorter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.custody.clock import Clock
from tests.custody.conftest import SCALED, Connect, clock, connect, crash, simulator
from tests.scenarios.scene import Scene

__all__ = ["clock", "connect", "crash", "simulator"]

LIFELIKE = SCALED | {
    "grant_deadline": timedelta(seconds=1),
    "preflight": timedelta(seconds=0.6),
    "server_time": timedelta(seconds=30),
    "send_by": timedelta(seconds=15),
    "session_check": timedelta(seconds=125),
    "retry": timedelta(seconds=30),
    "look": timedelta(seconds=300),
    "host_probe": timedelta(seconds=30),
    "tick": timedelta(seconds=5),
}
Open = Callable[..., Scene]


@pytest.fixture
def scene(clock: Clock, connect: Connect, configured: Callable[..., None]) -> Open:
    """`scene("13.3", fields={...}, verify_ip=True)`: a signed-in connection on an instance of its own."""
    configured(**LIFELIKE)

    def open_scene(preset: str = "13.3", **own: object) -> Scene:
        return Scene(kept=connect(preset, **own), clock=clock, configured=configured)

    return open_scene
