from __future__ import annotations

import hashlib
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from connections.models import Connection, IdempotentCall
from tests.api.conftest import Connect, MakeCaller, problem


def test_a_creation_sent_again_is_answered_again(described: dict[str, Any], caller: MakeCaller) -> None:
    worker = caller()
    first = worker.post("connections", described, Idempotency_Key="k1")
    again = worker.post("connections", described, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Content-Type"] == "application/json"
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Connection.objects.count() == 1


@pytest.mark.parametrize("action", ["rotate", "sign-in"])
def test_a_grant_sent_again_is_not_made_again(connect: Connect, caller: MakeCaller, action: str) -> None:
    kept = connect("13.3")
    worker = caller()
    answers = [worker.post(f"connections/{kept.public_id}/{action}", Idempotency_Key="k").json() for _ in range(3)]
    assert answers[0]["outcome"] == "done"
    assert answers[1] == answers[2] == answers[0]
    assert kept.grants() + kept.grants("password") == 2


def test_a_refused_password_is_not_tried_again(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", sign_in=False, fields={"password": "wrong"})
    worker = caller()
    for _ in range(3):
        response = worker.post(f"connections/{kept.public_id}/sign-in", Idempotency_Key="k")
        problem(response, 409, "bad_credentials")
    assert kept.grants("password") == 1


def test_what_time_heals_is_tried_again(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    kept.sugar.maintenance()
    worker = caller()
    problem(worker.post(f"connections/{kept.public_id}/rotate", Idempotency_Key="k"), 503, "maintenance")
    kept.sugar.maintenance(False)
    assert worker.post(f"connections/{kept.public_id}/rotate", Idempotency_Key="k").json()["outcome"] == "done"


def test_bad_input_can_be_mended_under_the_same_key(described: dict[str, Any], caller: MakeCaller) -> None:
    worker = caller()
    problem(worker.post("connections", described | {"platform": "a b"}, Idempotency_Key="k"), 422, "invalid")
    assert worker.post("connections", described, Idempotency_Key="k").status_code == 201


def test_another_body_or_address_under_the_key_is_refused(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    worker.post(f"connections/{kept.public_id}/rotate", {"version": 1}, Idempotency_Key="k")
    for path, body in (("rotate", {"version": 2}), ("rotate", None), ("sign-in", {"version": 1})):
        told = problem(worker.post(f"connections/{kept.public_id}/{path}", body, Idempotency_Key="k"), 422, "invalid")
        assert list(told["errors"]) == ["Idempotency-Key"]
    assert kept.grants() == 1


def test_the_key_belongs_to_one_api_key(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    for name in ("one", "two"):
        response = caller(name=name).post(f"connections/{kept.public_id}/rotate", Idempotency_Key="k")
        assert response.json()["outcome"] == "done"
    assert kept.grants() == 2


def test_a_call_still_running_is_not_joined(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    kept.sugar.hold("insert_row")
    answers: list[Any] = []

    def first() -> None:
        try:
            answers.append(worker.post(f"connections/{kept.public_id}/rotate", Idempotency_Key="k"))
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    try:
        kept.sugar.wait_standing()
        told = problem(worker.post(f"connections/{kept.public_id}/rotate", Idempotency_Key="k"), 409, "busy")
        assert told["retryable"] is True
    finally:
        kept.sugar.release()
        thread.join()
    assert answers[0].json()["outcome"] == "done"
    assert worker.post(f"connections/{kept.public_id}/rotate", Idempotency_Key="k").json() == answers[0].json()


@pytest.mark.parametrize(("age", "status"), [(timedelta(seconds=121), 200), (timedelta(seconds=100), 409)])
def test_a_call_whose_process_died_blocks_for_minutes_not_for_a_day(
    connect: Connect, caller: MakeCaller, age: timedelta, status: int
) -> None:
    kept = connect("13.3")
    worker = caller()
    worker.post(f"connections/{kept.public_id}/pause", Idempotency_Key="k")
    IdempotentCall.objects.update(status=None, answer=None)
    row = IdempotentCall.objects.get()
    IdempotentCall.objects.update(created_at=row.created_at - age)
    assert worker.post(f"connections/{kept.public_id}/pause", Idempotency_Key="k").status_code == status


def test_after_a_day_the_key_is_new(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    worker.post(f"connections/{kept.public_id}/rotate", Idempotency_Key="k")
    row = IdempotentCall.objects.get()
    IdempotentCall.objects.update(created_at=row.created_at - timedelta(hours=24, seconds=1))
    told = worker.post(f"connections/{kept.public_id}/rotate", {"version": 2}, Idempotency_Key="k").json()
    assert (told["outcome"], told["version"]) == ("done", 3)


def test_an_error_of_ours_leaves_the_key_free(
    connect: Connect, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = connect("13.3")
    worker = caller()
    with monkeypatch.context() as patched:
        patched.setattr("connections.custody.actions.edits.pause", lambda *_: 1 / 0)
        problem(worker.post(f"connections/{kept.public_id}/pause", Idempotency_Key="k"), 500, "unknown")
    assert worker.post(f"connections/{kept.public_id}/pause", Idempotency_Key="k").status_code == 200


@pytest.mark.parametrize("name", ["", " ", "x" * 256, "tab\there"])
def test_a_key_that_is_none_is_named(connect: Connect, caller: MakeCaller, name: str) -> None:
    kept = connect("13.3")
    told = problem(caller().post(f"connections/{kept.public_id}/pause", Idempotency_Key=name), 422, "invalid")
    assert list(told["errors"]) == ["Idempotency-Key"]


def test_neither_password_nor_its_plain_hash_is_kept(described: dict[str, Any], caller: MakeCaller) -> None:
    caller().post("connections", described, Idempotency_Key="k")
    row = IdempotentCall.objects.get()
    assert "secret" not in str(row.answer)
    plain = hashlib.sha256(f"POST /api/v1/connections\n{json.dumps(described)}".encode()).hexdigest()
    assert row.body_hash != plain


def test_a_token_is_never_kept(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    for _ in range(2):
        response = worker.post(f"connections/{kept.public_id}/token/rejected", {"version": 1}, Idempotency_Key="k")
        assert response.status_code == 200
    worker.get(f"connections/{kept.public_id}/token", Idempotency_Key="k")
    assert not IdempotentCall.objects.exists()
