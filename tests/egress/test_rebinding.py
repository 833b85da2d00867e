"""Names that lead elsewhere from one moment to the next."""

from __future__ import annotations

import ipaddress
import itertools
import threading
from collections.abc import Callable, Iterator

import pytest

from connections.egress import AddressBlocked, ConnectionRefused, DnsFailure, Egress, Policy, policy
from tests.egress.listener import Listener, answer

ALLOWED, FORBIDDEN = "127.0.0.1", "127.0.0.2"


@pytest.fixture
def listeners(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Listener, Listener]]:
    """One that may be reached and, on the same port, one that may not."""
    forbidden_network = (ipaddress.ip_network(f"{FORBIDDEN}/32"),)
    monkeypatch.setattr(policy, "METADATA", policy.METADATA + forbidden_network)
    with (
        Listener(answer(b"{}"), host=ALLOWED) as allowed,
        Listener(answer(), host=FORBIDDEN, port=allowed.port) as other,
    ):
        yield allowed, other


def _door(resolver: Callable[[str, int], list[str]]) -> Egress:
    return Egress(Policy(user_agent="t", allow_http=True, allow_loopback=True), resolver=resolver)


def test_a_thousand_rebinding_attempts_reach_no_forbidden_listener(listeners: tuple[Listener, Listener]) -> None:
    allowed, forbidden = listeners
    turns = itertools.cycle([[ALLOWED], [FORBIDDEN], [ALLOWED, FORBIDDEN], [FORBIDDEN, ALLOWED], ["::ffff:127.0.0.2"]])
    door = _door(lambda _host, _port: next(turns))
    refused = 0
    for _attempt in range(1000):
        try:
            door.request("GET", f"http://rebind.example:{allowed.port}/", deadline=5, cap=100)
        except AddressBlocked:
            refused += 1
    assert forbidden.accepted == 0
    assert (allowed.accepted, refused) == (200, 800)


def test_the_name_is_resolved_once_so_that_check_and_connect_agree(listeners: tuple[Listener, Listener]) -> None:
    allowed, forbidden = listeners
    answers = iter([[ALLOWED], [FORBIDDEN], [FORBIDDEN]])
    asked: list[str] = []

    def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    door = _door(resolver)
    door.request("GET", f"http://rebind.example:{allowed.port}/", deadline=5, cap=100)
    assert (asked, allowed.accepted, forbidden.accepted) == (["rebind.example"], 1, 0)


def test_an_address_that_was_fine_when_saved_is_checked_again_when_called(listeners: tuple[Listener, Listener]) -> None:
    allowed, forbidden = listeners
    answers = iter([[ALLOWED], [FORBIDDEN]])
    door = _door(lambda _host, _port: next(answers))
    url = f"http://rebind.example:{allowed.port}/"
    door.check_address(url)
    with pytest.raises(AddressBlocked):
        door.request("GET", url, deadline=5, cap=100)
    assert forbidden.accepted == allowed.accepted == 0


def test_a_redirect_is_an_answer_and_is_not_followed(listeners: tuple[Listener, Listener]) -> None:
    allowed, forbidden = listeners
    allowed.script = answer(status=302, headers=f"Location: http://{FORBIDDEN}:{allowed.port}/\r\n")
    response = _door(lambda _host, _port: [ALLOWED]).request("POST", allowed.url(), content=b"x", deadline=5, cap=100)
    assert response.status == 302
    assert response.header("LOCATION").endswith(f"{FORBIDDEN}:{allowed.port}/")
    assert forbidden.accepted == 0


def test_the_next_address_is_tried_when_one_refuses_the_connection() -> None:
    with Listener(answer(b"{}"), host=ALLOWED) as server:
        door = _door(lambda _host, _port: ["127.0.0.3", "::1", ALLOWED])
        assert door.request("GET", f"http://x.example:{server.port}/", deadline=5, cap=100).status == 200
    with pytest.raises(ConnectionRefused) as refusal:
        door.request("GET", f"http://x.example:{server.port}/", deadline=5, cap=100)
    assert refusal.value.sent is False


def test_a_name_without_an_address_is_a_dns_failure() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise OSError("no such host")

    for resolver in (unknown, lambda _host, _port: [], lambda _host, _port: ["not an address"]):
        with pytest.raises(DnsFailure):
            _door(resolver).check_address("https://nowhere.example/")


def test_a_resolver_that_hangs_costs_no_more_than_the_deadline() -> None:
    over = threading.Event()
    door = _door(lambda _host, _port: [str(over.wait(10))])
    with pytest.raises(DnsFailure):
        door.check_address("https://slow.example/", deadline=0.1)
    over.set()


def test_lookups_that_hang_do_not_eat_all_threads() -> None:
    over = threading.Event()
    door = _door(lambda _host, _port: [str(over.wait(10))])
    before = threading.active_count()
    for _lookup in range(70):
        with pytest.raises(DnsFailure):
            door.check_address("https://slow.example/", deadline=0.002)
    assert threading.active_count() - before <= 64
    over.set()
