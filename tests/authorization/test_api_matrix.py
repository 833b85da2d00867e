"""Every call of the worker API × scope × tenant, from the table of its routes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from connections.api.entrance import Route
from connections.api.views.documents import ALL_ROUTES
from connections.choices import Scope
from connections.models import Connection, Tenant, database_now
from connections.onboarding import api_keys
from tests.authorization.addresses import addresses
from tests.authorization.world import OTHER, OWN, World
from tests.custody.conftest import ANA
from tests.dashboard.people import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.once]
CALLS = [pytest.param(route, id=f"{route.method} {route.path}") for route in ALL_ROUTES]
GUARDED = [call for call in CALLS if call.values[0].scope]  # type: ignore[union-attr]
REFUSED = (401, 403, 404)


def test_every_address_of_the_api_is_in_the_table() -> None:
    known = {f"api/v1/{route.path.replace('{id}', '<str:public_id>')}" for route in ALL_ROUTES}
    rest = {address.route for address in addresses() if address.route.startswith("api/")} - known
    assert rest == {"api/v1", "api/v1/^(?P<rest>.*)$", "api/docs"}


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/", "/api/v1/nothing"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_no_address_of_the_api_is_told_as_a_problem_to_anybody(path: str, method: str) -> None:
    for client in (Client(enforce_csrf_checks=True), signed_in("admin")):
        response = client.generic(method, path)
        assert (response.status_code, response.headers["Content-Type"]) == (404, "application/problem+json")
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json()["code"] == "not_found"


def key(scopes: Sequence[str], *tenants: str) -> str:
    rows = [Tenant.objects.get(slug=slug) for slug in tenants]
    return api_keys.issue("matrix", scopes, ANA, tenants=rows or None).key


def call(route: Route, public_id: str, key: str = "", *, method: str = "") -> HttpResponse:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    path = f"/api/v1/{route.path.replace('{id}', public_id)}"
    body = {"version": 1, "status": 401} if route.name == "rejected" else {}
    if route.name == "create_connection":
        body = {
            "tenant": OWN, "label": "x", "instance_url": "http://127.0.0.1:9/x", "platform": "p", "username": "u",
            "password": "x",
        }  # fmt: skip
    client = Client(raise_request_exception=False)
    return getattr(client, (method or route.method).lower())(
        path, body if route.takes_body else None, content_type="application/json", headers=headers
    )  # type: ignore[no-any-return]


def needed(route: Route) -> str:
    assert route.scope is not None
    return str(route.scope)


@pytest.mark.parametrize("route", GUARDED)
def test_without_a_key_that_is_good_nothing_is_answered(world: World, route: Route) -> None:
    good = key(Scope.values)
    for given in ("", "nonsense", good[:-1], good[:-1] + "~", f"{good}x"):
        assert call(route, world.row.public_id, given).status_code == 401
    staff = signed_in("admin")
    assert staff.generic(route.method, f"/api/v1/{route.path.replace('{id}', world.row.public_id)}").status_code == 401


@pytest.mark.parametrize("route", GUARDED)
def test_every_scope_but_the_one_needed_is_refused_by_its_name(world: World, route: Route) -> None:
    others = [scope for scope in Scope.values if scope != route.scope]
    response = call(route, world.row.public_id, key(others))
    assert response.status_code == 403
    assert response.json()["code"] == "scope_missing"  # type: ignore[attr-defined]
    assert needed(route) in response.json()["detail"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("route", GUARDED)
def test_the_scope_alone_lets_in_for_all_tenants_and_for_the_own(world: World, route: Route) -> None:
    for tenants in ((OWN, OTHER), (OWN,), ()):
        Connection.objects.filter(pk=world.row.pk).update(deleted_at=None, held_at=database_now())  # no grant leaves
        response = call(route, world.row.public_id, key([needed(route)], *tenants))
        assert response.status_code not in REFUSED, response.content
        assert response.status_code < 500 or response.status_code == 503, response.content


@pytest.mark.parametrize("route", GUARDED)
def test_another_tenants_things_do_not_exist(world: World, route: Route) -> None:
    foreign = key([needed(route)], OTHER)
    before = Connection.objects.values().get(pk=world.row.pk)
    there, gone = (_told(call(route, one, foreign)) for one in (world.row.public_id, "c_0000000000"))
    assert there == gone
    if "{id}" in route.path or route.name == "create_connection":
        assert there[0] == 404, there
    else:
        assert there[1]["items"] == []
    assert Connection.objects.values().get(pk=world.row.pk) == before
    assert Connection.objects.count() == 1


def _told(response: HttpResponse) -> tuple[int, Any]:
    return response.status_code, response.json()  # type: ignore[attr-defined]


@pytest.mark.parametrize("route", CALLS)
def test_other_methods_are_not_answered(world: World, route: Route) -> None:
    answered = {one.method for one in ALL_ROUTES if one.path == route.path} | {"HEAD", "OPTIONS"}
    all_scopes = key(Scope.values)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - answered:
        assert call(route, world.row.public_id, all_scopes, method=method).status_code == 405


@pytest.mark.parametrize("path", ["/overview/", "/audit/", "/api-keys/", "/settings/users/"])
def test_a_key_opens_no_page(world: World, path: str) -> None:
    headers = {"Authorization": f"Bearer {key(Scope.values)}"}
    assert Client().get(path, headers=headers).headers["Location"].startswith("/sign-in/")
