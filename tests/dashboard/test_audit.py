"""The audit page: filters in the address, pages by number, the same rows as CSV, only what the reader may see."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connections.custody import audit, audit_proof
from connections.custody.audit import Actor
from connections.dashboard import auditing
from connections.models import AuditRow, Tenant, database_now
from tests.audit_guard import unguarded
from tests.dashboard.conftest import Draft
from tests.dashboard.people import signed_in

pytestmark = pytest.mark.django_db
ANA = Actor(kind="staff", name="ana", address="192.0.2.7")
DAY = datetime(2026, 3, 4, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
def rows(db: None) -> None:
    acme, north = (Tenant.objects.create(slug=slug, name=slug) for slug in ("acme", "north"))
    key = Actor(kind="key", name="worker-eu")
    audit.record(ANA, "edit", at=DAY, target="c_1", tenant=acme, difference={"label": "Acme", "tags": ["eu", "us"]})
    audit.record(key, "rotate", at=DAY + timedelta(seconds=1), target="c_2", tenant=north)
    audit.record(ANA, "create_api_key", at=DAY + timedelta(days=2), target="k1", difference={"secret": None})
    audit.record(ANA, "hold", at=DAY + timedelta(days=3), target="c_2", tenant=north, outcome="denied")


def shown(client: Client, query: str = "") -> list[int]:
    page = client.get(f"/audit/?{query}")
    assert page.status_code == 200
    return [int(number) for number in re.findall(r'<tr id="n(\d+)"', page.content.decode())]


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    response = client.get(f"/audit/export.csv?{query}")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [4, 3, 2, 1]), ("actor=ana", [4, 3, 1]), ("action=rotate", [2]), ("target=c_2", [4, 2]),
        ("tenant=north&outcome=denied", [4]), ("outcome=ok", [3, 2, 1]), ("address=192.0.2.7&action=edit", [1]),
        ("since=2026-03-05", [4, 3, 2]), ("until=2026-03-04", [1]), ("since=2026-03-05&until=2026-03-06", [3, 2]),
        ("since=0001-01-01&until=9999-12-31", [4, 3, 2, 1]), ("since=9999-12-31", []), ("until=0001-01-01", []),
        ("actor=nobody", []), ("since=yesterday&outcome=perhaps&address=x", [4, 3, 2, 1]), ("before=3", [2, 1]),
        ("before=x", [4, 3, 2, 1]), ("actor=%00", [4, 3, 2, 1]), ("before=99999999999999999999", [4, 3, 2, 1]),
    ],
)  # fmt: skip
def test_filters_stand_in_the_address_and_the_csv_holds_the_same_rows(query: str, numbers: list[int]) -> None:
    auditor = signed_in("auditor")
    assert shown(auditor, query) == numbers
    if "before" not in query:
        assert [int(row["number"]) for row in exported(auditor, query)] == numbers


@pytest.mark.usefixtures("rows")
def test_a_row_says_who_did_what_to_what_and_what_changed() -> None:
    page = signed_in("auditor").get("/audit/?target=c_1").content.decode()
    for word in ("ana", "192.0.2.7", "edit", "c_1", "acme", "label", "Acme", "eu, us"):
        assert word in page
    assert exported(signed_in("auditor"), "target=c_1") == [{
        "number": "1", "time": "2026-03-04T23:59:59.000Z", "actor_kind": "staff", "actor": "ana", "action": "edit",
        "tenant": "acme", "target": "c_1", "outcome": "ok", "address": "192.0.2.7",
        "difference": "label: Acme; tags: eu, us",
    }]  # fmt: skip


def test_a_connection_is_called_by_its_name_and_an_action_in_words(draft: Draft) -> None:
    made = draft("Acme EU")
    page = signed_in("auditor").get(f"/audit/?target={made.public_id}").content.decode()
    assert f'<a href="{made.get_absolute_url()}">Acme EU</a>' in page
    assert '<a href="/audit/?action=create" title="create">Create connection</a>' in page


@pytest.mark.usefixtures("rows")
def test_who_is_limited_to_tenants_sees_theirs_alone() -> None:
    limited = signed_in("auditor", tenants=("north",))
    assert shown(limited) == [4, 2]
    assert shown(limited, "tenant=acme") == shown(limited, "target=k1") == shown(limited, "actor=ana&target=c_1") == []
    assert [row["number"] for row in exported(limited)] == ["4", "2"]
    assert "2 rows" in limited.get("/audit/").content.decode()


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("role", ["viewer", "operator"])
@pytest.mark.parametrize("path", ["/audit/", "/audit/export.csv"])
def test_only_auditors_and_admins_read_it(role: str, path: str) -> None:
    response = signed_in(role).get(path)
    assert response.status_code == 403
    assert b"may not see this" in response.content
    denied = AuditRow.objects.filter(actor=role, outcome="denied").values_list("action", flat=True)
    assert list(denied) == (["export_audit"] if path.endswith(".csv") else []), "looking is not noted, taking out is"
    assert b'href="/audit/"' not in signed_in(role).get("/overview/").content
    assert b'href="/audit/"' in signed_in("admin").get("/overview/").content


@pytest.mark.usefixtures("rows")
def test_an_export_asks_who_it_is_and_is_noted_itself() -> None:
    stale = signed_in("auditor", proved_ago=400)
    asked = stale.get("/audit/export.csv?actor=ana")
    assert (asked.status_code, "next=%2Faudit%2F%3Factor%3Dana" in asked.headers["Location"]) == (302, True)
    assert not AuditRow.objects.filter(action="export_audit").exists()
    exported(signed_in("auditor"), "actor=ana")
    row = AuditRow.objects.get(action="export_audit")
    assert (row.actor, row.difference) == ("auditor", {"actor": "ana"})


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_no_cell_of_the_csv_is_a_formula(start: str) -> None:
    poison = f'{start}HYPERLINK("http://evil.example")'
    audit.record(Actor(kind="key", name=poison), "edit", at=database_now(), target=poison, difference={poison: "x"})
    row = exported(signed_in("auditor"))[0]
    for column in ("actor", "target", "difference"):
        assert row[column].startswith("'")


def test_pages_follow_each_other_without_a_gap_while_rows_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "PAGE_SIZE", 3)
    monkeypatch.setattr(auditing, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(auditing, "MOST_EXPORTED", 5)
    for number in range(7):
        audit.record(ANA, "edit", at=database_now(), target=f"c_{number}")
    client = signed_in("auditor")
    first = client.get("/audit/?action=edit").content.decode()
    assert "?action=edit&amp;before=5" in first
    audit.record(ANA, "edit", at=database_now())
    assert shown(client, "action=edit&before=5") == [4, 3, 2]
    assert shown(client, "action=edit&before=2") == [1]
    assert [row["number"] for row in exported(client, "action=edit")] == ["8", "7", "6", "5", "4"]


@pytest.mark.usefixtures("rows")
def test_the_page_says_how_the_last_walk_went() -> None:
    client = signed_in("auditor")
    assert "has not been walked along yet" in client.get("/audit/").content.decode()
    audit_proof.check()
    assert "Chain verified, 4 rows" in client.get("/audit/").content.decode()
    with unguarded():
        AuditRow.objects.filter(pk=2).update(actor="nobody")
    audit_proof.check()
    assert "tampered with: row 2" in client.get("/audit/").content.decode()


def test_a_connection_shows_its_own_audit_to_who_may_read_it(draft: Draft) -> None:
    one, other = draft("Acme"), draft("Borealis")
    path = f"{one.get_absolute_url()}audit/"
    page = signed_in("auditor").get(path).content.decode()
    assert page.count('<tr id="n') == 1
    assert f"/audit/?target={one.public_id}" in page
    assert other.public_id not in page
    assert path in signed_in("auditor").get(one.get_absolute_url()).content.decode()
    assert path not in signed_in("viewer").get(one.get_absolute_url()).content.decode()
    assert signed_in("viewer").get(path).status_code == 403
    assert signed_in("auditor", tenants=("north",)).get(path).status_code == 404


@pytest.mark.usefixtures("rows")
def test_the_number_of_queries_does_not_grow_with_the_rows() -> None:
    client = signed_in("auditor")
    client.get("/audit/")  # what is looked up once in a while is known now
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            client.get("/audit/")
        counts.append(len(queries))
        for _ in range(30):
            audit.record(ANA, "edit", at=database_now(), tenant=Tenant.objects.get(slug="acme"))
    assert counts[0] == counts[1] <= 14
