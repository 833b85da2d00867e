"""Errors across the fleet: grouped by what is the same, marked by staff, seen by who may."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connections.custody import actions
from connections.custody.failures import fingerprint, shape
from connections.models import Attempt, AuditRow, Connection, FailureMark, database_now
from tests.custody.conftest import ANA, Connect, Kept
from tests.dashboard.conftest import Draft
from tests.dashboard.people import signed_in
from tests.dashboard.test_figures import journal

pytestmark = pytest.mark.django_db


def failed(row: Connection, message: str, *, minutes_ago: int = 1, code: str = "timeout") -> str:
    """A failure as the ledger notes it; its group."""
    attempt = journal(row, database_now() - timedelta(minutes=minutes_ago), state="refused")
    failure = fingerprint(code=code, host=row.host, message=message)
    Attempt.objects.filter(pk=attempt.pk).update(diagnosis_code=code, failure=failure, error_message=message)
    return failure


def listed(client: Client, query: str = "") -> list[str]:
    page = client.get(f"/errors/?{query}").content.decode()
    return re.findall(r'<tr id="f([0-9a-f]{12})"', page)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("You are locked out for 12 minutes", "You are locked out for 3 minutes", True),
        ("Call 5f3e2a1b-aaaa-bbbb-cccc-0123456789ab failed", "call 00000000-aaaa-bbbb-cccc-0123456789ab FAILED", True),
        ("token 0123456789abcdef unknown", "token fedcba9876543210  unknown", True),
        ("Invalid refresh token", "Invalid access token", False),
    ],
)  # fmt: skip
def test_what_varies_in_a_message_parts_no_group(one: str, other: str, is_same: bool) -> None:
    assert (shape(one) == shape(other)) is is_same


def superseded(connect: Connect, label: str) -> Kept:
    kept = connect("13.3", fields={"store_password": False, "label": label})
    kept.sugar.outside_login("svc", "intg")
    kept.make_due()
    kept.tend()
    return kept


def test_two_connections_with_the_same_trouble_on_one_host_are_one_line(connect: Connect) -> None:
    """Driven through the simulator: the ledger writes diagnosis and group on the failed attempt."""
    kept = [superseded(connect, label) for label in ("First", "Second")]
    client = signed_in("viewer")
    assert len(listed(client)) == 1
    page = client.get(f"/errors/{listed(client)[0]}/").content.decode()
    assert "Another sign-in replaced our refresh token" in page
    assert "Invalid refresh token" in page
    assert all(one.public_id in page for one in kept)
    noted = Attempt.objects.exclude(failure="").values_list("diagnosis_code", "fault").order_by().distinct()
    assert list(noted) == [("refresh_token_superseded", "refresh_token_invalid")]


def test_a_grant_that_works_belongs_to_no_group(connect: Connect) -> None:
    kept = connect("13.3")
    actions.rotate(kept.public_id, ANA)
    assert not Attempt.objects.exclude(failure="").exists()
    assert listed(signed_in("viewer")) == []


def test_groups_are_parted_by_diagnosis_host_and_message_and_the_widest_comes_first(draft: Draft) -> None:
    here, there = draft("Here"), draft("There")
    Connection.objects.filter(pk=there.pk).update(host="elsewhere:443")
    there.refresh_from_db()
    wide = failed(here, "slow")
    again = draft("Again", username="other")
    assert failed(again, "slow") == wide
    others = {failed(here, "slower"), failed(there, "slow"), failed(here, "slow", code="server_error")}
    found = listed(signed_in("viewer"))
    assert found[0] == wide
    assert set(found[1:]) == others


def test_the_span_and_the_standing_live_in_the_address(draft: Draft) -> None:
    row = draft()
    fresh, old = failed(row, "fresh"), failed(row, "old", minutes_ago=3 * 1440)
    client = signed_in("operator")
    assert listed(client) == [fresh]
    assert set(listed(client, "span=7d")) == {fresh, old}
    assert listed(client, "span=nonsense&standing=nonsense") == [fresh]
    client.post(f"/errors/{fresh}/mark/", {"span": "", "reason": "SUP-1"})
    assert listed(client) == []
    assert listed(client, "standing=acknowledged") == [fresh]
    assert listed(client, "standing=all") == [fresh]
    assert b"SUP-1" in client.get("/errors/?standing=all").content


def test_a_mark_is_audited_and_taken_back(draft: Draft) -> None:
    failure = failed(draft(), "slow")
    client = signed_in("operator")
    assert client.post(f"/errors/{failure}/mark/", {"span": "1h", "reason": "known"}).status_code == 302
    assert FailureMark.objects.get().standing == "ignored"
    client.post(f"/errors/{failure}/mark/", {"open": "1"})
    client.post(f"/errors/{failure}/mark/", {"open": "1"})
    assert not FailureMark.objects.exists()
    told = list(AuditRow.objects.filter(target=failure).order_by("id").values_list("action", flat=True))
    assert told == ["mark_failure", "open_failure"]


def test_what_is_ignored_comes_back_by_itself(draft: Draft) -> None:
    failure = failed(draft(), "slow")
    client = signed_in("operator")
    client.post(f"/errors/{failure}/mark/", {"span": "1h"})
    assert listed(client) == []
    FailureMark.objects.update(until=database_now())
    assert listed(client) == [failure]


def test_who_only_reads_sees_why_the_button_is_disabled_and_is_refused(draft: Draft) -> None:
    failure = failed(draft(), "slow")
    client = signed_in("viewer")
    page = client.get(f"/errors/{failure}/").content.decode()
    assert "only reads" in page
    assert '<fieldset class="stack" disabled>' in page
    assert client.post(f"/errors/{failure}/mark/", {"span": ""}).status_code == 403
    assert not FailureMark.objects.exists()


def test_a_mangled_mark_is_told_and_keeps_what_was_typed(draft: Draft) -> None:
    failure = failed(draft(), "slow")
    answer = signed_in("operator").post(f"/errors/{failure}/mark/", {"span": "forever", "reason": "my words"})
    assert answer.status_code == 422
    assert b"my words" in answer.content


def test_another_tenants_errors_do_not_exist(draft: Draft) -> None:
    failure = failed(draft("Foreign", tenant="foreign"), "secret words")
    client = signed_in("operator", tenants=("ours",))
    assert listed(client, "standing=all&span=30d") == []
    assert client.get(f"/errors/{failure}/").status_code == 404
    assert client.post(f"/errors/{failure}/mark/", {"span": ""}).status_code == 404
    assert b"Foreign" not in client.get("/overview/").content


@pytest.mark.parametrize("path", ["/errors/?span=30d&standing=all", "group"])
def test_many_groups_cost_as_many_queries_as_few(draft: Draft, path: str) -> None:
    row = draft()
    failure = failed(row, "slow")
    path = f"/errors/{failure}/" if path == "group" else path
    client = signed_in("viewer", tenants=("acme",))
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    for number in range(12):
        failed(draft(f"Other {number}"), f"message {'x' * number}")
        failed(draft(f"Same {number}", username=f"u{number}"), "slow")
    with CaptureQueriesContext(connection) as many:
        assert client.get(path).status_code == 200
    assert len(many) <= len(few) <= 15
