from __future__ import annotations

import pytest

from connections.simulator import PRESETS, World
from tests.simulator.player import Clock, Player


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    return World(clock=clock, seed=7)


@pytest.fixture(params=list(PRESETS))
def anybody(request: pytest.FixtureRequest, world: World) -> Player:
    """`svc` on an instance of each release."""
    return Player(world.add_instance("acme", request.param, cleanup_probability=0))


@pytest.fixture
def svc(world: World) -> Player:
    """`svc` on 13.3."""
    return Player(world.add_instance("acme", "13.3", cleanup_probability=0))
