"""Each guard of the protocol, taken out of the real code, lets the scheduler find a violation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from connections.custody.checkpoints import Point
from tests.concurrency import mutants
from tests.concurrency.casts import cast_of, claimant, holder, rekeyer, tending, ticker
from tests.concurrency.exploration import Cast, Chooser, Dice, Opening, run
from tests.concurrency.figures import show
from tests.concurrency.invariants import Violation
from tests.concurrency.mutants import Mutant
from tests.concurrency.scheduler import Kind
from tests.concurrency.stage import AS_IN_PRODUCTION, staged

SCHEDULES = 60
TWO = cast_of(a=tending, b=claimant)
SWEPT = cast_of(a=tending, b=ticker)
EDITED = cast_of(a=tending, b=rekeyer, c=claimant)
HELD = cast_of(a=claimant, b=holder, c=tending)


def any_order(seed: int) -> Chooser:
    return Dice(seed)


def with_a_late_answer(seed: int) -> Chooser:
    return Opening(seed, up_to=Point.SETTLE_START, jump=Kind.DRAIN)


def with_an_answer_in_hand(seed: int) -> Chooser:
    return Opening(seed, up_to=Point.SETTLE_START)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """`begins`: where the search starts; every schedule from there on is random."""

    guard: str
    mutant: Mutant
    broken: str
    cast: Cast
    begins: Callable[[int], Chooser] = any_order
    preset: str = "13.3"

    def __str__(self) -> str:
        return self.guard


KILLS = [
    Kill(guard="fence", mutant=mutants.without_fence, cast=SWEPT, broken="INV3", begins=with_a_late_answer),
    Kill(
        guard="generation", mutant=mutants.without_generation, cast=EDITED, broken="INV3", begins=with_an_answer_in_hand
    ),
    Kill(guard="intent first", mutant=mutants.without_intent_first, cast=TWO, broken="INV4"),
    Kill(guard="drain", mutant=mutants.without_drain, cast=TWO, broken="INV1"),
    Kill(guard="pre-send check", mutant=mutants.without_pre_send_check, cast=HELD, broken="INV"),
    Kill(
        guard="candidate store",
        mutant=mutants.without_candidate_store,
        cast=SWEPT,
        broken="INV6",
        begins=with_a_late_answer,
    ),
    # On SugarIdentity the ladder goes straight to the password: the rung under way succeeds.
    Kill(
        guard="a later doubt stays",
        mutant=mutants.without_later_doubt,
        cast=SWEPT,
        broken="INV5",
        begins=with_a_late_answer,
        preset="cloud",
    ),
]


@pytest.mark.parametrize("kill", KILLS, ids=str)
def test_without_it_a_schedule_breaks_an_invariant(
    transactional_db: None, configured: Callable[..., None], kill: Kill
) -> None:
    configured(**AS_IN_PRODUCTION)
    with staged(kill.preset) as stage:
        for seed in range(SCHEDULES):
            try:
                with kill.mutant():
                    run(stage, kill.cast, kill.begins(seed), faults=2, is_fine=True)
            except Violation as violation:
                if str(violation).startswith(kill.broken):
                    show(f"without {kill}: {str(violation).splitlines()[0]} (schedule {seed + 1})")
                    return
    pytest.fail(f"{SCHEDULES} schedules without {kill}, and nothing was found")
