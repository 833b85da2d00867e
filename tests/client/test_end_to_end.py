"""The client, the API over a real socket, real custody, and a simulated Sugar behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sugaradmin_client import ConnectionUnusable, SugaradminAuth
from tests.api.conftest import Connect, MakeCaller, caller, connect, simulator

__all__ = ["caller", "connect", "simulator"]


@pytest.fixture
def auth_for(live_server: Any, caller: MakeCaller) -> Any:
    key = caller("token:read").key
    return lambda public_id, **options: SugaradminAuth(live_server.url, key, public_id, **options)


def test_a_worker_outlives_the_death_of_its_token(connect: Connect, auth_for: Any) -> None:
    kept = connect("13.3")
    auth = auth_for(kept.public_id)
    with httpx.Client(auth=auth, trust_env=False, timeout=20) as sugar:
        me = f"{auth.token(sugar).api_url}/me"
        assert sugar.get(me).json()["current_user"]["user_name"] == "svc"
        kept.sugar.expire_access_tokens("svc")
        assert sugar.get(me).status_code == 200
        assert auth.token(sugar).version == 2
    assert kept.grants() == 1


def test_the_same_with_asyncio(connect: Connect, auth_for: Any) -> None:
    kept = connect("13.3")
    auth = auth_for(kept.public_id)

    async def work() -> list[int]:
        async with httpx.AsyncClient(auth=auth, trust_env=False, timeout=20) as sugar:
            me = f"{(await auth.atoken(sugar)).api_url}/me"
            first = await sugar.get(me)
            await asyncio.to_thread(kept.sugar.expire_access_tokens, "svc")
            more = await asyncio.gather(*(sugar.get(me) for _ in range(4)))
            return [answer.status_code for answer in (first, *more)]

    assert asyncio.run(work()) == [200] * 5
    assert kept.grants() == 1


def test_a_dead_connection_says_who_must_act(connect: Connect, auth_for: Any) -> None:
    kept = connect("13.3", fields={"store_password": False})
    kept.sugar.outside_login("svc", "intg")
    kept.make_due()
    kept.tend()
    with (
        httpx.Client(auth=auth_for(kept.public_id), trust_env=False, timeout=20) as sugar,
        pytest.raises(ConnectionUnusable) as refused,
    ):
        sugar.get(f"{kept.sugar.url}/rest/v10/me")
    assert refused.value.code == "refresh_token_superseded"
    assert refused.value.diagnosis is not None
    assert refused.value.fix_by


def test_a_stream_is_not_sent_twice_and_the_next_request_reports(connect: Connect, auth_for: Any) -> None:
    def body() -> Iterator[bytes]:
        yield b"{}"

    kept = connect("13.3")
    auth = auth_for(kept.public_id)
    with httpx.Client(auth=auth, trust_env=False, timeout=20) as sugar:
        me = f"{auth.token(sugar).api_url}/me"
        kept.sugar.expire_access_tokens("svc")
        kept.simulator.control.clear_log()
        assert sugar.request("GET", me, content=body()).status_code == 401
        assert [entry["path"] for entry in kept.simulator.control.log()] == ["/rest/v10/me"]
        assert auth.token(sugar).version == 2
        assert sugar.get(me).status_code == 200
