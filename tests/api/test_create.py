from __future__ import annotations

import time
from typing import Any

import pytest

from connections.models import AuditRow, Connection
from connections.simulator import SimulatorServer
from tests.api.conftest import FIELDS, Caller, Connect, Kept, MakeCaller


def test_it_creates_a_draft_and_an_unknown_tenant(described: dict[str, Any], caller: MakeCaller) -> None:
    response = caller().post("connections", described | {"tenant": "newcomer", "tags": ["gold"]})
    assert response.status_code == 201
    told = response.json()
    assert list(told) == FIELDS
    assert told["status"] == "draft" and told["tenant"] == "newcomer" and told["tags"] == ["gold"]
    assert response.headers["Location"] == f"/api/v1/connections/{told['id']}"
    assert AuditRow.objects.get(action="create", target=told["id"]).actor == "worker-eu"


def test_it_signs_in_before_it_answers(described: dict[str, Any], caller: MakeCaller) -> None:
    response = caller().post("connections", described | {"sign_in": True})
    assert response.status_code == 201
    assert response.json()["status"] == "healthy"
    assert response.json()["token"]["version"] == 1


def test_it_signs_in_with_a_password_it_does_not_keep(described: dict[str, Any], caller: MakeCaller) -> None:
    response = caller().post("connections", described | {"sign_in": True, "store_password": False})
    assert response.json()["status"] == "healthy"
    assert Connection.objects.get(public_id=response.json()["id"]).password is None


def test_a_failed_sign_in_stores_a_draft_and_says_why(described: dict[str, Any], caller: MakeCaller) -> None:
    response = caller().post("connections", described | {"sign_in": True, "password": "wrong"})
    assert response.status_code == 201
    told = response.json()
    assert told["status"] == "draft" and told["token"] is None
    assert told["diagnosis"]["code"] == "bad_credentials"


def test_an_instance_that_is_away_stores_a_draft_too(
    described: dict[str, Any], caller: MakeCaller, simulator: SimulatorServer
) -> None:
    simulator.control.instance(described["instance_url"].rstrip("/").rpartition("/")[2]).maintenance()
    response = caller().post("connections", described | {"sign_in": True})
    assert response.status_code == 201
    assert response.json()["diagnosis"]["code"] == "maintenance"


def test_a_sign_in_that_takes_too_long_goes_on(
    described: dict[str, Any], caller: MakeCaller, simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sugar = simulator.control.instance(described["instance_url"].rstrip("/").rpartition("/")[2])
    sugar.pace(all=0.05)
    monkeypatch.setattr("connections.custody.actions.MOST_WAIT", 0.01)
    worker = caller()
    response = worker.post("connections", described | {"sign_in": True})
    assert response.status_code == 202
    assert response.json()["status"] == "draft"
    wait_for(worker, response.json()["id"], "healthy")


def wait_for(worker: Caller, public_id: str, status: str) -> None:
    until = time.monotonic() + 10
    while worker.get(f"connections/{public_id}").json()["status"] != status:
        assert time.monotonic() < until
        time.sleep(0.05)


def living_refresh_token(kept: Kept) -> str:
    answer = kept.sugar.outside_login("svc", "intg")
    return str(answer["refresh_token"])


def test_an_adopted_chain_begins_with_a_refresh(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", sign_in=False)
    Connection.objects.all().delete()
    token = living_refresh_token(kept)
    fields = {
        "tenant": "acme",
        "label": "Adopted",
        "instance_url": kept.sugar.url,
        "platform": "intg",
        "username": "svc",
        "refresh_token": token,
        "sign_in": True,
    }
    before = kept.grants("password")
    response = caller().post("connections", fields)
    assert response.status_code == 201, response.content
    assert response.json()["status"] == "healthy"
    assert token not in response.content.decode()
    assert (kept.grants("refresh"), kept.grants("password")) == (1, before)


@pytest.mark.parametrize("is_stored", [True, False], ids=["stored", "used once"])
def test_a_dead_chain_is_not_adopted_but_the_password_serves(
    is_stored: bool, connect: Connect, caller: MakeCaller
) -> None:
    kept = connect("13.3", sign_in=False)
    Connection.objects.all().delete()
    fields = {
        "tenant": "acme",
        "label": "Adopted",
        "instance_url": kept.sugar.url,
        "platform": "intg",
        "username": "svc",
        "refresh_token": "00000000-0000-0000-0000-000000000000",
        "password": "secret",
        "store_password": is_stored,
        "sign_in": True,
    }
    response = caller().post("connections", fields)
    assert response.json()["status"] == "healthy", response.content
    assert (kept.grants("refresh"), kept.grants("password")) == (1, 1)


def test_a_draft_whose_adopted_token_is_dead_waits_for_a_person(described: dict[str, Any], caller: MakeCaller) -> None:
    """The password is stored, but the background never signs in a draft."""
    worker = caller()
    fields = described | {"refresh_token": "00000000-0000-0000-0000-000000000000"}
    public_id = worker.post("connections", fields).json()["id"]
    told = worker.post(f"connections/{public_id}/rotate").json()
    assert told["status"] == 409
    assert told["diagnosis"]["code"] == "refresh_token_superseded"
    assert told["fix_by"] == "staff"
