"""A Sugar server at work on one grant, row operation by row operation.

The row of the presented token is read, the new row inserted, the other rows of the same user and platform deleted,
the presented row deleted, and only then the answer sent. Two overlapping grants can so delete each other's rows.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.model.bounds import Bounds
from tests.model.state import (
    CHECKED,
    CLEANED,
    DENIED,
    GONE,
    GRANTED,
    IN_SERVER,
    INSERTED,
    PASSWORD,
    SENDING,
    State,
)


def server_steps(state: State, bounds: Bounds) -> Iterator[tuple[str, State]]:
    for number, attempt in enumerate(state.attempts):
        if attempt.stage in IN_SERVER:
            after = _next(state, number, bounds)
            yield f"server: attempt {number} {after.attempts[number].stage}", after


def break_off(state: State, number: int) -> Iterator[tuple[str, State]]:
    """The connection of one request breaks. What the server has read of it, it still carries out."""
    stage = state.attempts[number].stage
    if stage == SENDING:
        yield "before Sugar got it", state.change(number, stage=GONE)
    if stage in IN_SERVER:
        yield "while Sugar has it", state.change(number, is_cut=True)
    else:
        yield "after Sugar's answer", state.change(number, stage=GONE)


def _next(state: State, number: int, bounds: Bounds) -> State:
    attempt = state.attempts[number]
    match attempt.stage:
        case "on its way":
            return _check(state, number, bounds)
        case "token found valid":
            return state.change(number, stage=INSERTED)._replace(live=state.live | {number})
        case "row inserted":
            spared = {number, attempt.presents}
            rows = (row for row in state.live if row in spared or state.attempts[row].triple != attempt.triple)
            return state.change(number, stage=CLEANED)._replace(live=frozenset(rows))
        case _:
            after = state.change(number, stage=GONE if attempt.is_cut else GRANTED)
            return after._replace(live=state.live - {attempt.presents})


def _check(state: State, number: int, bounds: Bounds) -> State:
    attempt = state.attempts[number]
    if attempt.presents == PASSWORD or attempt.presents in state.live:
        return state.change(number, stage=CHECKED)
    after = state.change(number, stage=GONE if attempt.is_cut else DENIED)
    if bounds.revokes_on_reuse:
        reused = _family(state, attempt.presents)
        return after._replace(live=frozenset(row for row in state.live if _family(state, row) != reused))
    return after


def _family(state: State, token: int) -> int:
    """The sign-in that a line of refresh tokens began with."""
    while state.attempts[token].presents != PASSWORD:
        token = state.attempts[token].presents
    return token
