"""INV7: when the faults stop, a connection with a password heals by itself; any other heals or asks for a person."""

from __future__ import annotations

from dataclasses import replace

from tests.model.bounds import Bounds
from tests.model.protocol import next_token
from tests.model.state import IDLE, NONE, State
from tests.model.steps import next_steps

_ENOUGH = 200


class Recovery:
    """A judge for the explorer. It follows one fair schedule to its end and remembers every state on the way."""

    def __init__(self) -> None:
        self._recovering: set[State] = set()

    def __call__(self, state: State, bounds: Bounds) -> str:
        unbounded = replace(bounds, attempts=len(state.attempts) + _ENOUGH)
        state = state._replace(faults=0, edits=0)
        way: list[State] = []
        while state not in self._recovering and not _is_settled(state, unbounded):
            way.append(state)
            following = _fair_step(state, unbounded)
            if following is None or len(way) > _ENOUGH:
                return "INV7: the faults have stopped, and it neither heals nor asks for a person"
            state = following
        self._recovering.update(way)
        return ""


def _fair_step(state: State, bounds: Bounds) -> State | None:
    """The server first, then whoever is on the way; a new claim only when nothing else is left to do."""
    claims: list[State] = []
    for _, after in next_steps(state, bounds):
        if len(after.attempts) == len(state.attempts):
            return after
        claims.append(after)
    return claims[0] if claims else None


def _is_settled(state: State, bounds: Bounds) -> bool:
    if any(process.at != IDLE for process in state.processes) or state.open_attempt != NONE:
        return False
    if any(attempt.spool for attempt in state.attempts):
        return False
    if next_token(state, bounds) is None:
        return not bounds.has_password
    return state.doubt == NONE and not state.is_refused and state.version in state.live
