"""R3: what a page costs does not grow with the fleet."""

from __future__ import annotations

import re

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connections.choices import Status
from connections.custody import guard
from connections.custody.audit import Actor
from connections.demo import seeding
from connections.models import Connection
from tests.dashboard.people import signed_in
from tests.dashboard.scale import pages

pytestmark = pytest.mark.django_db
MOST = 15
TILE = re.compile(r'href="/connections/\?status=(\w+)"[^>]*><span class="count">([\d,]+)<')


def test_r03_a_thousand_connections_cost_as_many_queries_as_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the look at the installation itself, which every process makes once in five seconds."""
    monkeypatch.setattr(guard, "LOOKED_AT_EVERY", 3600.0)
    few, many = spent(100), spent(1000)
    assert few == many
    assert {name: count for name, count in many.items() if count > MOST} == {}


def spent(size: int) -> dict[str, int]:
    """Queries of each page; the fleet is gone afterwards."""
    found: dict[str, int] = {}
    with transaction.atomic():
        seeding.seed(size, Actor(kind="staff", name="demo"), grants_each=4)
        client = signed_in("admin")
        client.get("/overview/")  # what is counted once an hour is remembered
        for name, path in pages():
            with CaptureQueriesContext(connection) as asked:
                response = client.get(path)
            assert response.status_code == 200, path
            assert response.content.count(b"<tr id=") <= 60, path
            found[name] = len(asked)
        _tiles_say_what_the_lists_hold(client)
        transaction.set_rollback(True)
    return found


def _tiles_say_what_the_lists_hold(client: Client) -> None:
    overview = client.get("/overview/").content.decode()
    tiles = dict(TILE.findall(overview))
    assert {*tiles} == {*Status.values}
    for status, count in tiles.items():
        assert f"{count} match" in client.get(f"/connections/?status={status}").content.decode(), status
    assert sum(int(count.replace(",", "")) for count in tiles.values()) == Connection.objects.count()
