"""While Sugar thinks, nobody holds a session of the database: a slow customer must not use up the pool."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection

from connections.custody import actions, reports, wire
from tests.custody.conftest import ANA, Connect, Kept, connect, rest, simulator

__all__ = ["connect", "simulator"]
REPORT: dict[str, object] = {"status": 401, "error": "invalid_grant", "error_message": "The access token is invalid."}
GRANT = ("api_respond", "respond", "api_respond")  # pre-flight, grant, verify
Deed = Callable[[Kept], object]


def report_token(kept: Kept) -> object:
    return reports.rejected(kept.public_id, tenants=None, version=1, wait=10, actor="worker", report=REPORT)


def make_due(kept: Kept) -> None:
    kept.make_due()


def kill_token(kept: Kept) -> None:
    kept.sugar.expire_access_tokens("svc")


@pytest.mark.parametrize(
    ("before", "deed", "steps"),
    [
        (None, lambda kept: actions.rotate(kept.public_id, ANA), GRANT),
        (None, lambda kept: actions.sign_in(kept.public_id, ANA), (*GRANT, "api_respond")),
        (None, lambda kept: actions.test(kept.public_id, ANA), ("api_respond", "api_respond", "api_respond")),
        (make_due, lambda kept: kept.tend(), GRANT),
        (None, report_token, ("api_respond",)),
        (kill_token, report_token, ("api_respond", *GRANT)),
    ],
    ids=["rotate", "sign in", "test", "background", "report", "report of a dead one"],
)
def test_no_session_is_held_while_sugar_thinks(
    connect: Connect, on_postgres: bool, before: Deed | None, deed: Deed, steps: tuple[str, ...]
) -> None:
    if not on_postgres:
        pytest.skip("SQLite has no sessions to run out of")
    kept = connect("13.3")
    rest()
    if before is not None:
        before(kept)
    wire.forget_preflights()
    for step in {*steps}:
        kept.sugar.hold(step, count=steps.count(step))
    asker = threading.Thread(target=lambda: (deed(kept), connection.close()))
    asker.start()
    try:
        for step in steps:
            assert kept.sugar.wait_standing() == [step]
            assert held() == 0, step
            kept.sugar.release(step)
    finally:
        kept.sugar.release()
        asker.join()


def held() -> int:
    """Sessions that somebody has out of the pool, once those on their way back have come."""
    connection.close()  # our own
    for _ in range(20):
        told = connection.pool.get_stats()  # type: ignore[attr-defined]  # PostgreSQL's
        out = told["pool_size"] - told["pool_available"]
        if not out:
            return 0
        time.sleep(0.05)
    return int(out)
