"""Nobody scans a network with us: looks in vain at addresses that never worked are few for each caller."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import connection

from connections.custody import actions, probing
from connections.custody.audit import Actor
from connections.custody.problems import CustodyProblem, TooOften
from connections.onboarding import registry
from tests.custody.conftest import ANA, Connect, connect, simulator

__all__ = ["connect", "simulator"]
BOB, KEY = Actor(kind="staff", name="bob"), Actor(kind="key", name="integration")
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "MOST", 3)
    monkeypatch.setattr(probing, "WINDOW", 10**9)  # none ends while a test runs


def look(public_id: str, actor: Actor) -> None:
    actions.test(public_id, actor)


def sign_in(public_id: str, actor: Actor) -> None:
    with suppress(CustodyProblem):
        actions.sign_in(public_id, actor, password="x")


@pytest.mark.parametrize("probe", [look, sign_in], ids=["test", "sign in"])
def test_a_caller_who_moves_an_address_about_is_stopped_and_others_are_not(
    connect: Connect, probe: Callable[[str, Actor], None]
) -> None:
    kept = connect("13.3", sign_in=False)
    for host in range(3):
        registry.edit(kept.public_id, {"instance_url": f"{NOBODY}/{host}", "password": "x"}, KEY)
        probe(kept.public_id, KEY)
    for probing_again in (actions.test, actions.sign_in, actions.repair):
        with pytest.raises(TooOften) as stopped:
            probing_again(kept.public_id, KEY)
    assert 0 < (stopped.value.retry_after or 0) <= probing.WINDOW
    actions.test(kept.public_id, BOB)


def test_an_outage_of_what_has_worked_costs_nobody_a_button(connect: Connect) -> None:
    kept = connect("13.3")
    kept.sugar.chaos("drop")
    for _ in range(5):
        actions.test(kept.public_id, ANA)


def test_a_lived_connection_moved_elsewhere_counts_again(connect: Connect) -> None:
    kept = connect("13.3")
    registry.edit(kept.public_id, {"instance_url": NOBODY}, ANA)
    for _ in range(3):
        actions.test(kept.public_id, ANA)
    with pytest.raises(TooOften):
        actions.test(kept.public_id, ANA)


def test_many_who_answer_are_onboarded_in_a_row(connect: Connect) -> None:
    for _ in range(5):
        connect("14.0")


def test_what_the_guard_says_at_saving_lists_no_names_of_the_house(connect: Connect) -> None:
    """A name that leads inside is refused, one that does not exist is saved: that tells them apart, three times."""
    kept = connect("14.0")
    for host in range(3):
        with pytest.raises(registry.InvalidFields):
            registry.edit(kept.public_id, {"instance_url": f"https://10.0.0.{host}"}, KEY)
    with pytest.raises(TooOften):
        registry.edit(kept.public_id, {"instance_url": "https://10.0.0.9"}, KEY)
    with pytest.raises(TooOften):
        registry.create("acme", {"instance_url": "https://10.0.0.9"}, KEY)
    registry.edit(kept.public_id, {"label": "who says nothing of an address is not asked"}, KEY)
    with pytest.raises(registry.InvalidFields):
        registry.edit(kept.public_id, {"instance_url": "https://10.0.0.9"}, BOB)


def test_many_at_once_are_as_few_as_many_in_a_row(connect: Connect) -> None:
    """Counted before the look: while it is under way the others know of it."""
    kept = connect("13.3", sign_in=False)
    kept.sugar.chaos("drop")
    kept.simulator.control.clear_log()

    def look_at_it(_: int) -> int:
        try:
            actions.test(kept.public_id, KEY)
        except TooOften:
            return 0
        finally:
            connection.close()
        return 1

    kept.sugar.chaos("slow_before", seconds=0.3)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(look_at_it, range(8))) == 3


def test_a_try_that_is_refused_as_such_is_given_back(connect: Connect) -> None:
    kept = connect("13.3", sign_in=False)
    for _ in range(5):
        sign_in(kept.public_id, KEY)
    actions.test(kept.public_id, KEY)
