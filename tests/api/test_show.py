from __future__ import annotations

import re

from django.conf import settings

from tests.api.conftest import FIELDS, Connect, MakeCaller

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_a_connection_shows_exactly_this(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", fields={"tags": ["north", "gold"]})
    told = caller().get(f"connections/{kept.public_id}").json()
    assert list(told) == FIELDS
    assert told["id"] == kept.public_id
    assert told["tenant"] == "acme"
    assert told["client_id"] == "sugar"
    assert told["status"] == "healthy"
    assert told["diagnosis"] is None and told["dies_at"] is None
    assert told["tags"] == ["gold", "north"]
    assert set(told["token"]) == {
        "version", "access_expires_at", "refresh_expires_at", "chain_ends_at", "fingerprint",
    }  # fmt: skip
    assert told["token"]["version"] == 1
    for at in (
        told["created_at"],
        told["last_success_at"],
        told["next_refresh_at"],
        told["token"]["access_expires_at"],
    ):
        assert TIME.fullmatch(at)


def test_a_draft_has_no_token_to_show(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", sign_in=False)
    told = caller().get(f"connections/{kept.public_id}").json()
    assert told["status"] == "draft"
    assert told["token"] is None


def test_a_diagnosis_shows_its_evidence_and_links_it(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", fields={"store_password": False})
    kept.sugar.outside_login("svc", "intg")
    kept.make_due()
    kept.tend()
    worker = caller()
    found = worker.get(f"connections/{kept.public_id}").json()["diagnosis"]
    assert list(found) == ["code", "title", "confidence", "cause", "evidence", "fix_by", "fix", "help_url"]
    assert found["help_url"] == f"{settings.SUGARADMIN.base_url}/help/{found['code']}/"
    assert found["fix"] and found["evidence"]
    events = {event["id"]: event for event in worker.events(f"connections/{kept.public_id}/events")}
    for item in found["evidence"]:
        assert set(item) == {"text", "attempt", "event"}
        if item["attempt"]:
            assert events[item["event"]]["attempt"] == item["attempt"]
