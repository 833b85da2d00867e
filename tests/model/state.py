"""One moment of the whole world: journal, connection, processes, server.

A token is named by the number of the attempt whose grant made it; attempt 0 is the sign-in that began the chain.
Words are plain strings and states are tuples, because hundreds of thousands of them are hashed and compared.
"""

from __future__ import annotations

from typing import NamedTuple

# Attempt.state
CLAIMED, SENT, SETTLED, REFUSED, ABANDONED, IN_DOUBT, ANSWERED, DISCARDED = (
    "claimed",
    "sent",
    "settled",
    "refused",
    "abandoned",
    "in doubt",
    "answered late",
    "discarded",
)
OPEN = (CLAIMED, SENT)

# Attempt.age: `send_by` has passed, the sender's budget is used up, the drain is over.
FRESH, LATE, SPENT, DRAINED = range(4)

# Attempt.stage: where its request is. `delete others` spares the presented row, which goes last.
UNSENT, SENDING, CHECKED, INSERTED, CLEANED, GRANTED, DENIED, GONE = (
    "unsent",
    "on its way",
    "token found valid",
    "row inserted",
    "other rows deleted",
    "granted",
    "denied",
    "gone",
)
IN_SERVER = (SENDING, CHECKED, INSERTED, CLEANED)

# Attempt.candidate
NO_CANDIDATE, KEPT, WORTHLESS = "", "kept", "worthless"

# Attempt.spool
NO_FILE, FILED, REPLAYED = "", "filed", "replayed"

# Process.at: what it does next.
IDLE, LOOK, WRITE, MARK, WAIT, SETTLE, REFUSAL, LOSS = (
    "idle",
    "last look",
    "write",
    "mark as sent",
    "wait",
    "settle",
    "note the refusal",
    "note the loss",
)

NONE = -1  # no version, no doubt, no attempt
PASSWORD = -1  # what a sign-in presents


class Attempt(NamedTuple):
    """A row of the journal, with its request and its spool file."""

    presents: int
    generation: int
    triple: int
    is_rung: bool = False  # claimed to resolve a doubt
    state: str = CLAIMED
    age: int = FRESH
    stage: str = UNSENT
    is_cut: bool = False  # its connection broke: what the server answers reaches nobody
    candidate: str = NO_CANDIDATE
    spool: str = NO_FILE


class Process(NamedTuple):
    at: str = IDLE
    attempt: int = NONE
    is_slow: bool = False  # it was suspended: its deadlines may pass while it lives


class State(NamedTuple):
    attempts: tuple[Attempt, ...]
    processes: tuple[Process, ...]
    live: frozenset[int]  # rows of the server: refresh tokens that it would take
    faults: int  # how many may still happen
    edits: int
    generation: int = 1
    triple: int = 0
    version: int = 0  # the stored token, or NONE after an edit
    is_verified: bool = True
    doubt: int = NONE  # the newest attempt that put the connection in doubt
    is_refused: bool = False  # the server refused the stored token
    ping: tuple[int, bool] | None = None  # version and answer of a verification that is not yet written
    broken: str = ""  # the invariant that the step to here broke

    def change(self, number: int, **values: object) -> State:
        """The same world with one attempt changed."""
        attempts = list(self.attempts)
        attempts[number] = attempts[number]._replace(**values)
        return self._replace(attempts=tuple(attempts))

    def replace(self, process: Process, successor: Process) -> State:
        """The same world with one process elsewhere; processes are kept sorted, so that their order never counts."""
        processes = list(self.processes)
        processes.remove(process)
        return self._replace(processes=tuple(sorted((*processes, successor))))

    def move(self, process: Process, at: str) -> State:
        return self.replace(process, Process() if at == IDLE else process._replace(at=at))

    @property
    def open_attempt(self) -> int:
        return next((number for number, attempt in enumerate(self.attempts) if attempt.state in OPEN), NONE)
