"""Schedules of the real code: all of two processes within bounds, and random ones of two and three."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.db import connection

from tests.concurrency.casts import PAIRS, TRIOS, cast_of, claimant, rotator, tending, ticker
from tests.concurrency.exploration import Cast, Dice, Ran, everything, run
from tests.concurrency.figures import show
from tests.concurrency.invariants import Violation
from tests.concurrency.stage import AS_IN_PRODUCTION, Stage, staged

DRAIN = 55.0  # seconds: the deadline of a grant and what the server may still do after it
PROOF = 125.0  # seconds until the deciding ping on 7.7–12.x
SEEDS = {"sqlite": 2, "postgresql": 1}
"""Of every cast: a schedule takes twice as long where each process has a connection of its own."""
STAGES = [("13.3", True), ("13.3", False), ("12.0", True), ("7.1", False), ("cloud", True), ("cloud", False)]
Configured = Callable[..., None]


@dataclass
class Tally:
    """What a run of many schedules came to."""

    ran: list[Ran] = field(default_factory=list)

    def add(self, ran: Ran) -> None:
        self.ran.append(ran)

    def __str__(self) -> str:
        seconds = sorted(one.seconds for one in self.ran) or [0.0]
        moves = sum(len(one.moves) for one in self.ran)
        return (
            f"{len(self.ran)} schedules, {moves} moves, 0 violations; healthy or a person's turn after "
            f"{seconds[len(seconds) // 2]:.0f} s (median), {seconds[int(len(seconds) * 0.99)]:.0f} s (p99), "
            f"{seconds[-1]:.0f} s (most)"
        )


def explore(
    stage: Stage, cast: Cast, *, preemptions: int, faults: int, has_password: bool = True, most: int | None = None
) -> Tally:
    tally = Tally()
    for script in everything(preemptions, most):
        tally.add(run(stage, cast, script, faults=faults, is_fine=False, has_password=has_password))
    return tally


def roll(preset: str, *, has_password: bool, seeds: range) -> Tally:
    """The seed, the cast and the moves of a schedule that fails stand in its message: the same seed fails again."""
    tally = Tally()
    with staged(preset, has_password=has_password) as stage:
        for seed in seeds:
            for cast in (*PAIRS, *TRIOS):
                try:
                    tally.add(run(stage, cast, Dice(seed), faults=2, is_fine=True, has_password=has_password))
                except Violation as violation:
                    pytest.fail(f"{preset}, password {has_password}, {cast.__name__}, seed {seed}: {violation}")
    return tally


@pytest.mark.parametrize("cast", PAIRS, ids=lambda cast: cast.__name__)
def test_two_processes_in_every_order_with_one_preemption(
    transactional_db: None, configured: Configured, cast: Cast
) -> None:
    configured(**AS_IN_PRODUCTION)
    with staged() as stage:
        tally = explore(stage, cast, preemptions=1, faults=0)
    assert len(tally.ran) > 3
    show(cast.__name__, tally)


@pytest.mark.parametrize(("preset", "has_password"), STAGES)
def test_random_schedules_with_two_faults_keep_every_invariant(
    transactional_db: None, configured: Configured, preset: str, has_password: bool
) -> None:
    configured(**AS_IN_PRODUCTION)
    tally = roll(preset, has_password=has_password, seeds=range(SEEDS[connection.vendor]))
    show(preset, "with" if has_password else "without", "password:", tally)
    if has_password:
        slowest = max(one.seconds for one in tally.ran)
        assert slowest <= DRAIN + 60 + (PROOF if preset == "12.0" else 0)


def test_the_same_seed_plays_the_same_schedule(transactional_db: None, configured: Configured) -> None:
    configured(**AS_IN_PRODUCTION)
    with staged() as stage:
        first, again = (
            run(stage, cast_of(a=tending, b=rotator, c=ticker), Dice(11), faults=2, is_fine=True) for _ in range(2)
        )
    assert first == again


# --- the long runs


@pytest.mark.campaign
@pytest.mark.parametrize("cast", PAIRS, ids=lambda cast: cast.__name__)
def test_two_processes_in_every_order(transactional_db: None, configured: Configured, cast: Cast) -> None:
    configured(**AS_IN_PRODUCTION)
    with staged() as stage:
        show(cast.__name__, explore(stage, cast, preemptions=99, faults=0))


@pytest.mark.parametrize(
    ("preset", "has_password", "seed"),
    [
        ("cloud", False, 557),  # a kept answer is refused, and what it was given for was presented once more
        ("13.3", True, 587),  # Sugar's no comes after the take-over, and nobody took note of it
        ("13.3", False, 587),
    ],
)
def test_what_failed_once(
    transactional_db: None, configured: Configured, preset: str, has_password: bool, seed: int
) -> None:
    configured(**AS_IN_PRODUCTION)
    with staged(preset, has_password=has_password) as stage:
        run(stage, cast_of(a=claimant, b=ticker), Dice(seed), faults=2, is_fine=True, has_password=has_password)


@pytest.mark.campaign
@pytest.mark.parametrize("cast", [cast_of(a=tending, b=claimant), cast_of(a=claimant, b=ticker)], ids=["two", "swept"])
def test_two_processes_with_one_fault_anywhere(transactional_db: None, configured: Configured, cast: Cast) -> None:
    configured(**AS_IN_PRODUCTION)
    with staged() as stage:
        show(cast.__name__, explore(stage, cast, preemptions=1, faults=1))


@pytest.mark.campaign
@pytest.mark.parametrize(("preset", "has_password"), STAGES)
def test_thousands_of_random_schedules(
    transactional_db: None, configured: Configured, pytestconfig: pytest.Config, preset: str, has_password: bool
) -> None:
    configured(**AS_IN_PRODUCTION)
    chosen = pytestconfig.getoption("--seeds") or ("0:500" if connection.vendor == "sqlite" else "0:100")
    first, end = map(int, chosen.split(":"))
    show(preset, has_password, roll(preset, has_password=has_password, seeds=range(first, end)))
