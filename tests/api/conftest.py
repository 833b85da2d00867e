"""The worker API over HTTP, on real custody, with the simulated Sugar on the other side."""

from __future__ import annotations

import json as codec
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from connections.api import denials, keys, rate
from connections.api.views.events import NoOlderIsOpen
from connections.choices import Scope
from connections.models import Connection, Event, Tenant
from connections.onboarding import api_keys
from connections.simulator import SimulatorServer
from tests.custody.conftest import ANA, Connect, Kept, connect, simulator
from tests.serving.site import until

__all__ = ["Connect", "Kept", "connect", "simulator"]
ALL = tuple(Scope.values)
FIELDS = [
    "id",
    "tenant",
    "label",
    "instance_url",
    "platform",
    "username",
    "client_id",
    "status",
    "dies_at",
    "diagnosis",
    "token",
    "last_success_at",
    "next_refresh_at",
    "tags",
    "created_at",
]
"""A connection shows exactly these, in this order."""


class Caller:
    """One worker with its key: `caller.get("connections")` under /api/v1/, JSON in and out."""

    def __init__(self, key: str, row: Any) -> None:
        self.key = key
        self.row = row
        # An error of ours becomes a 500 that the test sees, as a caller would.
        self.client = Client(raise_request_exception=False)

    def send(self, method: str, path: str, json: Any = None, **headers: str) -> Any:
        return self.client.generic(
            method,
            f"/api/v1/{path}",
            data="" if json is None else _encoded(json),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.key}"} | {k.replace("_", "-"): v for k, v in headers.items()},
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def events(self, path: str = "events") -> list[dict[str, Any]]:
        """All there are; tests that run beside this one have transactions on the same server, which are waited for."""
        until(lambda: not Event.objects.exclude(NoOlderIsOpen()).exists())
        return list(self.get(path).json()["items"])

    def post(self, path: str, json: Any = None, **headers: str) -> Any:
        return self.send("POST", path, json, **headers)

    def patch(self, path: str, json: Any) -> Any:
        return self.send("PATCH", path, json)

    def delete(self, path: str) -> Any:
        return self.send("DELETE", path)


def _encoded(json: Any) -> str | bytes:
    return json if isinstance(json, bytes | str) else codec.dumps(json)


MakeCaller = Callable[..., Caller]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    keys.forget()
    denials.forget()
    yield
    keys.forget()


@pytest.fixture
def caller(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> MakeCaller:
    """`caller()` may do everything; `caller("token:read", tenants=["acme"])` less."""
    monkeypatch.setattr("connections.api.entrance.buckets", rate.Buckets(slots=64))

    def make(*scopes: str, tenants: Sequence[str] | None = None, name: str = "worker-eu", **rest: Any) -> Caller:
        limit = None
        if tenants is not None:
            limit = [Tenant.objects.get_or_create(slug=slug, defaults={"name": slug})[0] for slug in tenants]
        issued = api_keys.issue(name, scopes or ALL, ANA, tenants=limit, **rest)
        return Caller(issued.key, issued.row)

    return make


@pytest.fixture
def described(connect: Connect, simulator: SimulatorServer) -> dict[str, Any]:
    """A new connection in the words of the API, for an instance that waits for it."""
    kept = connect("13.3", sign_in=False)
    Connection.objects.filter(public_id=kept.public_id).delete()
    return {
        "tenant": "acme",
        "label": "Acme",
        "instance_url": simulator.instance_url(kept.sugar.name),
        "platform": "intg",
        "username": "svc",
        "password": "secret",
    }


def problem(response: HttpResponse, status: int, code: str) -> dict[str, Any]:
    """The document of a problem, after what holds for all of them."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    told = response.json()  # type: ignore[attr-defined]
    assert told["code"] == code
    assert told["status"] == status
    assert told["type"].endswith(f"/help/{code}/")
    assert told["title"] and told["detail"]
    assert isinstance(told["retryable"], bool)
    assert ("retry_after" in told) == ("Retry-After" in response.headers)
    if status in (429, 503):
        assert told["retryable"] and told["retry_after"] >= 1
    return told
