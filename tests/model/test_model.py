from __future__ import annotations

import pytest

from tests.model.bounds import (
    ASSUMPTIONS,
    CANDIDATE_STORE,
    DRAIN,
    FENCE,
    GENERATION,
    GUARDS,
    INTENT_FIRST,
    LATER_DOUBT,
    PRE_SEND_CHECK,
    Bounds,
)
from tests.model.explorer import explore
from tests.model.invariants import broken_invariant, harm
from tests.model.matrix import LARGE, MUTANT, SMALL
from tests.model.recovery import Recovery
from tests.model.state import ABANDONED, DENIED, IN_DOUBT, KEPT, SENT, State


def test_no_interleaving_breaks_an_invariant_in_a_hundred_thousand_states():
    explorations = [explore(bounds) for bounds in SMALL]
    for bounds, exploration in zip(SMALL, explorations, strict=True):
        assert not exploration.violation, f"{bounds}\n{exploration}"
    assert sum(exploration.states for exploration in explorations) >= 100_000


@pytest.mark.parametrize("has_password", [True, False])
@pytest.mark.parametrize("revokes_on_reuse", [True, False])
@pytest.mark.parametrize("counts", [{"faults": 2, "edits": 0}, {"faults": 1, "edits": 1}], ids=str)
def test_it_heals_or_asks_for_a_person_from_every_state_once_the_faults_stop(has_password, revokes_on_reuse, counts):
    bounds = Bounds(attempts=3, verifies=True, has_password=has_password, revokes_on_reuse=revokes_on_reuse, **counts)
    exploration = explore(bounds, Recovery())
    assert not exploration.violation, exploration


@pytest.mark.parametrize(
    ("guard", "breaks"),
    [
        (FENCE, "INV3"),
        (GENERATION, "INV3"),
        (INTENT_FIRST, "INV4"),
        (DRAIN, "INV1"),
        (PRE_SEND_CHECK, "INV4"),
        (CANDIDATE_STORE, "INV6"),
        (LATER_DOUBT, "INV5"),
    ],
)
def test_without_any_one_guard_an_invariant_breaks(guard, breaks):
    exploration = explore(MUTANT.dropping(guard))
    assert exploration.violation.startswith(breaks), exploration
    assert exploration.trace


def test_every_guard_has_its_case():
    assert len(GUARDS) == 7


@pytest.mark.parametrize("guard", [guard for guard in GUARDS if guard != CANDIDATE_STORE])
def test_without_a_guard_a_customer_feels_it(guard):
    """Not only the bookkeeping: grants overlap, a wrong chain is stored or one dies in silence."""
    assert explore(MUTANT.dropping(guard), harm).violation


@pytest.mark.parametrize("assumption", ASSUMPTIONS)
def test_the_protocol_needs_what_it_assumes_of_the_world(assumption):
    assert explore(MUTANT.dropping(assumption), harm).violation


def reached(mark, **counts):
    """Whether some state is as `mark` says: a model that never gets there proves nothing about it."""
    return bool(explore(Bounds(**counts), lambda state, bounds: "reached" if mark(state) else "").violation)


def any_attempt(**marks):
    def mark(state: State) -> bool:
        return any(all(getattr(row, name) == value for name, value in marks.items()) for row in state.attempts)

    return mark


@pytest.mark.parametrize(
    "mark",
    [
        any_attempt(state=IN_DOUBT),
        any_attempt(state=ABANDONED),
        any_attempt(candidate=KEPT),
        any_attempt(spool="replayed"),
        any_attempt(stage=DENIED, is_rung=True),
        any_attempt(presents=-1, is_rung=True),
        lambda state: (
            any(row.candidate == KEPT and row.state != SENT for row in state.attempts)
            and any(row.is_rung and row.presents > 0 for row in state.attempts)
        ),
    ],
)
def test_the_bounds_are_wide_enough_to_reach_every_corner(mark):
    assert reached(mark, processes=2, faults=2, attempts=4)


def test_both_tokens_die_when_two_refreshes_overlap():
    bounds = Bounds(processes=2, faults=1, attempts=2, without=frozenset({DRAIN}))
    both_dead = explore(bounds, lambda state, bounds: "" if state.live else "no row is left")
    assert both_dead.violation, "the server model never lets overlapping refreshes kill each other"


def test_a_trace_is_shortest_and_reads_step_by_step():
    exploration = explore(Bounds().dropping(INTENT_FIRST))
    assert exploration.trace == ("claim attempt 1 with token 0", "attempt 1: write")
    assert str(exploration).splitlines()[1] == "   1. claim attempt 1 with token 0"


def test_the_start_is_sound():
    assert broken_invariant(Bounds().start(), Bounds()) == ""


@pytest.mark.campaign
@pytest.mark.parametrize("bounds", LARGE, ids=str)
def test_no_interleaving_breaks_an_invariant_in_larger_bounds(bounds):
    exploration = explore(bounds)
    assert not exploration.violation, exploration
