"""What one run explores: how many of everything, which kind of server, which guards stand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.model.state import GONE, SETTLED, Attempt, Process, State

FENCE = "fence"
GENERATION = "generation"
INTENT_FIRST = "intent first"
DRAIN = "drain"
PRE_SEND_CHECK = "pre-send check"
CANDIDATE_STORE = "candidate store"
LATER_DOUBT = "a later doubt stays"
GUARDS = (FENCE, GENERATION, INTENT_FIRST, DRAIN, PRE_SEND_CHECK, CANDIDATE_STORE, LATER_DOUBT)

# What the protocol has to assume of the world; dropped only to show what then happens.
ATOMIC_SEND = "nothing suspends us between the look at the budget and the write"
TRUE_DRAIN = "the server is done with a request when its drain is over"
ASSUMPTIONS = (ATOMIC_SEND, TRUE_DRAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    processes: int = 2
    faults: int = 1
    edits: int = 0
    attempts: int = 4  # claims in all, beside the first sign-in
    has_password: bool = True
    revokes_on_reuse: bool = False  # SugarIdentity: a used refresh token takes its family with it
    verifies: bool = False
    without: frozenset[str] = frozenset()

    def lacks(self, guard: str) -> bool:
        return guard in self.without

    def dropping(self, guard: str) -> Bounds:
        return replace(self, without=self.without | {guard})

    def start(self) -> State:
        sign_in = Attempt(presents=-1, generation=1, triple=0, state=SETTLED, stage=GONE)
        return State(
            attempts=(sign_in,),
            processes=(Process(),) * self.processes,
            live=frozenset({0}),
            faults=self.faults,
            edits=self.edits,
        )
