from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Connect, MakeCaller, problem


def test_it_changes_what_is_named_and_nothing_else(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", fields={"external_id": "X", "tags": ["gold"]})
    response = caller().patch(f"connections/{kept.public_id}", {"label": "New", "external_id": None, "tags": []})
    assert response.status_code == 200
    told = response.json()
    assert (told["label"], told["tags"], told["status"]) == ("New", [], "healthy")
    row = kept.row
    assert (row.external_id, row.username, row.version_count) == ("", "svc", 1)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"tenant": "other"}, "tenant"),
        ({"sign_in": True}, "sign_in"),
        ({"status": "healthy"}, "status"),
        ({"label": None}, "label"),
        ({"label": ""}, "label"),
        ({"store_password": None}, "store_password"),
        ({"platform": 7}, "platform"),
    ],
)
def test_a_change_that_is_none_is_named(
    connect: Connect, caller: MakeCaller, fields: dict[str, Any], name: str
) -> None:
    kept = connect("13.3")
    told = problem(caller().patch(f"connections/{kept.public_id}", fields), 422, "invalid")
    assert list(told["errors"]) == [name]


def test_another_user_starts_a_new_chain(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    kept.sugar.user("svc2", "secret2")
    worker = caller()
    told = worker.patch(f"connections/{kept.public_id}", {"username": "svc2"}).json()
    assert told["token"] is None
    assert told["diagnosis"]["code"] == "credentials_missing"
    problem(worker.get(f"connections/{kept.public_id}/token"), 409, "credentials_missing")
    worker.patch(f"connections/{kept.public_id}", {"password": "secret2"})
    assert worker.post(f"connections/{kept.public_id}/sign-in").status_code == 200


def test_no_answer_holds_a_secret(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    secrets = {"password": "canary-password", "client_secret": "canary-client", "refresh_token": "canary-refresh"}
    response = worker.patch(f"connections/{kept.public_id}", secrets)
    assert response.status_code == 200
    shown = response.content + worker.get("connections").content + worker.get("events").content
    assert b"canary" not in shown


def test_a_deleted_connection_is_gone_with_its_session(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    response = worker.delete(f"connections/{kept.public_id}")
    assert response.status_code == 204
    assert "Content-Type" not in response.headers
    assert response.content == b""
    assert kept.live_row() is None
    problem(worker.delete(f"connections/{kept.public_id}"), 404, "not_found")
    problem(worker.get(f"connections/{kept.public_id}"), 404, "not_found")
    problem(worker.get(f"connections/{kept.public_id}/token"), 404, "not_found")
    assert worker.get("connections").json()["items"] == []
