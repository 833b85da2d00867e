"""The workers' client: one token for many requests, and for nobody else."""

from __future__ import annotations

import ast
import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import sugaradmin_client
from tests.client.conftest import KEY, SUGAR, World, new


def test_a_token_is_fetched_once_and_used_until_min_ttl_is_left(world: World, clock: list[float]) -> None:
    with world.client(new(min_ttl=60)) as sugar:
        for _ in range(3):
            assert sugar.get(f"{SUGAR}/rest/v10/Accounts").json()["token"] == "token-1"
        clock[0] += 3539
        sugar.get(f"{SUGAR}/rest/v10/Accounts")
        assert len(world.fetches) == 1
        clock[0] += 2
        sugar.get(f"{SUGAR}/rest/v10/Accounts")
    assert len(world.fetches) == 2
    assert dict(world.fetches[0].url.params) == {"min_ttl": "60", "wait": "10"}


def test_a_short_life_is_used_to_its_half(world: World, clock: list[float]) -> None:
    world.expires_in = 40
    with world.client(new(min_ttl=60)) as sugar:
        sugar.get(f"{SUGAR}/a")
        clock[0] += 19
        sugar.get(f"{SUGAR}/a")
        assert len(world.fetches) == 1


def test_a_huge_min_ttl_is_asked_for_in_digits(world: World) -> None:
    with world.client(new(min_ttl=10_000_000)) as sugar:
        sugar.get(f"{SUGAR}/a")
    assert world.fetches[0].url.params["min_ttl"] == "86400"


def test_a_refused_token_is_reported_and_the_request_sent_once_more(world: World) -> None:
    with world.client(new()) as sugar:
        sugar.get(f"{SUGAR}/a")
        world.living = set()
        answer = sugar.post(f"{SUGAR}/a", json={"name": "x"})
    assert answer.status_code == 200
    assert answer.json() == {"body": '{"name":"x"}', "token": "token-2"}
    (report,) = world.reports
    assert report == {
        "version": 1,
        "wait": 10,
        "status": 401,
        "error": "invalid_grant",
        "error_message": "The access token is invalid.",
    }


def test_a_second_refusal_is_the_callers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.client(new()) as sugar:
        monkeypatch.setattr(world, "_instance", lambda request: world.sugar.append(request) or httpx.Response(401))
        assert sugar.get(f"{SUGAR}/a").status_code == 401
    assert len(world.sugar) == 2
    assert len(world.reports) == 1


def test_another_host_gets_no_token(world: World) -> None:
    with world.client(new()) as sugar:
        for url in ("https://evil.example.com/a", "http://acme.sugarondemand.com/a", f"{SUGAR}:8443/a"):
            sugar.get(url)
    told = [bytes(value) for request in (*world.elsewhere, *world.sugar) for _, value in request.headers.raw]
    assert not [value for value in told if b"token-" in value]


@pytest.mark.parametrize("where", ["https://evil.example.com/x", "http://acme.sugarondemand.com/x"])
def test_a_redirect_carries_no_token_away(world: World, where: str) -> None:
    world.redirects["/a"] = where
    with world.client(new(), follow_redirects=True) as sugar:
        answer = sugar.get(f"{SUGAR}/a", headers={"OAuth-Token": "mine"})
    assert answer.json() == {"here": "elsewhere"}
    (request,) = world.elsewhere
    assert "OAuth-Token" not in request.headers
    assert b"token-1" not in b"".join(value for _, value in request.headers.raw)


def test_a_redirect_within_the_instance_is_followed_with_the_token(world: World) -> None:
    world.redirects["/a"] = f"{SUGAR}/b"
    with world.client(new(), follow_redirects=True) as sugar:
        assert sugar.get(f"{SUGAR}/a").json()["token"] == "token-1"
    assert world.reports == []


def test_the_token_is_in_no_repr(world: World) -> None:
    auth = new()
    with world.client(auth) as sugar:
        answer = sugar.get(f"{SUGAR}/a")
        assert "token-1" not in repr(answer.request.headers) + repr(auth.token(sugar))
    assert answer.request.headers["oauth-token"] == "token-1"
    assert KEY not in repr(auth) + str(vars(auth.__class__))


def test_many_threads_fetch_once(world: World) -> None:
    world.delay = 0.05
    barrier = threading.Barrier(16)
    with world.client(new()) as sugar, ThreadPoolExecutor(16) as pool:

        def call(_: int) -> int:
            barrier.wait()
            return sugar.get(f"{SUGAR}/a").status_code

        assert set(pool.map(call, range(16))) == {200}
        assert len(world.fetches) == 1
        world.living = set()
        assert set(pool.map(call, range(16))) == {200}
    assert len(world.reports) == 1


def test_many_tasks_fetch_once(world: World) -> None:
    world.delay = 0.02

    async def go() -> None:
        async with world.async_client(new()) as sugar:
            first = await asyncio.gather(*(sugar.get(f"{SUGAR}/a") for _ in range(16)))
            world.living = set()
            second = await asyncio.gather(*(sugar.post(f"{SUGAR}/a", content=b"x") for _ in range(16)))
            assert {answer.status_code for answer in (*first, *second)} == {200}
            assert second[0].json() == {"body": "x", "token": "token-2"}

    asyncio.run(go())
    assert (len(world.fetches), len(world.reports)) == (1, 1)


def test_it_tells_where_the_api_is(world: World) -> None:
    auth = new()
    with world.client(auth) as sugar:
        assert auth.token(sugar).api_url == f"{SUGAR}/rest/v10"

    async def ask() -> str:
        fresh = new()
        async with world.async_client(fresh) as sugar:
            return (await fresh.atoken(sugar)).api_url

    assert asyncio.run(ask()) == f"{SUGAR}/rest/v10"


def test_it_is_one_file_that_needs_httpx_alone() -> None:
    tree = ast.parse(Path(sugaradmin_client.__file__).read_text(encoding="utf-8"))
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    imported += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in imported} - set(sys.stdlib_module_names) == {"httpx"}
