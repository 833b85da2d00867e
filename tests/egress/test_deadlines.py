"""The deadline is a wall: no way of being slow gets past it by more than a second."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connections.egress import ConnectTimeout, DeadlineExceeded, Egress, Policy
from tests.egress.listener import Authority, Listener, Visit

DEADLINE = 0.5


@contextmanager
def takes_no_longer_than(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def drip_head(visit: Visit) -> None:
    visit.read_request()
    visit.send(b"HTTP/1.1 200 OK\r\n")
    while not visit.listener.over.wait(0.02):
        visit.send(b"X-Slow: 1\r\n")


def drip_body(visit: Visit) -> None:
    visit.read_request()
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not visit.listener.over.wait(0.02):
        visit.send(b"x")


def drip_informational(visit: Visit) -> None:
    visit.read_request()
    while not visit.listener.over.wait(0.005):
        visit.send(b"HTTP/1.1 102 Processing\r\n\r\n")


def stay_silent(visit: Visit) -> None:
    visit.read_request()
    visit.wait_for_end()


def read_nothing(visit: Visit) -> None:
    visit.wait_for_end()


@pytest.mark.parametrize("script", [drip_head, drip_body, drip_informational, stay_silent, read_nothing])
@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
def test_a_slow_answer_ends_at_the_wall(egress: Egress, authority: Authority, script: object, is_tls: bool) -> None:
    tls = authority.server_context("crm.example.com") if is_tls else None
    content = b"x" * (30_000_000 if script is read_nothing else 10)
    with (
        Listener(script, tls=tls) as server,
        takes_no_longer_than(DEADLINE + 1),
        pytest.raises(DeadlineExceeded) as late,
    ):  # type: ignore[arg-type]
        url = server.url(host="crm.example.com")
        egress.request("POST", url, content=content, deadline=DEADLINE, cap=10**6, ca_pem=authority.pem)
    assert late.value.sent is True
    assert (late.value.partial is not None) == (script is drip_body)


def test_a_handshake_that_hangs_was_not_sent(egress: Egress, authority: Authority) -> None:
    with Listener(stay_silent) as server, takes_no_longer_than(DEADLINE + 1), pytest.raises(ConnectTimeout) as late:
        url = f"https://crm.example.com:{server.port}/"
        egress.request("GET", url, deadline=DEADLINE, cap=99, ca_pem=authority.pem)
    assert late.value.sent is False
    assert late.value.timings.total_ms >= DEADLINE * 1000


def test_a_connection_that_nobody_takes_was_not_sent(egress: Egress) -> None:
    """A listener whose queue is full drops what comes next, as a firewall does."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _place in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        with takes_no_longer_than(DEADLINE + 1), pytest.raises(ConnectTimeout):
            egress.request("GET", f"http://127.0.0.1:{port}/", deadline=DEADLINE, cap=99)
        for sock in waiting:
            sock.close()


def test_the_last_word_can_shorten_the_wall(egress: Egress) -> None:
    with Listener(stay_silent) as server, takes_no_longer_than(2), pytest.raises(DeadlineExceeded):
        egress.request("GET", server.url(), deadline=10, cap=99, before_first_byte=lambda: 0.2)


def test_the_last_word_can_lengthen_the_wall_from_its_moment_on(egress: Egress) -> None:
    def slow(visit: Visit) -> None:
        visit.read_request()
        visit.listener.over.wait(0.4)
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with Listener(slow) as server:
        response = egress.request("GET", server.url(), deadline=0.2, cap=99, before_first_byte=lambda: 5.0)
    assert response.status == 200


def test_nothing_is_sent_when_the_last_word_took_all_the_time(egress: Egress) -> None:
    def last_word() -> None:
        time.sleep(0.3)

    with Listener(stay_silent) as server, pytest.raises(ConnectTimeout) as late:
        egress.request("GET", server.url(), deadline=0.2, cap=99, before_first_byte=last_word)
    assert late.value.sent is False
    assert server.requests == []


def test_the_wall_follows_the_clock_it_was_given() -> None:
    """A machine that was suspended wakes up with its deadlines over."""
    offset = 0.0
    egress = Egress(
        Policy(user_agent="t", allow_http=True, allow_loopback=True), monotonic=lambda: time.monotonic() + offset
    )

    def suspend() -> None:
        nonlocal offset
        offset = 3600

    with Listener(stay_silent) as server, pytest.raises(ConnectTimeout):
        egress.request("GET", server.url(), deadline=5, cap=99, before_first_byte=suspend)
    assert server.requests == []
