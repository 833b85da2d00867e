"""INV1–INV6 of the design, asked of every state."""

from __future__ import annotations

from collections import Counter

from tests.model.bounds import Bounds
from tests.model.state import ABANDONED, CLAIMED, IN_SERVER, NONE, SENT, UNSENT, State


def broken_invariant(state: State, bounds: Bounds) -> str:
    """The first invariant that does not hold here, or an empty string. INV2, 3 and 6 are noted by the step itself."""
    return state.broken or unannounced(state) or harm(state, bounds)


def harm(state: State, bounds: Bounds) -> str:
    """Only what a customer feels: grants that can kill each other, a wrong chain, a dead one that nobody knows of."""
    return overlap(state) or wrong_chain(state) or silent_death(state)


def overlap(state: State) -> str:
    outstanding = Counter(attempt.triple for attempt in state.attempts if attempt.stage in IN_SERVER)
    if any(count > 1 for count in outstanding.values()):
        return "INV1: two grants of one (instance, user, platform) are outstanding"
    return ""


def wrong_chain(state: State) -> str:
    if state.version != NONE and state.attempts[state.version].generation != state.generation:
        return "INV3: the stored token is of an instance, user or client that an edit has left"
    return ""


def unannounced(state: State) -> str:
    for attempt in state.attempts:
        if attempt.stage != UNSENT and attempt.state in (CLAIMED, ABANDONED):
            return "INV4: a grant was sent before its intent was committed"
    return ""


def silent_death(state: State) -> str:
    """A claim that is not sent excuses nothing: it may be abandoned the next moment."""
    if state.version == NONE or state.version in state.live or state.doubt != NONE or state.is_refused:
        return ""
    if any(attempt.state == SENT for attempt in state.attempts):
        return ""
    return "INV5: the stored refresh token is dead and nobody knows"
