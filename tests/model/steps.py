"""Everything that can happen next."""

from __future__ import annotations

from collections.abc import Iterator

from tests.model.bounds import Bounds
from tests.model.protocol import protocol_steps, verification
from tests.model.server import server_steps
from tests.model.state import State
from tests.model.world import world_steps


def next_steps(state: State, bounds: Bounds) -> Iterator[tuple[str, State]]:
    yield from server_steps(state, bounds)
    yield from protocol_steps(state, bounds)
    yield from world_steps(state, bounds)
    if bounds.verifies:
        yield from verification(state, bounds)
