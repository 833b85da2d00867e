from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from connections.api import rate
from connections.api.rate import Buckets
from tests.api.conftest import MakeCaller, problem

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A clock that stands still until it is moved."""
    now = [1000.0]
    monkeypatch.setattr(rate.time, "monotonic", lambda: now[0])

    def advance(seconds: float) -> None:
        now[0] += seconds

    return advance


def passed(buckets: Buckets, key: int, tries: int, a_second: float) -> int:
    return sum(not buckets.take(key, a_second) for _ in range(tries))


def test_a_burst_of_ten_seconds_passes_and_then_the_rate(clock: Callable[[float], None]) -> None:
    buckets = Buckets(slots=8)
    assert passed(buckets, 1, 100, 5) == 50
    clock(1)
    assert passed(buckets, 1, 100, 5) == 5
    clock(100)
    assert passed(buckets, 1, 100, 5) == 50


def test_it_says_how_long_to_wait(clock: Callable[[float], None]) -> None:
    buckets = Buckets(slots=8)
    passed(buckets, 1, 1, 0.1)
    seconds = buckets.take(1, 0.1)
    assert seconds == 10
    clock(seconds)
    assert buckets.take(1, 0.1) == 0


def test_keys_do_not_share(clock: Callable[[float], None]) -> None:
    buckets = Buckets(slots=8)
    for key in (1, 9, 17, 2):  # the first three fall on the same slot
        assert passed(buckets, key, 30, 2) == 20
    assert passed(buckets, 9, 5, 2) == 0


def test_a_slot_is_taken_over_only_from_a_bucket_that_is_full_again(clock: Callable[[float], None]) -> None:
    buckets = Buckets(slots=2)
    passed(buckets, 1, 20, 2)
    passed(buckets, 2, 20, 2)
    clock(11)
    assert passed(buckets, 3, 30, 2) == 20
    assert passed(buckets, 2, 30, 2) == 20
    assert passed(buckets, 3, 30, 2) == 0


def test_processes_and_threads_count_together() -> None:
    buckets = Buckets(slots=8)
    counts = FORK.Queue()

    def ask() -> None:
        with ThreadPoolExecutor(4) as pool:
            counts.put(sum(pool.map(lambda _: passed(buckets, 1, 100, 40), range(4))))

    processes = [FORK.Process(target=ask) for _ in range(3)]
    began = time.monotonic()
    for process in processes:
        process.start()
    total = sum(counts.get(timeout=30) for _ in processes)
    for process in processes:
        process.join()
    spent = time.monotonic() - began
    assert 400 <= total <= 400 + 40 * spent + 1


def test_a_killed_holder_stops_nobody() -> None:
    buckets = Buckets(slots=8)

    def hold_for_ever() -> None:
        with buckets._held():
            time.sleep(60)

    process = FORK.Process(target=hold_for_ever)
    process.start()
    while not buckets._holder[0]:
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    began = time.monotonic()
    assert buckets.take(1, 5) == 0
    assert time.monotonic() - began < 5


def test_a_key_that_is_too_fast_is_told_when_to_come_again(
    caller: MakeCaller, configured: Callable[..., None], transactional_db: None
) -> None:
    configured(key_rate=1)
    worker, other = caller(), caller(name="other")
    answers: list[Any] = [worker.get("connections") for _ in range(12)]
    assert [answer.status_code for answer in answers[:10]] == [200] * 10
    told = problem(answers[-1], 429, "too_many_requests")
    assert told["retry_after"] == 1
    assert answers[-1].headers["Retry-After"] == "1"
    assert other.get("connections").status_code == 200
