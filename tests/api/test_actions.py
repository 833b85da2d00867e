from __future__ import annotations

from typing import Any

import pytest

from connections.models import AuditRow
from tests.api.conftest import Connect, MakeCaller, problem
from tests.serving.site import until

GRANTS = ("rotate", "sign-in", "repair")


def test_a_rotation_is_done_and_reported(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    response = caller().post(f"connections/{kept.public_id}/rotate", {"version": 1})
    assert response.status_code == 200
    told = response.json()
    assert list(told) == ["outcome", "version", "rungs", "connection"]
    assert (told["outcome"], told["version"]) == ("done", 2)
    assert told["connection"]["token"]["version"] == 2
    assert [set(rung) for rung in told["rungs"]] == [{"rung", "outcome", "code", "attempt", "version"}]
    assert kept.row.events.filter(actor="worker-eu", kind="refreshed").exists()
    assert AuditRow.objects.filter(action="rotate", actor="worker-eu", actor_kind="key").exists()


@pytest.mark.parametrize("action", ["rotate", "sign-in"])
def test_nothing_is_done_when_the_version_has_moved_on(connect: Connect, caller: MakeCaller, action: str) -> None:
    kept = connect("13.3")
    worker = caller()
    worker.post(f"connections/{kept.public_id}/rotate")
    grants = kept.grants() + kept.grants("password")
    told = worker.post(f"connections/{kept.public_id}/{action}", {"version": 1}).json()
    assert (told["outcome"], told["version"]) == ("unchanged", 2)
    assert kept.grants() + kept.grants("password") == grants


def test_a_sign_in_starts_a_new_chain(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    told = caller().post(f"connections/{kept.public_id}/sign-in").json()
    assert told["outcome"] == "done"
    assert kept.grants("password") == 2


def test_a_sign_in_takes_a_password_that_is_not_stored(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", fields={"store_password": False})
    worker = caller()
    problem(worker.post(f"connections/{kept.public_id}/sign-in"), 409, "credentials_missing")
    response = worker.post(f"connections/{kept.public_id}/sign-in", {"password": "secret"})
    assert response.json()["outcome"] == "done"
    assert kept.row.password is None


def test_a_lock_out_beside_a_living_chain_is_told_with_its_end(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    kept.sugar.lock_out("svc", minutes=20)
    told = problem(worker.post(f"connections/{kept.public_id}/sign-in"), 503, "locked_out")
    assert 1100 < told["retry_after"] <= 1201 and told["retryable"] is True
    kept.sugar.lock_out("svc")
    told = problem(worker.post(f"connections/{kept.public_id}/sign-in"), 409, "locked_out")
    assert "until an admin unlocks it" in told["detail"]
    assert worker.get(f"connections/{kept.public_id}").json()["status"] == "healthy"


def test_a_rotation_of_a_draft_says_what_to_do(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", sign_in=False)
    told = problem(caller().post(f"connections/{kept.public_id}/rotate"), 409, "draft")
    assert told["detail"] == "This connection has never signed in: sign in first."


def test_a_rotation_of_what_has_no_refresh_token_asks_for_a_sign_in(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", sign_in=False)
    kept.sugar.chaos("no_refresh_token")
    worker = caller()
    assert worker.post(f"connections/{kept.public_id}/sign-in").status_code == 200
    assert worker.get(f"connections/{kept.public_id}").json()["status"] == "healthy"
    told = problem(worker.post(f"connections/{kept.public_id}/rotate"), 409, "credentials_missing")
    assert told["detail"] == "Sugar gave no refresh token with this version: sign in instead."
    assert worker.post(f"connections/{kept.public_id}/sign-in").status_code == 200


def test_a_refused_sign_in_is_a_problem_with_its_diagnosis(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", sign_in=False, fields={"password": "wrong"})
    told = problem(caller().post(f"connections/{kept.public_id}/sign-in"), 409, "bad_credentials")
    assert told["diagnosis"]["code"] == "bad_credentials"
    assert told["retryable"] is False
    assert [rung["outcome"] for rung in told["rungs"]] == ["refused"]


def test_a_rotation_during_maintenance_is_worth_another_try(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    kept.sugar.maintenance()
    problem(caller().post(f"connections/{kept.public_id}/rotate"), 503, "maintenance")


def test_a_repair_of_what_is_well_changes_nothing(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    told = caller().post(f"connections/{kept.public_id}/repair").json()
    assert told["outcome"] == "unchanged"
    assert kept.grants() == 0


def test_a_repair_reports_each_rung(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    kept.sugar.delete_rows("svc")
    worker = caller()
    worker.post(f"connections/{kept.public_id}/rotate")
    told = worker.post(f"connections/{kept.public_id}/repair").json()
    assert told["outcome"] == "done"
    assert told["connection"]["status"] == "healthy"
    assert told["rungs"][-1]["rung"] in {"stored_password", "sign_in"}


def test_an_action_that_is_not_over_in_time_goes_on(
    connect: Connect, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = connect("13.3")
    kept.sugar.hold("insert_row")
    original = __import__("connections.custody.actions", fromlist=["report_of"]).report_of
    monkeypatch.setattr(
        "connections.custody.actions.report_of", lambda future, *rest: original(future, *rest[:-1], 0.05)
    )
    try:
        response = caller().post(f"connections/{kept.public_id}/rotate")
        assert response.status_code == 202
        assert response.json()["outcome"] == "running"
        assert response.json()["connection"]["id"] == kept.public_id
    finally:
        kept.sugar.release()
    until(lambda: AuditRow.objects.filter(action="rotate", outcome="ok").exists())
    assert kept.row.version_count == 2


@pytest.mark.parametrize("action", GRANTS)
@pytest.mark.parametrize(("switch", "code"), [("pause", "paused"), ("hold", "held")])
def test_no_grant_leaves_while_staff_said_stop(
    connect: Connect, caller: MakeCaller, action: str, switch: str, code: str
) -> None:
    kept = connect("13.3")
    worker = caller()
    worker.post(f"connections/{kept.public_id}/{switch}")
    told = problem(worker.post(f"connections/{kept.public_id}/{action}"), 409, code)
    assert told["retryable"] is False
    assert kept.grants() + kept.grants("password") == 1


def test_what_is_held_is_not_paused(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", sign_in=False)
    worker = caller()
    worker.post(f"connections/{kept.public_id}/pause")
    worker.post(f"connections/{kept.public_id}/hold")
    told = problem(worker.post(f"connections/{kept.public_id}/pause"), 409, "held")
    assert told["detail"] == "This connection is held: resume it first."
    assert kept.row.events.filter(kind="paused").count() == 1


@pytest.mark.parametrize(("switch", "status"), [("pause", "paused"), ("hold", "paused"), ("resume", "healthy")])
def test_switches_answer_the_connection_and_may_be_done_twice(
    connect: Connect, caller: MakeCaller, switch: str, status: str
) -> None:
    kept = connect("13.3")
    worker = caller()
    for _ in range(2):
        response = worker.post(f"connections/{kept.public_id}/{switch}")
        assert response.status_code == 200
        assert response.json()["id"] == kept.public_id
        assert response.json()["status"] == status


def test_a_test_sends_only_gets_and_says_what_was_asked(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    kept.simulator.control.clear_log()
    response = caller().post(f"connections/{kept.public_id}/test")
    assert response.status_code == 200
    told = response.json()
    assert list(told) == ["checks", "connection"]
    assert [set(check) for check in told["checks"]] == [{"name", "ok", "status", "ms", "detail"}] * 3
    assert all(check["ok"] for check in told["checks"])
    assert {entry["method"] for entry in kept.simulator.control.log(instance=kept.sugar.name)} == {"GET"}


@pytest.mark.parametrize(
    ("action", "body", "names"),
    [
        ("rotate", {"version": "1"}, ["version"]),
        ("rotate", {"version": 0}, ["version"]),
        ("rotate", {"password": "x"}, ["password"]),
        ("sign-in", {"password": 7}, ["password"]),
        ("repair", {"force": True}, ["force"]),
        ("pause", {"until": "tomorrow"}, ["until"]),
        ("test", {"x": None}, ["x"]),
        ("hold", [1], ["body"]),
        ("hold", "null", ["body"]),
        ("hold", "{", ["body"]),
        ("hold", '{"a": NaN}', ["body"]),
        ("hold", b"\xff", ["body"]),
        ("hold", "[" * 100_000, ["body"]),
        ("hold", '{"a": ' + "9" * 5000 + "}", ["body"]),
        ("hold", '{"\\ud800": 1}', ["body"]),
    ],
)
def test_a_body_that_is_none_is_named(
    connect: Connect, caller: MakeCaller, action: str, body: Any, names: list[str]
) -> None:
    kept = connect("13.3")
    told = problem(caller().post(f"connections/{kept.public_id}/{action}", body), 422, "invalid")
    assert list(told["errors"]) == names
    assert kept.row.held_at is None and kept.row.paused_at is None


def test_a_body_over_a_mebibyte_is_too_large(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    fits, over = b" " * 1_048_576, b" " * 1_048_577
    assert worker.post(f"connections/{kept.public_id}/pause", fits).status_code == 200
    problem(worker.post(f"connections/{kept.public_id}/resume", over), 413, "too_large")
    assert kept.row.paused_at is not None


def test_a_mistyped_password_is_no_word_on_the_stored_one(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    for _ in range(3):
        told = problem(
            worker.post(f"connections/{kept.public_id}/sign-in", {"password": "wrong"}), 409, "bad_credentials"
        )
        assert told["detail"] == "Sugar refused the password that was typed; the stored one was not tried."
        shown = worker.get(f"connections/{kept.public_id}").json()
        assert (shown["status"], shown["diagnosis"]) == ("healthy", None)
    assert list(kept.row.attempts.values_list("is_typed_password", flat=True)) == [False, True, True, True]
    assert worker.post(f"connections/{kept.public_id}/sign-in").json()["outcome"] == "done"
    assert not kept.row.attempts.order_by("number").last().is_typed_password


def test_the_stored_password_typed_again_is_the_stored_one(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    kept.sugar.admin_change_password("svc", "changed")
    problem(worker.post(f"connections/{kept.public_id}/sign-in", {"password": "secret"}), 409, "password_stale")
    assert not kept.row.attempts.order_by("number").last().is_typed_password


def test_what_was_mistyped_leaves_an_older_warning_standing(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    kept.sugar.admin_change_password("svc", "changed")
    problem(worker.post(f"connections/{kept.public_id}/sign-in"), 409, "password_stale")
    problem(worker.post(f"connections/{kept.public_id}/sign-in", {"password": "wrong"}), 409, "bad_credentials")
    assert worker.get(f"connections/{kept.public_id}").json()["diagnosis"]["code"] == "password_stale"
