from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Caller, Connect, Kept, MakeCaller, problem


def listed(worker: Caller, query: str = "") -> list[str]:
    return [item["label"] for item in worker.get(f"connections?{query}").json()["items"]]


@pytest.fixture
def three(connect: Connect) -> list[Kept]:
    fields = (
        {"label": "Alpha", "tags": ["gold"], "external_id": "X-1"},
        {"label": "Beta", "tags": ["gold", "new"]},
        {"label": "Gamma"},
    )
    return [connect("13.3", sign_in=number == 0, fields=each) for number, each in enumerate(fields)]


def test_pages_follow_each_other_without_gap_or_repeat(three: list[Kept], caller: MakeCaller) -> None:
    worker = caller()
    seen, after = [], ""
    while after is not None:
        page = worker.get(f"connections?limit=2{f'&after={after}' if after else ''}").json()
        seen += [item["label"] for item in page["items"]]
        after = page["next"]
    assert seen == ["Alpha", "Beta", "Gamma"]
    first = worker.get("connections?limit=2").json()
    worker.delete(f"connections/{first['items'][1]['id']}")
    assert listed(worker, f"limit=2&after={first['next']}") == ["Gamma"]


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("status=healthy", ["Alpha"]),
        ("status=draft", ["Beta", "Gamma"]),
        ("status=draft,healthy", ["Alpha", "Beta", "Gamma"]),
        ("status=down", []),
        ("tag=gold", ["Alpha", "Beta"]),
        ("tag=gold&status=draft", ["Beta"]),
        ("external_id=X-1", ["Alpha"]),
        ("external_id=x", []),
        ("q=alpha", ["Alpha"]),
        ("q=x-1", ["Alpha"]),
        ("q=svc+gam", ["Gamma"]),
        ("q=127.0.0.1", ["Alpha", "Beta", "Gamma"]),
        ("q=100%25", []),
        ("q=", ["Alpha", "Beta", "Gamma"]),
        ("tenant=acme", ["Alpha", "Beta", "Gamma"]),
        ("tenant=nobody", []),
    ],
)
def test_filters_narrow_the_list(three: list[Kept], caller: MakeCaller, query: str, labels: list[str]) -> None:
    assert listed(caller(), query) == labels


def test_q_finds_by_the_public_id(three: list[Kept], caller: MakeCaller) -> None:
    assert listed(caller(), f"q={three[1].public_id}") == ["Beta"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("after=x", "after"),
        ("after=", "after"),
        ("after=Y18wMDAwMDAwMDAw", "after"),  # well made, of no connection
        ("status=well", "status"),
        ("status=down,well", "status"),
        ("status=", "status"),
        ("stauts=down", "stauts"),
        ("q=%00", "q"),
        ("tag=" + "x" * 51, "tag"),
        ("tag=", "tag"),
        ("tenant=", "tenant"),
        ("external_id=", "external_id"),
        ("external_id=%20", "external_id"),
    ],
)
def test_a_filter_that_is_none_is_named(caller: MakeCaller, query: str, name: str) -> None:
    told = problem(caller().get(f"connections?{query}"), 422, "invalid")
    assert list(told["errors"]) == [name]


def test_a_limited_key_sees_its_own_tenants_alone(three: list[Kept], caller: MakeCaller) -> None:
    worker = caller(tenants=["other"])
    assert listed(worker) == []
    assert listed(caller(tenants=["acme"])) == ["Alpha", "Beta", "Gamma"]
    problem(worker.get("connections?tenant=acme"), 404, "not_found")
    problem(worker.get("connections?tenant=nobody"), 404, "not_found")
    place = caller().get("connections?limit=1").json()["next"]
    problem(worker.get(f"connections?after={place}"), 422, "invalid")


def test_a_page_costs_a_fixed_number_of_queries(
    three: list[Kept], caller: MakeCaller, django_assert_num_queries: Any
) -> None:
    worker = caller()
    worker.get("connections")
    with django_assert_num_queries(3):
        worker.get("connections")
