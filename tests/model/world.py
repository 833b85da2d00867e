"""What happens to us: faults, the passing of time, edits by staff."""

from __future__ import annotations

from collections.abc import Iterator

from tests.model.bounds import TRUE_DRAIN, Bounds
from tests.model.protocol import keep_answer
from tests.model.server import break_off
from tests.model.state import (
    DRAINED,
    FILED,
    IDLE,
    IN_SERVER,
    KEPT,
    LOSS,
    NONE,
    SENT,
    SETTLE,
    SPENT,
    WAIT,
    WORTHLESS,
    Process,
    State,
)


def world_steps(state: State, bounds: Bounds) -> Iterator[tuple[str, State]]:
    yield from _time(state, bounds)
    if state.edits:
        yield from _edits(state)
    if state.faults:
        for process in set(state.processes):
            if process.at != IDLE:
                for label, after in _faults(state, process, bounds):
                    yield f"FAULT attempt {process.attempt}: {label}", after._replace(faults=state.faults - 1)


def _time(state: State, bounds: Bounds) -> Iterator[tuple[str, State]]:
    """Deadlines pass only where nobody alive is on time; the drain ends only after the server is done."""
    number = state.open_attempt
    if number == NONE:
        return
    attempt = state.attempts[number]
    holder = next((process for process in state.processes if process.attempt == number), None)
    if holder is not None and not holder.is_slow:
        return
    last = DRAINED if attempt.state == SENT else SPENT
    if attempt.age == SPENT and attempt.stage in IN_SERVER and not bounds.lacks(TRUE_DRAIN):
        return
    if attempt.age < last:
        passed = ("its send_by", "the sender's budget", "its drain")[attempt.age]
        yield f"time: attempt {number}: {passed} is over", state.change(number, age=attempt.age + 1)


def _faults(state: State, process: Process, bounds: Bounds) -> Iterator[tuple[str, State]]:
    number = process.attempt
    if not process.is_slow:
        yield "its process is suspended", state.replace(process, process._replace(is_slow=True))
    if process.at == WAIT:
        for when, after in break_off(state, number):
            yield f"the answer is lost, {when}", after.move(process, LOSS)
            yield f"its process dies, {when}", after.move(process, IDLE)
    else:
        yield f"its process dies before: {process.at}", _cut_off(state, process)
    if process.at == SETTLE:
        yield "the database is down, spool", state.change(number, spool=FILED).move(process, IDLE)
        yield "the settle commits, its process is not told", keep_answer(state, number, bounds)


def _cut_off(state: State, process: Process) -> State:
    attempt = state.attempts[process.attempt]
    if attempt.stage in IN_SERVER:  # only where the intent does not come first
        state = state.change(process.attempt, is_cut=True)
    return state.move(process, IDLE)


def _edits(state: State) -> Iterator[tuple[str, State]]:
    """A new client id keeps the triple, a new user leaves it. Both end the chain and free no sent claim."""
    attempts = tuple(row._replace(candidate=WORTHLESS) if row.candidate == KEPT else row for row in state.attempts)
    edited = state._replace(
        attempts=attempts,
        edits=state.edits - 1,
        generation=state.generation + 1,
        version=NONE,
        is_verified=True,
        doubt=NONE,
        is_refused=False,
    )
    yield "EDIT of the client id", edited
    yield "EDIT of the user", edited._replace(triple=1 - state.triple)
