from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection

from connections.api import keys
from connections.custody.audit import Actor
from connections.models import Connection, TokenVersion
from connections.onboarding import api_keys
from tests.api.conftest import ANA, Connect, Kept, MakeCaller, problem
from tests.custody.conftest import rest

FIELDS = [
    "connection",
    "access_token",
    "header",
    "version",
    "expires_at",
    "expires_in",
    "instance_url",
    "api_url",
    "platform",
    "warning",
]


def expire(kept: Kept) -> None:
    """As if the hour were over."""
    past = kept.row.created_at
    TokenVersion.objects.filter(connection=kept.row).update(access_expires_at=past)
    Connection.objects.filter(public_id=kept.public_id).update(access_expires_at=past)


def test_a_token_comes_with_everything_a_worker_needs(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    response = caller("token:read").get(f"connections/{kept.public_id}/token")
    assert response.status_code == 200
    told = response.json()
    assert list(told) == FIELDS
    assert told["connection"] == kept.public_id
    assert told["header"] == "OAuth-Token"
    assert told["version"] == 1
    assert told["instance_url"] == kept.row.instance_url
    assert told["api_url"] == kept.row.instance_url + "/rest/v10"
    assert told["platform"] == "intg"
    assert told["warning"] is None
    assert 3500 < told["expires_in"] <= 3600
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["expires_at"])
    assert response.headers["ETag"] == '"1"'
    assert response.headers["Cache-Control"] == "no-store"
    assert kept.accepts(told["access_token"])


@pytest.mark.parametrize("ask", ["token", "token/rejected"])
def test_a_new_version_is_handed_out_before_it_is_proven(connect: Connect, caller: MakeCaller, ask: str) -> None:
    """The old token is dead already; who waited for the new one need not wait for our ping, too."""
    kept = connect("13.3")
    kept.sugar.expire_access_tokens("svc")
    kept.sugar.chaos("slow_before", path="ping", seconds=0.7)
    worker = caller("token:read")
    if ask == "token":
        expire(kept)
        told = worker.get(f"connections/{kept.public_id}/{ask}").json()
    else:
        told = worker.post(f"connections/{kept.public_id}/{ask}", {"version": 1}).json()
    fresh = TokenVersion.objects.filter(connection=kept.row, number=2)
    assert told["version"] == 2
    assert fresh.get().verified_at is None
    rest()
    assert fresh.get().verified_at is not None


@pytest.mark.parametrize("tags", ['"1"', 'W/"1"', '"7", "1"', '"7",W/"1"', "*"])
def test_a_version_the_worker_has_is_not_sent_again(connect: Connect, caller: MakeCaller, tags: str) -> None:
    kept = connect("13.3")
    response = caller().get(f"connections/{kept.public_id}/token", If_None_Match=tags)
    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["ETag"] == '"1"'
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("tags", ['"2"', "1", '"11"', "nonsense"])
def test_another_version_is_sent(connect: Connect, caller: MakeCaller, tags: str) -> None:
    kept = connect("13.3")
    assert caller().get(f"connections/{kept.public_id}/token", If_None_Match=tags).status_code == 200


def test_a_version_that_must_be_refreshed_is_no_304(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    expire(kept)
    response = caller().get(f"connections/{kept.public_id}/token", If_None_Match='"1"')
    assert response.status_code == 200
    assert response.json()["version"] == 2


def test_an_expired_token_is_refreshed_once_for_many(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    expire(kept)
    worker = caller("token:read")
    worker.get("connections")  # the key is known from here on
    barrier = threading.Barrier(8)

    def fetch(_: int) -> int:
        barrier.wait()
        try:
            return worker.get(f"connections/{kept.public_id}/token").json()["version"]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(fetch, range(8))) == {2}
    assert kept.grants() == 1


@pytest.mark.parametrize(
    "query",
    [
        "min_ttl=999999",
        "min_ttl=100000000000000",
        "min_ttl=" + "9" * 400,
        "min_ttl=0.1234567890123456",
        "wait=31",
        "wait=1000000000000000",
        "min_ttl=86401&wait=600",
    ],
)
def test_what_is_too_much_counts_as_the_most(connect: Connect, caller: MakeCaller, query: str) -> None:
    kept = connect("13.3")
    assert caller().get(f"connections/{kept.public_id}/token?{query}").json()["version"] == 1


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("min_ttl=x", ["min_ttl"]),
        ("min_ttl=-1", ["min_ttl"]),
        ("min_ttl=nan", ["min_ttl"]),
        ("min_ttl=1e400", ["min_ttl"]),
        ("min_ttl=%C2%B2", ["min_ttl"]),
        ("min_ttl=%D9%A3", ["min_ttl"]),
        ("wait=-1", ["wait"]),
        ("wait=", ["wait"]),
        ("wait=1&wait=2", ["wait"]),
        ("min_ttl=no&wait=no", ["min_ttl", "wait"]),
        ("mintl=60", ["mintl"]),
    ],
)
def test_what_is_out_of_bounds_is_named(connect: Connect, caller: MakeCaller, query: str, names: list[str]) -> None:
    kept = connect("13.3")
    told = problem(caller().get(f"connections/{kept.public_id}/token?{query}"), 422, "invalid")
    assert sorted(told["errors"]) == names
    assert all(isinstance(text, str) for texts in told["errors"].values() for text in texts)


def test_a_bad_number_is_told_what_a_good_one_looks_like(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", sign_in=False)
    told = problem(caller().get(f"connections/{kept.public_id}/token?min_ttl=1e3"), 422, "invalid")
    assert told["errors"] == {"min_ttl": ["A number of seconds in digits, 0 or more, as in 60 or 2.5."]}


@pytest.mark.parametrize("query", ["min_ttl=0&wait=0", "min_ttl=86400&wait=30", "min_ttl=1.5&wait=2.5"])
def test_bounds_themselves_are_in_order(connect: Connect, caller: MakeCaller, query: str) -> None:
    kept = connect("13.3")
    assert caller().get(f"connections/{kept.public_id}/token?{query}").status_code == 200


def test_more_than_half_a_lifetime_counts_as_half(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    assert caller().get(f"connections/{kept.public_id}/token?min_ttl=86400").json()["version"] == 1


def test_a_draft_has_no_token(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", sign_in=False)
    told = problem(caller().get(f"connections/{kept.public_id}/token"), 409, "draft")
    assert told["retryable"] is False


def test_a_paused_connection_serves_a_living_token_and_a_held_one_does_not(
    connect: Connect, caller: MakeCaller
) -> None:
    kept = connect("13.3")
    worker = caller()
    worker.post(f"connections/{kept.public_id}/pause")
    assert worker.get(f"connections/{kept.public_id}/token").status_code == 200
    worker.post(f"connections/{kept.public_id}/hold")
    problem(worker.get(f"connections/{kept.public_id}/token"), 409, "held")
    worker.post(f"connections/{kept.public_id}/resume")
    worker.post(f"connections/{kept.public_id}/pause")
    expire(kept)
    problem(worker.get(f"connections/{kept.public_id}/token"), 409, "paused")


def test_a_person_is_needed_says_who_and_why(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", fields={"store_password": False})
    kept.sugar.outside_login("svc", "intg")
    kept.make_due()
    kept.tend()
    worker = caller()
    told = problem(worker.get(f"connections/{kept.public_id}/token"), 409, "refresh_token_superseded")
    assert told["retryable"] is False
    assert told["diagnosis"]["code"] == "refresh_token_superseded"
    assert told["diagnosis"]["help_url"] == f"{settings.SUGARADMIN.base_url}/help/refresh_token_superseded/"
    assert told["fix_by"] == told["diagnosis"]["fix_by"]
    known = {event["id"] for event in worker.events(f"connections/{kept.public_id}/events")}
    linked = [item["event"] for item in told["diagnosis"]["evidence"] if item["attempt"]]
    assert linked and set(linked) <= known


def test_maintenance_is_worth_another_try(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    kept.sugar.maintenance()
    expire(kept)
    told = problem(caller().get(f"connections/{kept.public_id}/token"), 503, "maintenance")
    assert told["fix_by"] == told["diagnosis"]["fix_by"]


def test_a_warning_names_the_trouble_while_the_token_lives(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("7.1", fields={"store_password": False})
    kept.sugar.delete_rows("svc")
    kept.make_due()
    kept.tend()
    told = caller().get(f"connections/{kept.public_id}/token").json()
    assert told["warning"] == "refresh_token_superseded"


def test_head_tells_the_length_and_no_token(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    full = worker.get(f"connections/{kept.public_id}/token")
    response = worker.send("HEAD", f"connections/{kept.public_id}/token")
    assert response.status_code == 200
    assert response.content == b""
    assert response.headers["ETag"] == '"1"'
    assert abs(int(response.headers["Content-Length"]) - len(full.content)) <= 1


def test_a_revoked_key_dies_within_a_second(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller("token:read")
    assert worker.get(f"connections/{kept.public_id}/token").status_code == 200
    assert api_keys.revoke(worker.row, Actor(kind="staff", name="ana"))
    time.sleep(0.9)
    problem(worker.get(f"connections/{kept.public_id}/token"), 401, "unauthorized")
    assert not api_keys.revoke(worker.row, ANA)


def test_while_a_key_is_looked_up_nobody_waits_for_it_nor_believes_it_for_long(
    connect: Connect, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that hangs in the look of one thread must not keep a revoked key alive for all the others."""
    kept = connect("13.3")
    worker, answered = caller("token:read"), threading.Event()
    look_up = keys._look_up

    def slowly(prefix: str) -> keys.Key | None:
        assert answered.wait(20)
        return look_up(prefix)

    def ask() -> int:
        try:
            status: int = worker.get(f"connections/{kept.public_id}/token").status_code
            return status
        finally:
            connection.close()

    assert ask() == 200
    monkeypatch.setattr(keys, "_look_up", slowly)
    with ThreadPoolExecutor(2) as pool:
        time.sleep(keys.GOOD_FOR + 0.05)
        looking = pool.submit(ask)
        time.sleep(0.05)
        assert ask() == 200, "known half a second ago"
        time.sleep(keys.STILL_GOOD_FOR - keys.GOOD_FOR)
        late = pool.submit(ask)
        assert api_keys.revoke(worker.row, ANA)
        time.sleep(0.2)
        assert not late.done(), "too old to be believed"
        answered.set()
        assert (looking.result(20), late.result(20)) == (401, 401)


def test_the_hot_path_asks_the_database_once(
    connect: Connect, caller: MakeCaller, django_assert_num_queries: object
) -> None:
    kept = connect("13.3")
    worker = caller("token:read")
    address = f"connections/{kept.public_id}/token"
    worker.get(address)
    worker.get(address)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert worker.get(address).status_code == 200


def test_use_is_noted_to_ten_minutes(connect: Connect, caller: MakeCaller) -> None:
    from connections.api import keys

    kept = connect("13.3")
    worker = caller("token:read")
    address = f"connections/{kept.public_id}/token"
    worker.get(address)
    worker.row.refresh_from_db()
    first = worker.row.last_used_at
    assert first is not None
    keys.forget()
    worker.get(address)
    worker.row.refresh_from_db()
    assert worker.row.last_used_at == first
    type(worker.row).objects.update(last_used_at=first - timedelta(minutes=11))
    keys.forget()
    worker.get(address)
    worker.row.refresh_from_db()
    assert worker.row.last_used_at >= first
