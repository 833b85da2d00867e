"""What a watched page gets: nothing where nothing changed, only what it may see, no more than it needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connections.custody import actions
from connections.models import database_now
from tests.custody.clock import Clock
from tests.custody.conftest import ANA, clock
from tests.dashboard.conftest import Draft
from tests.dashboard.people import signed_in

__all__ = ["clock"]
pytestmark = pytest.mark.django_db
Found = TypeVar("Found")


def poll(client: Client, path: str, mark: str = "") -> HttpResponse:
    return client.get(path, headers={"X-Live": "1", **({"If-None-Match": mark} if mark else {})})  # type: ignore[return-value]


def within_a_minute(ask: Callable[[], Found]) -> Found:
    """Asked anew where the minute ended meanwhile: that is news to every page, whose relative times have moved."""
    while True:
        began = database_now().minute
        found = ask()
        if database_now().minute == began:
            return found


@pytest.fixture(params=["/overview/", "/live/", "detail", "timeline/", "tokens/", "attempts/", "actions/rotate/"])
def path(request: pytest.FixtureRequest, draft: Draft) -> str:
    given = str(request.param)
    return given if given.startswith("/") else draft().get_absolute_url() + given.replace("detail", "")


def test_a_page_that_did_not_change_is_answered_304_without_a_body(path: str) -> None:
    client = signed_in("operator")
    page, again = within_a_minute(lambda: ((page := client.get(path)), poll(client, path, page.headers["ETag"])))
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == page.headers["ETag"]


def test_a_poll_that_finds_nothing_new_costs_few_queries(path: str) -> None:
    client = signed_in("operator", tenants=("acme",))

    def queries() -> int:
        mark = client.get(path).headers["ETag"]
        with CaptureQueriesContext(connection) as spent:
            poll(client, path, mark)
        return len(spent)

    assert within_a_minute(queries) <= 10


def test_a_new_minute_is_news_since_relative_times_have_moved(clock: Clock, draft: Draft) -> None:
    client, paths = signed_in("operator"), ("/overview/", draft().get_absolute_url())
    marks = [client.get(path).headers["ETag"] for path in paths]
    clock.jump(timedelta(minutes=1))
    assert [poll(client, *asked).status_code for asked in zip(paths, marks, strict=True)] == [200, 200]


def test_a_change_is_told(draft: Draft) -> None:
    row = draft()
    client = signed_in("operator")
    for path in ("/overview/", row.get_absolute_url(), row.get_absolute_url() + "actions/rotate/"):
        mark = client.get(path).headers["ETag"]
        actions.resume(row.public_id, ANA)
        actions.pause(row.public_id, ANA)
        answer = poll(client, path, mark)
        assert answer.status_code == 200
        assert answer.headers["ETag"] != mark
        assert "data-live" in answer.content.decode()
        assert '<nav class="nav"' not in answer.content.decode(), "the frame is not sent again"
        actions.resume(row.public_id, ANA)


def test_only_a_poll_is_answered_304(draft: Draft) -> None:
    """A person who opens the page gets it, whatever the browser kept."""
    path = draft().get_absolute_url()
    client = signed_in("viewer")
    mark = client.get(path).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": mark}).status_code == 200


def test_a_poll_needs_the_rights_of_the_page(draft: Draft) -> None:
    path = draft().get_absolute_url()
    assert poll(Client(), path).status_code == 302
    assert poll(signed_in(""), path).status_code == 403
    assert poll(signed_in("viewer", tenants=("other",)), path).status_code == 404


def test_rows_come_in_the_order_in_which_they_stand(draft: Draft) -> None:
    ids = [draft(label).public_id for label in ("Zeta", "Acme", "Mid")]
    asked = "/connections/live/?was=" + ",".join(f"{one}.draft" for one in ids)
    page = poll(signed_in("viewer"), asked).content.decode()
    assert re.findall(r'<tr id="(c_\w+)"', page) == ids
    assert "changed since" not in page


def test_a_row_that_changed_is_counted_and_one_that_is_gone_is_named(draft: Draft) -> None:
    first, second, third = (draft(label).public_id for label in ("Zeta", "Acme", "Mid"))
    asked = f"/connections/live/?was={first}.draft,{second}.draft,{third}.draft"
    client = signed_in("viewer")
    mark = poll(client, asked).headers["ETag"]
    actions.pause(second, ANA)
    actions.delete(third, ANA)
    answer = poll(client, asked, mark)
    assert "2 rows changed since you loaded" in answer.content.decode()
    assert f"{third} was deleted" in answer.content.decode()


def test_rows_of_another_tenant_are_as_good_as_deleted(draft: Draft) -> None:
    foreign = draft("Foreign", tenant="foreign")
    page = poll(signed_in("viewer", tenants=("ours",)), f"/connections/live/?was={foreign.public_id}.draft")
    assert b"Foreign" not in page.content


@pytest.mark.parametrize("was", ["", "c_", "x.y", "c_0123456789.nonsense", "c_%22%3E.draft,,,", "c_1.draft" * 2000])
def test_a_mangled_question_is_answered(db: None, was: str) -> None:
    answer = poll(signed_in("viewer"), f"/connections/live/?was={was}&urgent=9x")
    assert answer.status_code == 200
    assert b'">.draft' not in answer.content
