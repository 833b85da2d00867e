"""Who waits for a host, for how long, and what the others are told."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta
from itertools import islice

import pytest
from django.db import connection

from connections.custody import checkpoints, handout, rounds, sending, wire
from connections.custody.checkpoints import Point
from connections.custody.handout import HandedOut
from connections.custody.problems import Later
from connections.models import Connection, TokenVersion, database_now
from tests.custody.conftest import Connect, Kept, connect, simulator

__all__ = ["connect", "simulator"]


def expire(kept: Kept) -> None:
    """As if its access token had just ended."""
    Connection.objects.filter(public_id=kept.public_id).update(access_expires_at=database_now())
    TokenVersion.objects.filter(connection__public_id=kept.public_id).update(access_expires_at=database_now())


def ask(kept: Kept) -> HandedOut | Later:
    try:
        return handout.token(kept.public_id, tenants=None, wait=5, actor="worker")
    except Later as later:
        return later
    finally:
        connection.close()


def test_a_slow_host_holds_a_quarter_of_the_threads_and_the_rest_come_again_in_a_second(
    connect: Connect, configured: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, other = connect("13.3"), connect("13.3")
    configured(web_threads=8, grant_deadline=timedelta(seconds=20), server_time=timedelta(seconds=30))
    monkeypatch.setattr(handout, "PATIENCE", 0.3)
    expire(slow)
    slow.sugar.hold("insert_row")
    with ThreadPoolExecutor(8) as threads:
        asking = [threads.submit(ask, slow) for _ in range(8)]
        slow.sugar.wait_standing()
        assert isinstance(ask(other), HandedOut), "a living token of another customer is never late"
        refused = [one.result() for one in islice(as_completed(asking, timeout=5), 6)]
        slow.sugar.release()
        served = [one.result() for one in asking if one.result() not in refused]
    assert [(one.code, one.retry_after) for one in refused if isinstance(one, Later)] == [("busy", 1)] * 6
    assert [one.version for one in served if isinstance(one, HandedOut)] == [2, 2]
    assert slow.grants() == 1


def test_one_look_serves_an_instance_and_platform_for_ten_seconds(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = connect("13.3")
    wire.forget_preflights()
    kept.simulator.control.clear_log()
    for _ in range(3):
        kept.make_due()
        assert rounds.tend(kept.row.pk) == "version"
    assert looks(kept) == 1
    now = wire.boottime()
    monkeypatch.setattr(wire, "boottime", lambda: now + 10.1)
    kept.make_due()
    assert rounds.tend(kept.row.pk) == "version"
    assert looks(kept) == 2


def looks(kept: Kept) -> int:
    log = kept.simulator.control.log(instance=kept.sugar.name)
    return sum("whattimeisit" in str(entry["path"]) for entry in log)


def test_whoever_slept_between_his_last_look_and_the_first_byte_sends_nothing(
    connect: Connect, configured: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop that was closed, a frozen machine: the database knew nothing of it when it was asked."""
    kept = connect("13.3")
    configured(grant_deadline=timedelta(seconds=25))  # would still leave time for an answer
    kept.make_due()
    slept: list[float] = []
    real = sending.boottime
    monkeypatch.setattr(sending, "boottime", lambda: real() + sum(slept))
    monkeypatch.setattr(checkpoints, "watcher", lambda point, subject: point == Point.MARKED and slept.append(5))
    assert kept.tend() == "not_sent"
    assert kept.grants() == 0
    assert kept.row.attempts.latest("number").state == "abandoned", "no drain is needed"
    monkeypatch.setattr(checkpoints, "watcher", None)
    kept.lapse()
    kept.make_due()
    assert kept.tend() == "version"
