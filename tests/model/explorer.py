"""Breadth first through every reachable state, so that the first violation found has a shortest trace."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.model.bounds import Bounds
from tests.model.invariants import broken_invariant
from tests.model.state import State
from tests.model.steps import next_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    states: int
    steps: int
    violation: str  # empty when none was found
    trace: tuple[str, ...]  # the steps that lead to it

    def __str__(self) -> str:
        """The violation and the way to it, to read in a failed test."""
        lines = [f"  {place:>2}. {label}" for place, label in enumerate(self.trace, start=1)]
        return "\n".join([self.violation or "no violation", *lines])


def explore(bounds: Bounds, judge: Callable[[State, Bounds], str] = broken_invariant) -> Exploration:
    """Every state within the bounds, or those up to the first that `judge` finds fault with."""
    with _no_search_for_garbage():
        return _explore(bounds, judge)


@contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    """States hold no cycles and none is let go: each search would look at all of them, and find nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _explore(bounds: Bounds, judge: Callable[[State, Bounds], str]) -> Exploration:
    start = bounds.start()
    origins: dict[State, tuple[State, str] | None] = {start: None}
    waiting = deque([start])
    steps = 0
    while waiting:
        state = waiting.popleft()
        violation = judge(state, bounds)
        if violation:
            return Exploration(states=len(origins), steps=steps, violation=violation, trace=_trace(origins, state))
        for label, after in next_steps(state, bounds):
            steps += 1
            if after not in origins:
                origins[after] = (state, label)
                waiting.append(after)
    return Exploration(states=len(origins), steps=steps, violation="", trace=())


def _trace(origins: dict[State, tuple[State, str] | None], state: State) -> tuple[str, ...]:
    labels: list[str] = []
    origin = origins[state]
    while origin is not None:
        state, label = origin
        labels.append(label)
        origin = origins[state]
    return tuple(reversed(labels))
