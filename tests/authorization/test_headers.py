"""What every address tells the browser, whoever asks."""

from __future__ import annotations

import pytest
from django.http import HttpResponseBase
from django.test import Client

from connections.api.entrance import Route
from tests.authorization.addresses import Address, of_admin
from tests.authorization.expectations import Page
from tests.authorization.test_api_matrix import CALLS, call, key
from tests.authorization.test_matrix import CELLS
from tests.authorization.world import Asker, World

pytestmark = [pytest.mark.django_db, pytest.mark.once]
REFERRER = {"same-origin", "no-referrer"}


def check(response: HttpResponseBase, *, is_private: bool) -> None:
    headers = response.headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] in REFERRER
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Server" not in headers
    if is_private:
        assert "no-store" in headers["Cache-Control"]


@pytest.mark.parametrize(("address", "page"), CELLS)
def test_every_page_is_closed_to_what_is_not_ours(world: World, address: Address, page: Page) -> None:
    path = address.path(world.values(address, page))
    for method in ("GET", "POST"):
        check(Asker("admin").client().generic(method, path), is_private=address.name not in MACHINES)
        check(Client().generic(method, path), is_private=False)


MACHINES = ("healthz", "readyz", "metrics")


@pytest.mark.parametrize("route", CALLS)
def test_every_answer_of_the_api_is_kept_by_nobody(world: World, route: Route) -> None:
    for given in ("", key(["connections:read"])):
        check(call(route, world.row.public_id, given), is_private=True)


def test_what_is_not_there_and_djangos_own_admin_are_closed_too(world: World) -> None:
    for path in (
        "/nothing/",
        "/api/v1",
        "/api/v1/nothing",
        "/admin/",
        "/static/nothing.css",
        *(f"/{a.route}" for a in of_admin()[:3]),
    ):
        check(Client().get(path), is_private=False)
        check(Asker("admin").client().get(path), is_private=False)
