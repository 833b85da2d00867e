"""R24: the database is away, or a view broke: a page with the request's id, and nothing of what happened inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from connections.dashboard import queries
from sugaradmin.headers import CONTENT_SECURITY_POLICY
from tests.dashboard.people import signed_in

pytestmark = pytest.mark.django_db
INSIDE = 'connection to server at "db.internal" failed: FATAL: password authentication failed for user "canary"'


@pytest.fixture
def visitor() -> Iterator[Client]:
    client = signed_in("admin")
    client.raise_request_exception = False
    client.cookies["theme"] = "dark"
    return client


@pytest.fixture
def database_away(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def cursor(self: BaseDatabaseWrapper) -> Any:
        raise OperationalError(INSIDE)

    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", cursor)


@pytest.mark.usefixtures("database_away")
@pytest.mark.parametrize("path", ["/overview/", "/connections/?q=acme", "/system/", "/profile/"])
def test_r24_without_a_database_a_page_says_so_and_nothing_more(visitor: Client, path: str) -> None:
    answer = visitor.get(path)
    page = answer.content.decode()
    assert answer.status_code == 503
    assert "The database does not answer" in page
    assert f"<code>{answer.headers['X-Request-Id']}</code>" in page
    assert f'href="{path}">Try again' in page
    assert 'data-theme="dark"' in page
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert int(answer.headers["Retry-After"]) > 0
    assert not [word for word in ("db.internal", "canary", "Operational", "Traceback") if word in page]


@pytest.mark.usefixtures("database_away")
def test_r24_without_a_database_a_customer_reads_words_for_customers(visitor: Client) -> None:
    answer = visitor.get("/s/some-token/", headers={"Accept-Language": "de"})
    page = answer.content.decode()
    assert answer.status_code == 503
    assert '<html lang="de"' in page
    assert answer.headers["X-Request-Id"] in page
    assert "atabase" not in page and "Datenbank" not in page


def test_r24_what_broke_in_a_view_stays_inside(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError(INSIDE)

    monkeypatch.setattr(queries, "heartbeats", fail)
    answer = visitor.get("/system/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert f"<code>{answer.headers['X-Request-Id']}</code>" in page
    assert "canary" not in page
