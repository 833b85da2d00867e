"""Every switch, over real sockets: what the client sees, and what Sugar has done meanwhile."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator

import pytest

from connections.simulator import Instance, SimulatorServer
from tests.simulator.player import Player
from tests.simulator.wires import grant, send


@pytest.fixture(scope="module")
def sim() -> Iterator[SimulatorServer]:
    with SimulatorServer() as server:
        yield server


@pytest.fixture
def acme(sim: SimulatorServer, request: pytest.FixtureRequest) -> Instance:
    return sim.add_instance(request.node.name.replace("_", "-").replace("[", ".").replace("]", ""))


@pytest.fixture
def url(sim: SimulatorServer, acme: Instance) -> str:
    return sim.instance_url(acme.name)


def rows(instance: Instance) -> int:
    return len(instance.tables.rows)


@pytest.mark.parametrize(
    ("kind", "error", "processed"),
    [
        ("lost", http.client.RemoteDisconnected, 1),
        ("reset", ConnectionResetError, 1),
        ("cut", http.client.IncompleteRead, 1),
        ("drop", http.client.RemoteDisconnected, 0),
        ("reset_before", ConnectionResetError, 0),
    ],
)
def test_an_answer_that_never_comes(
    acme: Instance, url: str, kind: str, error: type[Exception], processed: int
) -> None:
    acme.chaos.set(kind, endpoint="token", count=1)
    with pytest.raises(error) as caught:
        grant(url)
    assert caught.type is error
    assert rows(acme) == processed
    assert grant(url)[0] == 200


@pytest.mark.parametrize(
    ("kind", "options", "status", "processed"),
    [
        ("error_before", {"status": 503}, 503, 0),
        ("error_after", {"status": 504}, 504, 1),
        ("html", {}, 200, 0),
        ("html_after", {}, 200, 1),
        ("html", {"status": 502}, 502, 0),
        ("waf", {}, 403, 0),
        ("redirect", {"location": "https://elsewhere.example/"}, 302, 0),
        ("throttle", {"retry_after": 7}, 429, 0),
        ("outdated", {}, 433, 0),
        ("empty", {}, 200, 1),
        ("answer", {"status": 403, "payload": {"error": "not_authorized"}}, 403, 0),
        ("body", {"text": "null"}, 200, 1),
    ],
)
def test_an_answer_that_is_not_sugars(
    acme: Instance, url: str, kind: str, options: dict[str, object], status: int, processed: int
) -> None:
    acme.chaos.set(kind, **options)  # type: ignore[arg-type]
    answered, body = grant(url)
    assert answered == status
    assert b"refresh_token" not in body
    assert rows(acme) == processed


@pytest.mark.parametrize(
    ("place", "access_whole", "refresh_whole"),
    [
        ("inside_access_token", False, False),
        ("after_access_token", True, False),
        ("inside_refresh_token", True, False),
        ("after_refresh_token", True, True),
    ],
)
def test_a_cut_at_a_place_in_the_json(
    acme: Instance, url: str, place: str, access_whole: bool, refresh_whole: bool
) -> None:
    acme.chaos.set("cut", place=place, endpoint="token")
    with pytest.raises(http.client.IncompleteRead) as caught:
        grant(url)
    (row,) = acme.tables.rows.values()
    (session,) = acme.sessions.values()
    assert (f'"{session.access}"'.encode() in caught.value.partial) is access_whole
    assert (f'"{row.id}"'.encode() in caught.value.partial) is refresh_whole


@pytest.mark.parametrize(
    "variant", ["truncated", "nan", "duplicate", "warning", "array", "text", "bom", "bytes", "deep"]
)
def test_json_that_a_strict_parser_refuses(acme: Instance, url: str, variant: str) -> None:
    acme.chaos.set("invalid_json", variant=variant)
    status, body = grant(url)
    assert status == 200

    def strict(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("duplicate")
        return dict(pairs)

    def refuse(word: str) -> object:
        raise ValueError(word)

    with pytest.raises((ValueError, AssertionError, RecursionError)):
        assert isinstance(json.loads(body.decode(), object_pairs_hook=strict, parse_constant=refuse), dict)


@pytest.mark.parametrize("value", [0, -5, 10**12, "3600", None, 1_900_000_000])
def test_odd_expiries(acme: Instance, url: str, value: object) -> None:
    acme.chaos.set("expires_in", value=value)
    acme.chaos.set("expires_in", field="refresh_expires_in", value=value)
    payload = json.loads(grant(url)[1])
    assert payload["expires_in"] == payload["refresh_expires_in"] == value


def test_a_huge_body_is_huge_and_still_json(acme: Instance, url: str) -> None:
    acme.chaos.set("huge", size=1_500_000)
    body = grant(url)[1]
    assert len(body) == 1_500_000
    assert "refresh_token" in json.loads(body)


def test_a_server_that_does_not_rotate(acme: Instance, url: str) -> None:
    first = json.loads(grant(url)[1])
    acme.chaos.set("same_refresh_token", grant="refresh", count=2)
    for _ in range(2):
        same = json.loads(grant(url, grant_type="refresh_token", refresh_token=first["refresh_token"])[1])
        assert same["refresh_token"] == first["refresh_token"]
        assert same["access_token"] != first["access_token"]
    assert Player(acme).lives(same)
    acme.chaos.set("no_refresh_token", grant="refresh", count=1)
    without = json.loads(grant(url, grant_type="refresh_token", refresh_token=first["refresh_token"])[1])
    assert "refresh_token" not in without
    assert grant(url, grant_type="refresh_token", refresh_token=first["refresh_token"])[0] == 200


@pytest.mark.parametrize(("answer", "status"), [("first", 200), ("second", 400)])
def test_a_replaying_proxy_refreshes_twice(acme: Instance, url: str, answer: str, status: int) -> None:
    first = json.loads(grant(url)[1])
    acme.chaos.set("replay", grant="refresh", answer=answer)
    assert grant(url, grant_type="refresh_token", refresh_token=first["refresh_token"])[0] == status
    assert rows(acme) == 1


def test_a_replayed_sign_in_kills_its_own_first_answer(acme: Instance, url: str) -> None:
    acme.chaos.set("replay", answer="first", count=1)
    dead = json.loads(grant(url)[1])
    assert grant(url, grant_type="refresh_token", refresh_token=dead["refresh_token"])[0] == 400


def test_a_proxy_that_strips_the_token(acme: Instance) -> None:
    svc = Player(acme)
    mine = svc.tokens()
    acme.chaos.set("strip_auth", endpoint="api")
    assert svc.ping(mine).json()["error_message"] == "No valid authentication for user."


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("slow", {"seconds": 30}),
        ("slow_before", {"seconds": 30}),
        ("drip", {"bytes": 1, "seconds": 0.2}),
        ("drip_headers", {"bytes": 1, "seconds": 0.2}),
    ],
)
def test_answers_that_outlast_the_client(acme: Instance, url: str, kind: str, options: dict[str, float]) -> None:
    acme.chaos.set(kind, count=1, **options)  # type: ignore[arg-type]
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        connection_timeout = 0.3
        _read_all_within(url, connection_timeout)
    assert time.monotonic() - started < 5
    assert rows(acme) == (0 if kind == "slow_before" else 1)


def _read_all_within(url: str, seconds: float) -> None:
    """A total deadline: a drip beats every timeout per read."""
    ends = time.monotonic() + seconds
    parts = url.split("/", 3)
    connection = http.client.HTTPConnection(parts[2], timeout=seconds)
    body = json.dumps({"grant_type": "password", "client_id": "sugar", "username": "svc", "password": "secret"})
    connection.request("POST", f"/{parts[3]}/rest/v10/oauth2/token?platform=intg", body=body)
    sock = connection.sock
    try:
        while time.monotonic() < ends:
            if not sock.recv(1):
                return
        raise TimeoutError
    finally:
        connection.close()


def test_an_answer_nobody_waited_for_is_no_definite_answer(sim: SimulatorServer, acme: Instance, url: str) -> None:
    first = json.loads(grant(url)[1])
    acme.chaos.set("slow", seconds=0.4, count=1)
    with pytest.raises(TimeoutError):
        grant(url, grant_type="refresh_token", refresh_token=first["refresh_token"], timeout=0.1)
    time.sleep(0.6)
    (entry,) = sim.world.journal.entries(instance=acme.name, grant="refresh")
    assert (entry.status, entry.delivery, entry.is_definite) == (200, "abandoned", False)


def test_switches_choose_their_requests(acme: Instance, url: str) -> None:
    acme.chaos.set("waf", path="ping/whattimeisit", count=2)
    acme.chaos.set("error_before", grant="refresh", status=500)
    assert grant(url)[0] == 200
    assert send(url, "GET", "/rest/v10/ping")[0] == 401
    assert [send(url, "GET", "/rest/v10/ping/whattimeisit")[0] for _ in range(3)] == [403, 403, 401]
    assert grant(url, grant_type="refresh_token", refresh_token="x")[0] == 500
    acme.chaos.clear("error_before")
    assert grant(url, grant_type="refresh_token", refresh_token="x")[0] == 400


@pytest.mark.parametrize(
    ("kind", "options"),
    [("magic", {}), ("cut", {"place": "nowhere"}), ("invalid_json", {"variant": "x"}), ("slow", {"seconds": "long"})],
)
def test_a_switch_that_cannot_work_is_refused(acme: Instance, kind: str, options: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        acme.chaos.set(kind, **options)  # type: ignore[arg-type]
    assert acme.chaos.switches == []
