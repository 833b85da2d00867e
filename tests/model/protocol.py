"""The product's own steps. Each is one transaction or one network call; anything may happen between two of them.

1. `claim` opens an attempt: none other may be open; the ladder says which token it presents.
2. `last look` is the conditional update claimed → sent: ours, same generation, before `send_by`.
3. `write` puts the request on the wire unless the sender's own budget is used up.
4. `settle` turns an answer into a version, a candidate (late) or nothing (an edit has won).
5. `sweep` closes what is over: a claim that was not sent in time, a sent attempt that is drained.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.model.bounds import (
    ATOMIC_SEND,
    CANDIDATE_STORE,
    DRAIN,
    FENCE,
    GENERATION,
    INTENT_FIRST,
    LATER_DOUBT,
    PRE_SEND_CHECK,
    Bounds,
)
from tests.model.state import (
    ABANDONED,
    ANSWERED,
    CLAIMED,
    DENIED,
    DISCARDED,
    DRAINED,
    FILED,
    FRESH,
    GONE,
    GRANTED,
    IDLE,
    IN_DOUBT,
    KEPT,
    LATE,
    LOOK,
    MARK,
    NO_FILE,
    NONE,
    PASSWORD,
    REFUSAL,
    REFUSED,
    REPLAYED,
    SENDING,
    SENT,
    SETTLE,
    SETTLED,
    SPENT,
    WAIT,
    WORTHLESS,
    WRITE,
    Attempt,
    Process,
    State,
)


def protocol_steps(state: State, bounds: Bounds) -> Iterator[tuple[str, State]]:
    for process in set(state.processes):
        for label, after in _process_steps(state, process, bounds):
            yield (label if process.at == IDLE else f"attempt {process.attempt}: {label}"), after
    yield from _sweeps(state, bounds)
    yield from _replays(state, bounds)


def next_token(state: State, bounds: Bounds) -> int | None:
    """The ladder: which refresh token (or PASSWORD) a claim made now presents; None asks for a person."""
    sign_in = PASSWORD if bounds.has_password else None
    if state.version == NONE:
        return sign_in
    if state.doubt != NONE:
        candidates = [number for number, attempt in enumerate(state.attempts) if attempt.candidate == KEPT]
        untried = [number for number in candidates if not _is_tried(state, number)]
        if untried:
            return untried[-1]
        may_reuse = not (bounds.revokes_on_reuse and bounds.has_password)
        if may_reuse and not state.is_refused and not _is_tried(state, state.version):
            return state.version
        return sign_in
    return sign_in if state.is_refused else state.version


def _is_tried(state: State, token: int) -> bool:
    """Read from the journal: a rung that turned out unsent has told nothing and does not count."""
    return any(
        attempt.is_rung and attempt.presents == token and attempt.state in (REFUSED, IN_DOUBT, ANSWERED)
        for attempt in state.attempts
    )


def keep_answer(state: State, number: int, bounds: Bounds) -> State:
    """The settle transaction. Repeating it changes nothing: a commit may be unknown, a spool file read twice."""
    attempt = state.attempts[number]
    if attempt.state in (SETTLED, ANSWERED, DISCARDED):
        return state
    if attempt.generation != state.generation and not bounds.lacks(GENERATION):
        return _discard(state, number)
    if attempt.state != SENT and not bounds.lacks(FENCE):
        if bounds.lacks(CANDIDATE_STORE):
            return state._replace(broken="INV6: an answer was received and kept nowhere")
        return raise_doubt(state.change(number, state=ANSWERED, candidate=KEPT), number)
    return _promote(state, number, bounds)


def raise_doubt(state: State, number: int) -> State:
    return state._replace(doubt=max(state.doubt, number))


def _process_steps(state: State, process: Process, bounds: Bounds) -> Iterator[tuple[str, State]]:
    number = process.attempt
    match process.at:
        case "idle":
            yield from _claim(state, process, bounds)
        case "last look":
            yield "last look and mark as sent", _last_look(state, process, bounds)
        case "write":
            yield "write", _write(state, process, bounds, then=WAIT)
        case "mark as sent":  # only where the intent does not come first
            marked = state.change(number, state=SENT) if state.attempts[number].state == CLAIMED else state
            yield "mark as sent", marked.move(process, WAIT)
        case "wait":
            stage = state.attempts[number].stage
            if stage in (GRANTED, DENIED):
                after = state.change(number, stage=GONE)
                yield "receive", after.move(process, SETTLE if stage == GRANTED else REFUSAL)
        case "settle":
            yield "settle", keep_answer(state, number, bounds).move(process, IDLE)
        case "note the refusal":
            yield "note the refusal", _refuse(state, number).move(process, IDLE)
        case "note the loss":  # the attempt stays open until it is drained
            yield "note the loss", state.move(process, IDLE)


def _claim(state: State, process: Process, bounds: Bounds) -> Iterator[tuple[str, State]]:
    presents = next_token(state, bounds)
    if presents is None or state.open_attempt != NONE or len(state.attempts) > bounds.attempts:
        return
    number = len(state.attempts)
    attempt = Attempt(presents=presents, generation=state.generation, triple=state.triple, is_rung=state.doubt != NONE)
    claimed = state._replace(attempts=(*state.attempts, attempt))
    holder = Process(at=WRITE if bounds.lacks(INTENT_FIRST) else LOOK, attempt=number)
    what = "the password" if presents == PASSWORD else f"token {presents}"
    yield f"claim attempt {number} with {what}", claimed.replace(process, holder)


def _last_look(state: State, process: Process, bounds: Bounds) -> State:
    number = process.attempt
    attempt = state.attempts[number]
    same_generation = attempt.generation == state.generation or bounds.lacks(GENERATION)
    if attempt.state == CLAIMED and attempt.age == FRESH and same_generation:
        return state.change(number, state=SENT).move(process, WRITE)
    if bounds.lacks(PRE_SEND_CHECK):
        return state.move(process, WRITE)
    if attempt.state == CLAIMED:
        state = state.change(number, state=ABANDONED)
    return state.move(process, IDLE)


def _write(state: State, process: Process, bounds: Bounds, *, then: str) -> State:
    number = process.attempt
    attempt = state.attempts[number]
    if attempt.age < SPENT or bounds.lacks(ATOMIC_SEND):
        return state.change(number, stage=SENDING).move(process, MARK if bounds.lacks(INTENT_FIRST) else then)
    # Nothing left the house, and the sender knows it; had somebody taken over meanwhile, the doubt stands.
    if attempt.state == SENT:
        state = state.change(number, state=ABANDONED)
    return state.move(process, IDLE)


def _promote(state: State, number: int, bounds: Bounds) -> State:
    attempt = state.attempts[number]
    broken = ""
    if attempt.state != SENT or attempt.generation != state.generation:
        broken = "INV3: settled without holding the claim in its generation"
    elif number <= state.version:
        broken = "INV2: a version older than the stored one took its place"
    attempts = tuple(
        row._replace(state=SETTLED) if place == number else row._replace(candidate=WORTHLESS) if row.candidate else row
        for place, row in enumerate(state.attempts)
    )
    state = state._replace(
        attempts=attempts,
        version=number,
        is_verified=not bounds.verifies,
        is_refused=False,
        broken=broken,
    )
    return _clear_doubt(state, number, bounds)


def _clear_doubt(state: State, proven: int, bounds: Bounds) -> State:
    """Token `proven` was seen alive; of what a later attempt did to it, that says nothing."""
    if state.doubt <= proven or bounds.lacks(LATER_DOUBT):
        return state._replace(doubt=NONE)
    return state


def _discard(state: State, number: int) -> State:
    """An edit has won. On the same triple the late grant may have evicted the chain that followed."""
    attempt = state.attempts[number]
    state = state.change(number, state=DISCARDED)
    return raise_doubt(state, number) if attempt.triple == state.triple and state.version != NONE else state


def _refuse(state: State, number: int) -> State:
    attempt = state.attempts[number]
    if attempt.state != SENT:
        return state
    state = state.change(number, state=REFUSED)
    if attempt.generation == state.generation and attempt.presents == state.version != NONE:
        return state._replace(is_refused=True)
    return state


def _sweeps(state: State, bounds: Bounds) -> Iterator[tuple[str, State]]:
    for number, attempt in enumerate(state.attempts):
        if attempt.state == CLAIMED and attempt.age >= LATE:
            yield f"sweep: attempt {number} was not sent in time", state.change(number, state=ABANDONED)
        if attempt.state == SENT and attempt.age >= (LATE if bounds.lacks(DRAIN) else DRAINED):
            after = state.change(number, state=IN_DOUBT)
            is_ours = attempt.generation == state.generation
            yield f"sweep: attempt {number} is in doubt", raise_doubt(after, number) if is_ours else after
        if attempt.state == DISCARDED and number in state.live:
            yield f"log out the session of attempt {number}", state._replace(live=state.live - {number})


def _replays(state: State, bounds: Bounds) -> Iterator[tuple[str, State]]:
    """Any process may replay a file, also twice: the file goes after the commit."""
    for number, attempt in enumerate(state.attempts):
        if attempt.spool:
            replayed = keep_answer(state, number, bounds).change(number, spool=REPLAYED)
            if attempt.spool == FILED or replayed != state:
                yield f"attempt {number}: replay the spool file", replayed
        if attempt.spool == REPLAYED:
            yield f"attempt {number}: remove the spool file", state.change(number, spool=NO_FILE)


def verification(state: State, bounds: Bounds) -> Iterator[tuple[str, State]]:
    """A ping needs no claim, so anything may have happened before its answer is written."""
    if state.ping is None:
        if not state.is_verified and state.version != NONE:
            yield "ping the new version", state._replace(ping=(state.version, state.version in state.live))
        return
    version, is_alive = state.ping
    after = state._replace(ping=None)
    if version == state.version and is_alive:
        after = _clear_doubt(after._replace(is_verified=True), version, bounds)
    elif version == state.version and state.open_attempt == NONE:
        after = raise_doubt(after._replace(is_verified=True), version)
    yield f"write that version {version} is {'alive' if is_alive else 'dead'}", after
