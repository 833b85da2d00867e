"""Who may call what, for every call there is: made from the table, so that a new call is tested or the suite fails."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from connections.api.contract import openapi
from connections.api.entrance import Entrance, Route
from connections.api.views.documents import ALL_ROUTES
from connections.choices import Scope
from connections.models import Connection, Event
from tests.api.conftest import Connect, MakeCaller, problem

pytestmark = pytest.mark.once
# Section 6 of the design, as a caller reads it: method, address, scope.
CONTRACT = {
    ("GET", "/connections/{id}/token"): "token:read",
    ("POST", "/connections/{id}/token/rejected"): "token:read",
    ("GET", "/connections"): "connections:read",
    ("GET", "/connections/{id}"): "connections:read",
    ("POST", "/connections"): "connections:write",
    ("PATCH", "/connections/{id}"): "connections:write",
    ("DELETE", "/connections/{id}"): "connections:write",
    ("POST", "/connections/{id}/test"): "connections:write",
    ("POST", "/connections/{id}/rotate"): "connections:write",
    ("POST", "/connections/{id}/sign-in"): "connections:write",
    ("POST", "/connections/{id}/repair"): "connections:write",
    ("POST", "/connections/{id}/pause"): "connections:write",
    ("POST", "/connections/{id}/resume"): "connections:write",
    ("POST", "/connections/{id}/hold"): "connections:write",
    ("GET", "/connections/{id}/events"): "events:read",
    ("GET", "/events"): "events:read",
    ("GET", "/openapi.json"): None,
}
GUARDED = [route for route in ALL_ROUTES if route.scope is not None]
OF_ONE = [route for route in GUARDED if "{id}" in route.path]
SOMEBODY = "c_0123456789"


def address(route: Route, public_id: str = SOMEBODY) -> str:
    return route.path.replace("{id}", public_id)


def body(route: Route) -> dict[str, Any] | None:
    """Good enough to be carried out, were it allowed."""
    if route.name == "rejected":
        return {"version": 1}
    if route.name == "create_connection":
        return {
            "tenant": "other",
            "label": "x",
            "instance_url": "https://sugar.example.com",
            "platform": "intg",
            "username": "svc",
            "password": "secret",
        }
    return {"label": "y"} if route.name == "edit_connection" else None


def test_the_contract_is_complete_and_nothing_is_there_beside_it() -> None:
    routed = {(route.method, f"/{route.path}"): route.scope for route in ALL_ROUTES}
    assert routed == CONTRACT
    document = openapi(ALL_ROUTES, server="https://s.example.com", version="1")
    documented = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item if method != "parameters"
    }
    assert documented == set(CONTRACT)


def test_every_address_below_the_api_is_an_entrance() -> None:
    """Nothing is reachable that does not check keys: but for the catch-all, which answers 404."""
    api = next(found for found in get_resolver().url_patterns if str(found.pattern) == "api/v1/")
    views = [found.callback for found in api.url_patterns]
    assert all(isinstance(view, Entrance) for view in views[:-1])
    served = {(route.method, route.name) for view in views[:-1] for route in view.routes.values()}
    assert served == {(route.method, route.name) for route in ALL_ROUTES}


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.name)
def test_nobody_gets_in_without_a_key(route: Route, caller: MakeCaller) -> None:
    response = Client().generic(route.method, f"/api/v1/{address(route)}")
    problem(response, 401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="sugaradmin"'


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.name)
def test_a_key_with_every_other_scope_is_told_which_one_it_lacks(route: Route, caller: MakeCaller) -> None:
    others = [scope for scope in Scope.values if scope != route.scope]
    response = caller(*others).send(route.method, address(route), body(route))
    told = problem(response, 403, "scope_missing")
    assert str(route.scope) in told["detail"]
    assert f'scope="{route.scope}"' in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("route", OF_ONE, ids=lambda route: route.name)
def test_another_tenants_connection_is_not_there(route: Route, connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    events = Event.objects.count()
    worker = caller(str(route.scope), tenants=["other"])
    foreign = worker.send(route.method, address(route, kept.public_id), body(route))
    unknown = worker.send(route.method, address(route), body(route))
    assert problem(foreign, 404, "not_found") == problem(unknown, 404, "not_found")
    assert Event.objects.count() == events
    assert kept.row.status == "healthy"


@pytest.mark.parametrize("route", OF_ONE, ids=lambda route: route.name)
def test_the_same_key_may_do_it_with_its_own_tenant(route: Route, connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller(str(route.scope), tenants=["acme"])
    response = worker.send(route.method, address(route, kept.public_id), body(route))
    assert response.status_code in route.answers, response.content


@pytest.mark.parametrize("public_id", ["c_%00123456789", "c_ILOU012345", "1", "c_0123456789x", "%ff%fe", "x" * 3000])
@pytest.mark.parametrize("route", OF_ONE, ids=lambda route: route.name)
def test_an_id_that_is_none_is_not_found(route: Route, public_id: str, caller: MakeCaller) -> None:
    problem(caller().send(route.method, address(route, public_id), body(route)), 404, "not_found")


PATHS = sorted({route.path for route in ALL_ROUTES})
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"]


@pytest.mark.parametrize(("path", "method"), list(itertools.product(PATHS, METHODS)))
def test_a_method_that_does_nothing_here_is_405_and_says_what_does(path: str, method: str, caller: MakeCaller) -> None:
    allowed = {route.method for route in ALL_ROUTES if route.path == path}
    if method in allowed:
        return
    response = caller().send(method, path.replace("{id}", SOMEBODY))
    problem(response, 405, "invalid")
    told = set(response.headers["Allow"].split(", "))
    assert told == allowed | {"OPTIONS"} | ({"HEAD"} if "GET" in allowed else set())


@pytest.mark.parametrize("path", PATHS)
def test_options_tells_the_methods_and_needs_no_key(path: str) -> None:
    response = Client().options(f"/api/v1/{path.replace('{id}', SOMEBODY)}")
    assert response.status_code == 204
    assert "OPTIONS" in response.headers["Allow"]
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["", "nothing", "connections/", f"connections/{SOMEBODY}/", "token", "../admin"])
def test_an_address_that_is_none_is_a_problem_too(path: str, caller: MakeCaller) -> None:
    problem(caller().get(path), 404, "not_found")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer nonsense",
        "Basic c2dhXw==",
        "Bearer sga_00000000_" + "A" * 43,
        "Bearer sga_00000000_" + "\u00e9" * 43,
        "Bearer sga__" + "A" * 43,
        "sga_00000000_" + "A" * 43,
    ],
)
def test_what_is_no_key_opens_nothing(header: str, transactional_db: None) -> None:
    response = Client().get("/api/v1/connections", headers={"Authorization": header})
    problem(response, 401, "unauthorized")
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_the_right_prefix_with_a_wrong_secret_opens_nothing(caller: MakeCaller) -> None:
    worker = caller()
    assert worker.get("connections").status_code == 200
    worker.key = worker.key[:-1] + ("A" if worker.key[-1] != "A" else "B")
    problem(worker.get("connections"), 401, "unauthorized")


def test_an_expired_key_opens_nothing(caller: MakeCaller) -> None:
    from connections.models import database_now

    problem(caller(expires_at=database_now()).get("connections"), 401, "unauthorized")


def test_the_scheme_is_read_without_case(caller: MakeCaller) -> None:
    worker = caller()
    response = Client().get("/api/v1/connections", headers={"Authorization": f"bearer  {worker.key}"})
    assert response.status_code == 200


def test_an_error_of_ours_says_nothing_of_itself(
    connect: Connect, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("canary-9f3a")

    kept = connect("13.3")
    monkeypatch.setattr("connections.custody.handout.token", broken)
    response = caller().get(f"connections/{kept.public_id}/token")
    told = problem(response, 500, "unknown")
    assert "canary" not in response.content.decode()
    assert told["retryable"] is False
    assert response.headers["X-Request-Id"]


def test_a_database_that_is_away_is_worth_another_try(
    connect: Connect, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def away(*_: object, **__: object) -> None:
        raise OperationalError("connection to server at 10.0.0.1 failed: password canary")

    kept = connect("13.3")
    monkeypatch.setattr("connections.custody.handout.token", away)
    response = caller().get(f"connections/{kept.public_id}/token")
    problem(response, 503, "busy")
    assert "canary" not in response.content.decode()


def test_every_answer_of_the_document_is_reached_by_name() -> None:
    """No reference of the document leads nowhere."""
    document = openapi(ALL_ROUTES, server="https://s.example.com", version="1")
    schemas = document["components"]["schemas"]
    wanted = set()

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if "$ref" in part:
                wanted.add(part["$ref"].rpartition("/")[2])
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk(document)
    assert wanted == set(schemas)


def test_the_document_and_its_page_need_no_key(transactional_db: None) -> None:
    document = Client().get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    page = Client().get("/api/docs")
    assert page.status_code == 200
    shown = page.content.decode()
    for route in ALL_ROUTES:
        assert f"/{route.path}</code>" in shown
    assert "script" not in shown
    assert "style=" not in shown
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert Connection.objects.count() == 0
