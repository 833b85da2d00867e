"""Two refreshes that overlap, step by step (SUGAR.md sections 0.3 and 2)."""

from __future__ import annotations

from itertools import combinations

import pytest

from connections.simulator import Request, Response, World, drive
from connections.simulator.wire import Exchange
from tests.simulator.player import Player, advance_to, told


def both(svc: Player) -> tuple[Exchange, Exchange]:
    mine = svc.tokens()
    return svc.refreshing(mine), svc.refreshing(mine)


def survivors(svc: Player, *responses: Response) -> list[bool]:
    rows = svc.instance.tables.rows
    return [response.json().get("refresh_token") in rows for response in responses]


def test_the_second_is_refused_when_the_first_has_finished(svc: Player) -> None:
    a, b = both(svc)
    first = drive(a)
    assert first.status == 200
    assert told(drive(b)) == (400, "invalid_grant", "Invalid refresh token")
    assert svc.lives(first.json())


def test_the_later_insert_wins_when_it_comes_after_the_others_cleanup(svc: Player) -> None:
    a, b = both(svc)
    advance_to(b, "insert_row")
    first = drive(a)
    second = drive(b)
    assert (first.status, second.status) == (200, 200)
    assert survivors(svc, first, second) == [False, True]
    assert told(svc.ping(first.json()))[0] == 401


def test_the_first_wins_when_only_it_sees_the_other(svc: Player) -> None:
    a, b = both(svc)
    advance_to(b, "delete_others")
    first = drive(a)  # sees b's row and deletes it; b has selected before a inserted
    second = drive(b)
    assert survivors(svc, first, second) == [True, False]


def test_both_die_when_both_insert_before_either_cleans_up(svc: Player) -> None:
    a, b = both(svc)
    advance_to(a, "select_others")
    advance_to(b, "select_others")
    first, second = drive(a), drive(b)
    assert (first.status, second.status) == (200, 200)
    assert survivors(svc, first, second) == [False, False]
    assert svc.instance.tables.rows == {}
    assert not svc.lives(first.json()) and not svc.lives(second.json())


STEPS = 6  # create_session … delete_presented, up to the point where the rows are as they will stay


@pytest.mark.parametrize("preset", ["7.7", "13.3"])
def test_no_interleaving_leaves_two_rows(preset: str) -> None:
    schedules = combinations(range(2 * STEPS), STEPS)
    assert {_rows_left(preset, set(turns)) for turns in schedules} == {0, 1}


def _rows_left(preset: str, turns: set[int]) -> int:
    """Run one schedule: `turns` are the moments at which the first request moves."""
    svc = Player(World(seed=1).add_instance("acme", preset, cleanup_probability=0))
    a, b = both(svc)
    next(a), next(b)
    for moment in range(2 * STEPS):
        next(a if moment in turns else b, None)
    drive(a), drive(b)
    assert svc.instance.violations() == []
    return len(svc.instance.tables.rows)


def test_a_crash_after_the_rows_are_written_loses_the_answer_only(svc: Player) -> None:
    mine = svc.tokens()
    crashed = svc.refreshing(mine)
    advance_to(crashed, "respond")
    crashed.close()
    assert told(svc.refresh(mine)) == (400, "invalid_grant", "Invalid refresh token")
    assert len(svc.instance.tables.rows) == 1


def test_a_crash_between_insert_and_cleanup_leaves_the_old_token_alive(svc: Player) -> None:
    mine = svc.tokens()
    crashed = svc.refreshing(mine)
    advance_to(crashed, "select_others")
    crashed.close()
    assert svc.instance.in_flight == 0
    assert svc.refresh(mine).status == 200


def test_overlapping_sign_ins_can_both_die_as_well(svc: Player) -> None:
    def signing_in() -> Exchange:
        payload = {"grant_type": "password", "client_id": "sugar", "username": "svc", "password": "secret"}
        return svc.instance.handle(
            Request.build("POST", "/rest/v10/oauth2/token", payload={**payload, "platform": "intg"})
        )

    a, b = signing_in(), signing_in()
    advance_to(a, "select_others")
    advance_to(b, "select_others")
    assert survivors(svc, drive(a), drive(b)) == [False, False]
