"""The workers' client where Sugaradmin has no token to give."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from sugaradmin_client import ConnectionUnusable, KeyRefused, SugaradminError, TemporarilyAway
from tests.client.conftest import SUGAR, World, new, problem


def test_it_waits_as_long_as_it_is_told_and_no_longer_than_its_budget(world: World, clock: list[float]) -> None:
    world.refusals = [problem(503, "maintenance", retry_after=7), httpx.Response(502, text="<html>")]
    with world.client(new(budget=10)) as sugar:
        assert sugar.get(f"{SUGAR}/a").status_code == 200
    assert clock[0] == 1008
    world.refusals = [problem(503, "maintenance", retry_after=11, fix_by="customer_admin")]
    with world.client(new(budget=10)) as sugar, pytest.raises(TemporarilyAway) as refused:
        sugar.get(f"{SUGAR}/a")
    assert refused.value.retry_after == 11
    assert refused.value.fix_by == "customer_admin"
    assert clock[0] == 1008


def test_a_living_token_serves_while_a_newer_one_cannot_be_had(world: World, clock: list[float]) -> None:
    with world.client(new()) as sugar:
        sugar.get(f"{SUGAR}/a")
        clock[0] += 3570
        world.refusals = [problem(503, "busy", retry_after=5)]
        assert sugar.get(f"{SUGAR}/a").json()["token"] == "token-1"
        clock[0] += 31
        world.refusals = [problem(409, "paused")]
        with pytest.raises(ConnectionUnusable):
            sugar.get(f"{SUGAR}/a")


def test_a_person_is_needed_says_who_and_why(world: World) -> None:
    found = {"code": "bad_credentials", "cause": "…", "fix": ["…"]}
    world.refusals = [problem(409, "bad_credentials", diagnosis=found, fix_by="customer_admin")]
    with world.client(new()) as sugar, pytest.raises(ConnectionUnusable) as refused:
        sugar.get(f"{SUGAR}/a")
    assert refused.value.code == "bad_credentials"
    assert refused.value.diagnosis == found
    assert refused.value.fix_by == "customer_admin"
    assert str(refused.value) == "bad_credentials: Said so. (to be fixed by: customer_admin)"
    assert world.sugar == []


@pytest.mark.parametrize(
    ("status", "kind"), [(401, KeyRefused), (403, KeyRefused), (404, KeyRefused), (500, SugaradminError)]
)
def test_other_refusals_have_their_own_error(world: World, status: int, kind: type[SugaradminError]) -> None:
    world.refusals = [problem(status, "x")]
    with world.client(new()) as sugar, pytest.raises(kind) as refused:
        sugar.get(f"{SUGAR}/a")
    assert type(refused.value) is kind
    assert refused.value.status == status


def test_who_waited_for_a_failing_fetch_does_not_repeat_it(world: World) -> None:
    world.delay = 0.1
    world.refusals = [problem(409, "paused") for _ in range(8)]
    barrier = threading.Barrier(8)
    with world.client(new()) as sugar, ThreadPoolExecutor(8) as pool:

        def call(_: int) -> str:
            barrier.wait()
            with pytest.raises(ConnectionUnusable) as refused:
                sugar.get(f"{SUGAR}/a")
            return refused.value.code

        assert set(pool.map(call, range(8))) == {"paused"}
    assert len(world.fetches) == 1


def test_a_fetch_that_breaks_off_blocks_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    auth = new()
    with httpx.Client(transport=httpx.MockTransport(broken), auth=auth) as away, pytest.raises(httpx.ConnectError):
        away.get(f"{SUGAR}/a")
    with world.client(auth) as sugar:
        assert sugar.get(f"{SUGAR}/a").status_code == 200


def test_a_report_that_is_refused_is_not_made_for_ever(world: World) -> None:
    with world.client(new()) as sugar:
        sugar.get(f"{SUGAR}/a")
        world.living = set()
        world.refusals = [problem(422, "invalid")]
        with pytest.raises(SugaradminError):
            sugar.get(f"{SUGAR}/a")
        assert sugar.get(f"{SUGAR}/a").status_code == 200
    assert len(world.reports) == 1
