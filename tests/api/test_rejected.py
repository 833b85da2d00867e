from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from connections.models import Attempt, DatabaseLater, DatabaseNow, Event, TokenVersion
from tests.api.conftest import Connect, MakeCaller, problem


def address(public_id: str, query: str = "") -> str:
    return f"connections/{public_id}/token/rejected{query}"


def test_a_token_that_sugar_still_accepts_is_verified(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller("token:read")
    told = worker.post(address(kept.public_id), {"version": 1, "status": 401, "error": "invalid_grant"}).json()
    assert told["verified"] is True
    assert told["version"] == 1
    assert kept.grants() == 0


def test_a_dead_token_is_replaced_once_for_many(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    kept.sugar.expire_access_tokens("svc")
    worker = caller("token:read")
    worker.get("connections")
    barrier = threading.Barrier(8)

    def report(_: int) -> dict[str, Any]:
        barrier.wait()
        try:
            return worker.post(address(kept.public_id), {"version": 1, "wait": 20}).json()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(report, range(8)))
    assert {answer.get("version") for answer in answers} == {2}, [one.get("detail") for one in answers]
    assert "verified" not in answers[0]
    assert kept.grants() == 1


def test_an_impatient_worker_does_not_end_the_wait_of_a_patient_one(connect: Connect, caller: MakeCaller) -> None:
    """Both wait in one process for the ping of another; the first to come looks for both, until its time is up."""
    kept = connect("13.3")
    worker = caller("token:read")
    live = TokenVersion.objects.filter(connection=kept.row)
    live.update(ping_taken_until=DatabaseLater(seconds=20))
    answers: dict[float, dict[str, Any]] = {}

    def report(wait: float) -> None:
        answers[wait] = worker.post(address(kept.public_id), {"version": 1, "wait": wait}).json()
        connection.close()

    threads = [threading.Thread(target=report, args=(wait,)) for wait in (0.6, 10)]
    for thread in threads:
        thread.start()
        time.sleep(0.2)
    threads[0].join()
    assert answers == {0.6: {**answers[0.6], "status": 503, "code": "busy"}}
    live.update(pinged_at=DatabaseNow(), ping_taken_until=None)
    threads[1].join()
    assert answers[10]["verified"] is True


def test_a_newer_version_is_the_answer(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    worker.post(f"connections/{kept.public_id}/rotate")
    grants = kept.grants()
    told = worker.post(address(kept.public_id), {"version": 1}).json()
    assert told["version"] == 2
    assert "verified" not in told
    assert kept.grants() == grants


def test_words_of_the_worker_are_kept_without_tokens(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    text = "no good: 0123abcd-0123-4567-89ab-0123456789ab\n" + "x y " * 2000
    response = caller().post(
        address(kept.public_id), {"version": 1, "status": 401, "error": "invalid_grant", "error_message": text}
    )
    assert response.status_code == 200
    report = Attempt.objects.get(connection=kept.row, trigger="report").report
    assert len(str(report)) < 2200
    assert "0123abcd-" not in str(report) and "\\n" not in str(report)
    assert "no good" in report["error_message"]


@pytest.mark.parametrize(
    "courtesy",
    [{"status": "401"}, {"error": 7}, {"error_message": ["x"]}, {"error_message": "nul\x00x"}, {"error": "\ud800"}],
    ids=["status", "number", "list", "zero", "surrogate"],
)
def test_a_report_counts_whatever_stands_beside_its_version(
    connect: Connect, caller: MakeCaller, courtesy: dict[str, Any]
) -> None:
    kept = connect("13.3")
    told = caller().post(f"connections/{kept.public_id}/token/rejected", {"version": 1, **courtesy}).json()
    assert told["verified"] is True


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (None, ["version"]),
        ({}, ["version"]),
        ({"version": 2}, ["version"]),
        ({"version": 0}, ["version"]),
        ({"version": "1"}, ["version"]),
        ({"version": True}, ["version"]),
        ({"version": 1.0}, ["version"]),
        ({"version": 10**30}, ["version"]),
        ({"version": 1, "wait": -1}, ["wait"]),
        ({"version": 1, "wait": True}, ["wait"]),
        ({"version": 1, "other": 1}, ["other"]),
    ],
)
def test_a_report_that_is_none_is_named(
    connect: Connect, caller: MakeCaller, body: dict[str, Any] | None, names: list[str]
) -> None:
    kept = connect("13.3")
    told = problem(caller().post(address(kept.public_id), body), 422, "invalid")
    assert list(told["errors"]) == names


def test_wait_is_read_from_the_address_too(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    problem(worker.post(address(kept.public_id, "?wait=x"), {"version": 1}), 422, "invalid")
    assert worker.post(address(kept.public_id, "?wait=1"), {"version": 1}).status_code == 200


def test_the_history_says_what_the_worker_met_in_a_whole_sentence(connect: Connect, caller: MakeCaller) -> None:
    plain, told = connect("13.3"), connect("13.3")
    worker = caller()
    worker.post(address(plain.public_id), {"version": 1})
    worker.post(address(told.public_id), {"version": 1, "status": 401, "error": "invalid_grant"})
    summaries = [Event.objects.get(connection=kept.row, kind="reported").summary for kept in (plain, told)]
    assert summaries == [
        "A worker was refused with version 1.",
        "A worker was refused with version 1: 401 invalid_grant.",
    ]


def test_a_name_given_twice_is_not_guessed_at(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    response = caller().post(address(kept.public_id), '{"version": 1, "wait": 1, "version": 2}')
    assert problem(response, 422, "invalid")["errors"] == {"version": ["This is named twice."]}
