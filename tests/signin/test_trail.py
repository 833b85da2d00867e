"""Coming, going and trying are in the audit."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from connections.custody import audit
from connections.custody.problems import Conflict
from connections.models import AuditRow
from tests.dashboard.people import PASSWORD, person, signed_in
from tests.signin.door import first_step, is_in

pytestmark = pytest.mark.django_db


def rows(**wanted: Any) -> list[tuple[str, str, str, str | None]]:
    found = AuditRow.objects.filter(**wanted).order_by("id")
    return [(row.action, row.actor, row.outcome, row.address) for row in found]


def test_coming_and_going() -> None:
    person("viewer")
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.post("/sign-in/", {"login": "viewer", "password": PASSWORD})
    client.post("/sign-out/")
    assert rows() == [("sign_in", "viewer", "ok", "192.0.2.7"), ("sign_out", "viewer", "ok", "192.0.2.7")]
    assert AuditRow.objects.earliest("id").difference == {"ways": ["password"]}


def test_a_failed_try_names_whom_it_was_about_and_nobody_who_is_not_there() -> None:
    person("viewer")
    first_step("viewer", "canary-wrong")
    first_step("canary-a-password-in-the-wrong-field", "x")
    assert [row[:3] for row in rows()] == [("sign_in", "viewer", "failed"), ("sign_in", "unknown", "failed")]
    told = str(list(AuditRow.objects.values()))
    assert "canary" not in told


def test_a_throttled_try_is_noted_once_a_minute() -> None:
    person("viewer")
    for _ in range(15):
        first_step("viewer", "wrong")
    assert len(rows(outcome="failed")) == 10
    assert rows(outcome="throttled") == [("sign_in", "viewer", "throttled", "127.0.0.1")]


def test_too_many_requests_are_noted_too() -> None:
    for number in range(40):
        response = Client().post("/sign-in/", {"login": f"nobody{number}", "password": "x"})
    assert response.status_code == 429
    assert "Too many tries" in response.content.decode()
    assert len(rows(outcome="throttled")) == 1


def test_confirming_is_noted_whether_right_or_wrong() -> None:
    client = signed_in("admin", proved_ago=301)
    client.post("/sign-in/again/", {"password": "wrong"})
    client.post("/sign-in/again/", {"password": PASSWORD})
    assert [row[:3] for row in rows()] == [("confirm_identity", "admin", "failed"), ("confirm_identity", "admin", "ok")]


def test_the_door_stays_open_while_the_audit_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> bytes:
        raise Conflict("read_only", "no key")

    person("viewer")
    monkeypatch.setattr(audit, "_chain_key", refuse)
    assert is_in(first_step("viewer"))
    assert "cannot be written" in caplog.text
    assert not rows()
