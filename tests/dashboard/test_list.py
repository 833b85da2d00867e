"""The list: order, filters in the address, pages by key, a constant number of queries."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from connections.custody import actions
from connections.dashboard import queries
from connections.dashboard.paging import place_from, place_of
from connections.dashboard.queries import by_urgency
from connections.dashboard.sorting import read as read_sort
from connections.models import Connection, database_now
from tests.custody.conftest import ANA, Connect
from tests.dashboard.conftest import Draft
from tests.dashboard.people import person, signed_in

pytestmark = pytest.mark.django_db


def labels(client: Client, query: str = "") -> list[str]:
    page = client.get(f"/connections/?{query}").content.decode()
    return re.findall(r'<a class="title" href="/connections/c_[^"]+">([^<]+)</a>', page)


def test_dying_comes_first_then_down_then_the_healthy(connect: Connect) -> None:
    connect("13.3", fields={"label": "Well"})
    down = connect("13.3", fields={"label": "Down", "store_password": False})
    down.sugar.outside_login("svc", "intg")
    dying = connect("7.1", fields={"label": "Dying", "store_password": False})
    dying.sugar.delete_rows("svc")
    for one in (down, dying):
        one.make_due()
        one.tend()
    assert labels(signed_in("viewer")) == ["Dying", "Down", "Well"]


def test_filters_narrow_and_stay_in_the_controls(draft: Draft) -> None:
    draft("Acme", tags=["eu", "gold"])
    draft("Borealis", tags=["us"], tenant="north")
    actions.pause(draft("Contoso", username="other").public_id, ANA)
    client = signed_in("viewer")
    assert labels(client, "tag=eu") == ["Acme"]
    assert labels(client, "tenant=north") == ["Borealis"]
    assert labels(client, "q=OTHER") == ["Contoso"]
    assert labels(client, "status=paused") == ["Contoso"]
    assert labels(client, "status=paused,draft&q=o&host=127.0.0.1") == ["Contoso", "Borealis"]
    assert labels(client, "cause=timeout") == []
    page = client.get("/connections/?status=paused&q=other").content.decode()
    assert 'value="other"' in page
    assert re.search(r'name="status" value="paused" checked', page)
    assert 'href="?q=other"' in page, "taking the status off keeps the search"


@pytest.mark.parametrize(
    "query",
    ["status=nonsense", "cause=nonsense", "after=nonsense", "after=WzEsMl0", "before=x", "sort=nonsense", "sort=-"],
)
def test_a_mangled_address_still_shows_the_list(draft: Draft, query: str) -> None:
    draft("Acme")
    assert labels(signed_in("viewer"), query) == ["Acme"]


@pytest.mark.parametrize("text", ["", "e30", "WyIwIiwgInRvZGF5IiwgIiIsIDFd", "WzAsIjE5NzAtMDEtMDEiLCIiLDFd"])
def test_what_is_no_place_is_none(text: str) -> None:
    assert place_from(text) is None


def test_staff_of_one_tenant_see_only_its_connections(draft: Draft) -> None:
    draft("Ours", tenant="ours")
    draft("Foreign", tenant="foreign")
    client = signed_in("admin", tenants=("ours",))
    assert labels(client) == ["Ours"]
    for path in ("/connections/", "/overview/", "/connections/new/"):
        assert b"oreign" not in client.get(path).content


def test_pages_follow_each_other_without_gap_or_repetition(draft: Draft) -> None:
    many(draft, 120)
    client = signed_in("viewer")
    seen = walked(client, "tag=bulk")
    assert seen == sorted(seen)
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize(
    "sort", ["name", "-name", "access_expires", "-access_expires", "last_success", "-last_success"]
)
def test_each_order_is_walked_without_gap_or_repetition(draft: Draft, sort: str) -> None:
    """Rows that are alike in the key, and rows that have nothing in it, fall across the edges of pages."""
    many(draft, 120)
    now = database_now()
    for number, row in enumerate(Connection.objects.order_by("label")[:90]):
        at = now + timedelta(minutes=number // 60)
        dead = now - timedelta(days=1) if number % 45 == 7 else None
        Connection.objects.filter(pk=row.pk).update(access_expires_at=at, access_dead_at=dead, last_success_at=at)
    seen = walked(signed_in("viewer"), f"tag=bulk&sort={sort}")
    assert seen == expected(sort)
    assert len(set(seen)) == 120


def expected(sort: str) -> list[str]:
    """What has nothing comes last, whichever way round; what is alike stands by name."""
    rows = list(Connection.objects.order_by("label"))
    if sort.endswith("name"):
        return [row.label for row in (rows if sort == "name" else reversed(rows))]

    def moment(row: Connection) -> Any:
        return row.last_success_at if "success" in sort else row.access_dead_at or row.access_expires_at

    known = sorted((row for row in rows if moment(row)), key=moment, reverse=sort.startswith("-"))
    return [row.label for row in known] + [row.label for row in rows if not moment(row)]


def walked(client: Client, query: str) -> list[str]:
    seen: list[str] = []
    while query:
        seen += labels(client, query)
        query = leads(client, query, "next")
    return seen


def leads(client: Client, query: str, to: str) -> str:
    """The query of the page before or after this one, empty where there is none."""
    found = re.search(rf'rel="{to}" href="\?([^"]+)"', client.get(f"/connections/?{query}").content.decode())
    return found[1].replace("&amp;", "&") if found else ""


@pytest.mark.parametrize("sort", ["", "name", "-name", "-last_success"])
def test_the_way_back_shows_the_same_pages(draft: Draft, sort: str) -> None:
    many(draft, 120)
    client, there = signed_in("viewer"), [f"tag=bulk&sort={sort}"]
    while following := leads(client, there[-1], "next"):
        there.append(following)
    assert len(there) == 3
    back = leads(client, there[2], "prev")
    assert labels(client, back) == labels(client, there[1])
    assert leads(client, back, "next")
    first = leads(client, back, "prev")
    assert labels(client, first) == labels(client, there[0])
    assert leads(client, first, "prev") == "", "it is the first one"
    assert labels(client, leads(client, first, "next")) == labels(client, there[1])


def test_a_way_back_that_became_short_shows_a_whole_first_page(draft: Draft) -> None:
    many(draft, 60)
    client = signed_in("viewer")
    back = leads(client, leads(client, "tag=bulk", "next"), "prev")
    Connection.objects.filter(label__lt="Acme 0005").delete()
    assert len(labels(client, back)) == 50


def test_the_heads_of_the_columns_sort_and_say_how_it_is_sorted(draft: Draft) -> None:
    draft("Acme")
    client = signed_in("viewer")
    page = client.get("/connections/?q=acme").content.decode()
    assert re.findall(r'aria-sort="(\w+)"><a class="sort" href="([^"]*)"', page) == [("other", "?q=acme")]
    assert 'href="?q=acme&amp;sort=name"' in page
    turned = client.get("/connections/?q=acme&sort=name").content.decode()
    heads = re.findall(r'aria-sort="(\w+)"><a class="sort" href="([^"]*)"', turned)
    assert heads == [("ascending", "?q=acme&amp;sort=-name")]
    assert '<option value="name" selected>' in turned
    assert 'href="?sort=name">Clear all' in turned
    assert 'aria-sort="descending"' in client.get("/connections/?sort=-name").content.decode()


@pytest.mark.parametrize("sort", ["name", "last_success"])
def test_a_place_of_another_order_is_none(draft: Draft, sort: str) -> None:
    draft("Acme")
    row = by_urgency(None)[0]
    assert place_from(place_of(row), read_sort(sort)) is None
    assert labels(signed_in("viewer"), f"sort={sort}&after={place_of(row)}") == ["Acme"]


def test_mine_are_those_i_own_whoever_opens_the_address(draft: Draft) -> None:
    for name in ("operator", "viewer"):
        Connection.objects.filter(pk=draft(f"Of the {name}", username=name).pk).update(owner=person(name))
    draft("Of nobody", username="nobody")
    for name in ("operator", "viewer"):
        client = signed_in(name)
        assert labels(client, "owner=me") == [f"Of the {name}"]
        assert labels(client, "owner=operator") == ["Of the operator"]
        assert labels(client, "owner=nobody-of-this-name") == []
    page = signed_in("viewer").get("/connections/?owner=me").content.decode()
    assert "Owner: <strong>me</strong>" in page
    assert re.search(r'name="owner" value="me"', page)


def test_every_word_of_a_search_occurs_somewhere_in_whatever_order(draft: Draft) -> None:
    draft("Acme: orders to ERP")
    draft("Acme: leads", username="other")
    client = signed_in("viewer")
    assert labels(client, "q=acme+orders") == labels(client, "q=SVC+erp++acme") == ["Acme: orders to ERP"]
    assert labels(client, "q=acme") == ["Acme: leads", "Acme: orders to ERP"]
    assert labels(client, "q=acme+nothing") == labels(client, "q=orders+leads") == []
    many_words = "+".join(["acme", "orders", "to", "erp"] * 40)
    assert labels(client, f"q={many_words}") == []


def test_a_contact_is_found_by_name_and_by_address(draft: Draft) -> None:
    draft("Acme", contact_name="Sam Carter", contact_email="crm@acme.example")
    draft("Borealis", username="other")
    client = signed_in("viewer")
    assert labels(client, "q=carter") == labels(client, "q=crm@acme") == ["Acme"]
    assert "Sam Carter" in client.get("/connections/").content.decode()


def test_who_could_own_something_is_told_to_those_who_share_a_tenant(draft: Draft) -> None:
    draft("Ours", tenant="ours")
    draft("Foreign", tenant="foreign")
    person("operator", tenants=("foreign",))
    page = signed_in("viewer", tenants=("ours",)).get("/connections/").content.decode()
    assert "operator_of_foreign" not in page
    assert '<option value="viewer_of_ours">' in page


def test_a_page_that_is_just_full_leads_to_no_empty_one(draft: Draft) -> None:
    many(draft, 50)
    page = signed_in("viewer").get("/connections/").content.decode()
    assert 'rel="next"' not in page
    many(draft, 1, start=50)
    assert 'rel="next"' in signed_in("viewer").get("/connections/").content.decode()


def test_more_than_are_counted_match_only_what_was_asked_for(draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST_COUNTED", 1)
    many(draft, 3)
    client = signed_in("viewer")
    assert b"more than 1 connections" in client.get("/connections/").content
    assert b"more than 1 match" in client.get("/connections/?tag=bulk").content


@pytest.mark.parametrize("path", ["/connections/", "/connections/?status=draft&q=acme&tag=bulk", "/overview/"])
def test_sixty_rows_cost_as_many_queries_as_ten(
    draft: Draft, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in("viewer", tenants=("acme",))
    many(draft, 10)
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    many(draft, 50, start=10)
    with django_assert_num_queries(len(few)):
        client.get(path)
    assert len(few) <= 15


@pytest.mark.parametrize("tab", ["", "timeline/", "tokens/", "attempts/", "settings/", "actions/rotate/"])
def test_a_page_of_a_connection_costs_at_most_fifteen_queries(draft: Draft, tab: str) -> None:
    path = draft().get_absolute_url() + tab
    client = signed_in("admin", tenants=("acme",))
    with CaptureQueriesContext(connection) as spent:
        assert client.get(path).status_code == 200
    assert len(spent) <= 15


def many(draft: Draft, count: int, *, start: int = 0) -> None:
    """Copies of one described connection, with a tag each."""
    model = Connection.objects.filter(label="Acme 0000").first() or draft("Acme 0000", tags=["bulk"])
    for number in range(max(start, 1), start + count):
        row = Connection.objects.get(pk=model.pk)
        own: dict[str, Any] = {"pk": None, "public_id": f"c_{number:010d}", "label": f"Acme {number:04d}"}
        for name, value in {**own, "username": f"svc{number}", "created_at": database_now()}.items():
            setattr(row, name, value)
        row._state.adding = True
        row.save()
        row.tags.create(name="bulk")
