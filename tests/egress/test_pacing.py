"""How fast one host hears from us."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from connections.egress import Egress, Paced, Pacer, Policy, pacing
from connections.egress.wall import Wall
from tests.egress.listener import Listener, Visit, answer


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def _take(pacer: Pacer, clock: Clock, *, seconds: float = 60, host: str = "a", is_grant: bool = False) -> None:
    with pacer.turn(host, 443, Wall(clock, seconds), is_grant=is_grant):
        pass


def test_a_burst_goes_at_once_and_then_five_a_second() -> None:
    clock = Clock()
    pacer = Pacer(5, 2, monotonic=clock, sleep=clock.sleep)
    for _request in range(10):
        _take(pacer, clock)
    assert clock.now == 1000.0
    for _request in range(50):
        _take(pacer, clock)
    assert clock.now == pytest.approx(1010.0)


def test_hosts_do_not_wait_for_each_other() -> None:
    clock = Clock()
    pacer = Pacer(5, 2, monotonic=clock, sleep=clock.sleep)
    for number in range(200):
        _take(pacer, clock, host=f"h{number}")
    assert clock.now == 1000.0


def test_who_cannot_be_served_in_time_is_told_at_once_and_spends_nothing() -> None:
    clock = Clock()
    pacer = Pacer(1, 2, burst=1, monotonic=clock, sleep=clock.sleep)
    _take(pacer, clock)
    for _again in range(3):
        with pytest.raises(Paced) as refusal:
            _take(pacer, clock, seconds=0.5)
        assert refusal.value.sent is False
        assert refusal.value.retry_after == pytest.approx(1.0)
    _take(pacer, clock, seconds=1.5)
    assert clock.now == pytest.approx(1001.0)


def test_a_rate_of_zero_lifts_both_limits() -> None:
    pacer = Pacer(0, 1)
    clock = Clock()
    with pacer.turn("a", 443, Wall(clock, 0), is_grant=True), pacer.turn("a", 443, Wall(clock, 0), is_grant=True):
        pass


def test_hosts_that_rest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "HOSTS_REMEMBERED", 3)
    clock = Clock()
    pacer = Pacer(5, 2, monotonic=clock, sleep=clock.sleep)
    for number in range(50):
        _take(pacer, clock, host=f"h{number}")
        clock.now += 10
    assert len(pacer._hosts) <= 4


def test_no_more_than_two_grants_are_under_way_to_one_host() -> None:
    under_way, most = 0, 0
    counting = threading.Lock()

    def script(visit: Visit) -> None:
        nonlocal under_way, most
        visit.read_request()
        with counting:
            under_way += 1
            most = max(most, under_way)
        visit.listener.over.wait(0.03)
        with counting:
            under_way -= 1
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    policy = Policy(user_agent="t", allow_http=True, allow_loopback=True)
    with Listener(script) as server:
        egress = Egress(policy, pacer=Pacer(10_000, 2))
        request = {"deadline": 5.0, "cap": 9, "is_grant": True}
        threads = [
            threading.Thread(target=egress.request, args=("GET", server.url()), kwargs=request) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (server.accepted, most) == (8, 2)


def test_a_grant_that_finds_no_place_in_time_was_not_sent_and_a_place_comes_back() -> None:
    with Listener(answer()) as server:
        pacer = Pacer(1000, 1)
        egress = Egress(Policy(user_agent="t", allow_http=True, allow_loopback=True), pacer=pacer)
        with pacer.turn("127.0.0.1", server.port, Wall(lambda: 0.0, 1), is_grant=True):
            with pytest.raises(Paced):
                egress.request("GET", server.url(), deadline=0.1, cap=9, is_grant=True)
            assert egress.request("GET", server.url(), deadline=5, cap=9).status == 200  # no grant, no place needed
        assert egress.request("GET", server.url(), deadline=5, cap=9, is_grant=True).status == 200


def test_all_processes_of_a_node_are_one_caller(tmp_path: Path) -> None:
    clock = Clock()
    pacers = [Pacer(5, 2, monotonic=clock, sleep=clock.sleep, folder=tmp_path) for _process in range(4)]
    for request in range(60):
        _take(pacers[request % 4], clock)
    assert clock.now == pytest.approx(1010.0)


def test_the_places_for_grants_are_those_of_the_node(tmp_path: Path) -> None:
    clock = Clock()
    first, second, third = (Pacer(100, 2, monotonic=clock, sleep=clock.sleep, folder=tmp_path) for _process in range(3))
    wall = Wall(clock, 60)
    with first.turn("a", 443, wall, is_grant=True):
        with second.turn("a", 443, wall, is_grant=True):
            with pytest.raises(Paced):
                _take(third, clock, seconds=0.5, is_grant=True)
            _take(third, clock, host="b", is_grant=True)
        _take(third, clock, seconds=0.5, is_grant=True)


def test_a_killed_process_gives_its_place_back(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with Pacer(100, 1, folder=tmp_path).turn("a", 443, Wall(lambda: 0.0, 5), is_grant=True):
            os.write(writer, b"x")
            signal.pause()
    os.read(reader, 1)
    clock = Clock()
    pacer = Pacer(100, 1, monotonic=clock, sleep=clock.sleep, folder=tmp_path)
    with pytest.raises(Paced):
        _take(pacer, clock, seconds=0.5, is_grant=True)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    _take(pacer, clock, seconds=0.5, is_grant=True)


def test_without_a_disk_each_process_counts_for_itself(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    clock = Clock()
    pacer = Pacer(5, 2, monotonic=clock, sleep=clock.sleep, folder=blocked / "pacing")
    for _request in range(20):
        _take(pacer, clock, is_grant=True)
    assert clock.now == pytest.approx(1002.0)


def test_what_an_earlier_run_of_the_machine_counted_is_not_believed(tmp_path: Path) -> None:
    early, late = Clock(), Clock()
    late.now = 1_000_000.0
    for _request in range(200):
        _take(Pacer(5, 2, monotonic=late, sleep=late.sleep, folder=tmp_path), late)
    _take(Pacer(5, 2, monotonic=early, sleep=early.sleep, folder=tmp_path), early)
    assert early.now == 1000.0
