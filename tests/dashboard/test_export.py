"""The list as CSV: exactly what the filter shows to this person, safe to open, never a secret, and noted."""

from __future__ import annotations

import csv
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connections.custody import actions
from connections.dashboard import exporting, queries
from connections.models import AuditRow, Connection
from tests.custody.conftest import ANA
from tests.dashboard.conftest import Draft
from tests.dashboard.people import person, signed_in
from tests.dashboard.test_list import labels, many

pytestmark = pytest.mark.django_db
PATH = "/connections/export.csv"


def text_of(client: Client, query: str = "") -> str:
    response = client.get(f"{PATH}?{query}")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(client, query), newline="")))


def test_it_holds_what_the_filter_shows_on_all_pages_in_their_order(
    draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "ROWS_AT_ONCE", 7)
    many(draft, 60)
    draft("Borealis", tags=["us"])
    client = signed_in("viewer")
    for query in ("", "tag=bulk", "q=acme+00", "status=draft&sort=-name", "tag=us", "q=nobody"):
        found = [row["label"] for row in exported(client, query)]
        assert found[:50] == labels(client, query)
        assert len(found) == {"": 61, "tag=us": 1, "q=nobody": 0}.get(query, 61 if "status" in query else 60)
    monkeypatch.setattr(exporting, "MOST_EXPORTED", 20)
    monkeypatch.setattr(queries, "MOST_COUNTED", 20)
    assert len(exported(client)) == 20
    assert b"The CSV holds at most the first" in client.get("/connections/").content


def test_a_row_says_what_the_list_says_and_no_secret(draft: Draft) -> None:
    row = draft("Acme", tags=["eu", "gold"], contact_email="crm@acme.example", client_secret="canary-secret")
    Connection.objects.filter(pk=row.pk).update(owner=person("operator"), diagnosis_code="timeout")
    client = signed_in("viewer")
    (found,) = exported(client)
    expected = {
        "id": row.public_id, "status": "draft", "tenant": "acme", "label": "Acme", "tags": "eu gold", "username": "svc",
        "owner": "operator", "contact_email": "crm@acme.example", "cause": "timeout", "last_success_at": "",
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    assert "canary" not in text_of(client)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t="])
def test_no_cell_is_a_formula(draft: Draft, start: str) -> None:
    draft("Acme")
    Connection.objects.update(label=f"{start}1+1", external_id=f"{start}2")
    (found,) = exported(signed_in("viewer"))
    assert (found["label"], found["external_id"]) == (f"'{start}1+1", f"'{start}2")


def test_staff_of_one_tenant_take_only_its_connections_out(draft: Draft) -> None:
    draft("Ours", tenant="ours")
    draft("Foreign", tenant="foreign")
    limited = signed_in("admin", tenants=("ours",))
    assert [row["label"] for row in exported(limited)] == ["Ours"]
    assert exported(limited, "tenant=foreign") == exported(limited, "q=foreign") == []


def test_what_was_deleted_is_not_in_it(draft: Draft) -> None:
    actions.delete(draft("Gone").public_id, ANA)
    assert exported(signed_in("viewer")) == []


def test_it_asks_who_it_is_and_is_noted(draft: Draft) -> None:
    draft("Acme")
    asked = signed_in("viewer", proved_ago=400).get(f"{PATH}?q=acme")
    assert (asked.status_code, "next=%2Fconnections%2F%3Fq%3Dacme" in asked.headers["Location"]) == (302, True)
    assert not AuditRow.objects.filter(action="export_connections").exists()
    exported(signed_in("viewer"), "q=acme&status=draft,down&sort=name")
    row = AuditRow.objects.get(action="export_connections")
    assert (row.actor, row.outcome) == ("viewer", "ok")
    assert row.difference == {"q": "acme", "status": "draft,down", "count": 1}
    assert signed_in("").get(PATH).status_code == 403
    assert AuditRow.objects.filter(action="export_connections", outcome="denied").count() == 1
    assert Client().get(PATH).status_code == 302
    assert signed_in("viewer").post(PATH).status_code == 405


def test_its_button_carries_the_filter(draft: Draft) -> None:
    draft("Acme")
    client = signed_in("viewer")
    assert 'href="/connections/export.csv"' in client.get("/connections/").content.decode()
    page = client.get("/connections/?q=acme&sort=name").content.decode()
    assert 'href="/connections/export.csv?q=acme&amp;sort=name"' in page
    assert "export.csv" not in client.get("/connections/?q=nobody").content.decode()


def test_a_portion_costs_as_many_queries_with_fifty_rows_as_with_ten(draft: Draft) -> None:
    client, spent = signed_in("viewer", tenants=("acme",)), []
    for start, count in ((0, 10), (10, 40)):
        many(draft, count, start=start)
        with CaptureQueriesContext(connection) as found:
            exported(client)
        spent.append(len(found))
    assert spent[0] == spent[1]
