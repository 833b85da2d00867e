"""Who may come in, how often, and what is left of the token."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from connections.choices import EventKind, LinkKind
from connections.custody import actions
from connections.customer import pacing, proof
from connections.models import AuditRow, Connection, CustomerLink, Event, database_now
from connections.onboarding import links, registry
from sugaradmin.logs import redact
from tests.custody.conftest import ANA
from tests.customer.conftest import Customer, Draft, make_link, told

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def customer(draft: Draft) -> Customer:
    return Customer(issued=make_link(draft().public_id))


def end(link: CustomerLink, how: str) -> None:
    if how == "expired":
        CustomerLink.objects.filter(pk=link.pk).update(expires_at=database_now())
    elif how == "revoked":
        assert links.revoke(link.connection.public_id, link.public_id, ANA, tenants=None)
    elif how == "void":
        registry.edit(link.connection.public_id, {"instance_url": "http://127.0.0.1:9/elsewhere"}, ANA)
    else:
        CustomerLink.objects.filter(pk=link.pk).update(submissions=links.MOST_SUBMITTED)


def wanted_at(row: Connection) -> datetime | None:
    return links.new_one_wanted_at(links.of_connection(row))


ENDS = {"expired": "has expired", "revoked": "was withdrawn", "void": "is void", "spent": "No tries are left"}


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_never_uses_a_link_up(customer: Customer, method: str) -> None:
    before = CustomerLink.objects.values().get()
    for _ in range(10):
        getattr(customer.browser, method)(customer.path)
        getattr(customer.browser, method)(f"{customer.path}/")
    assert CustomerLink.objects.values().get() == before
    assert "Reconnect Sugar for Acme EU" in told(customer.open())


def test_the_token_leaves_the_address_at_once(customer: Customer) -> None:
    response = customer.browser.get(customer.path)
    assert (response.status_code, response.headers["Location"]) == (302, customer.page)
    cookie = customer.browser.cookies["link"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (customer.page, True, "Lax")
    assert 0 < int(cookie["max-age"]) <= 3600
    token = customer.path.split("/")[2]
    page = customer.browser.get(customer.page)
    assert token not in page.content.decode() + str(page.headers) + cookie.value


def test_every_answer_is_kept_by_nobody(customer: Customer) -> None:
    guide = Customer(issued=make_link(customer.link.connection.public_id, LinkKind.GUIDE))
    answers = [
        customer.browser.get(customer.path), customer.browser.get(customer.page), customer.type(""),
        customer.browser.get(f"{customer.page}done/"), customer.browser.get("/r/unknown"),
        Client().get(customer.page), customer.browser.post(f"{customer.page}ask/"),
        guide.browser.get(guide.path), guide.browser.get("/s/unknown"),
    ]  # fmt: skip
    end(customer.link, "revoked")
    answers += [customer.browser.get(customer.page)]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_the_page_has_nothing_of_the_staffs(customer: Customer) -> None:
    page = customer.open().content.decode()
    for staffs in ("/overview/", "/sign-in/", "/connections/", "/help/", "csrfmiddlewaretoken"):
        assert staffs not in page
    assert "sessionid" not in customer.browser.cookies


def test_the_link_is_stored_as_a_keyed_hash_only(customer: Customer) -> None:
    token = customer.path.split("/")[2]
    assert len(token) == 43
    row = CustomerLink.objects.values_list().get()
    assert token not in str(row)
    assert token not in str(list(Event.objects.values_list())) + str(list(AuditRow.objects.values_list()))
    assert token not in repr(customer.issued)
    assert token not in redact(f"Too Many Requests: /r/{token}")


@pytest.mark.parametrize("how", ENDS)
def test_a_link_that_ended_says_how_and_takes_no_password(customer: Customer, how: str) -> None:
    proof_before = customer.proof()
    end(customer.link, how)
    for response in (customer.open(), customer.type("secret", proof=proof_before)):
        assert ENDS[how] in told(response)
        assert response.status_code == 410
        assert 'type="password"' not in response.content.decode()
    assert not customer.link.attempts.exists()


@pytest.mark.parametrize("how", ENDS)
def test_a_new_link_is_asked_for_once_an_hour(customer: Customer, how: str) -> None:
    end(customer.link, how)
    row = customer.link.connection
    assert wanted_at(row) is None
    assert "We have been told" in told(customer.ask())
    assert "We know already" in told(customer.ask())
    assert Event.objects.filter(connection=row, kind=EventKind.LINK_REQUESTED).count() == 1
    assert AuditRow.objects.get(action="request_link").actor == f"customer link {customer.link.public_id}"
    assert wanted_at(row)
    make_link(row.public_id)
    assert wanted_at(row) is None


def test_an_open_link_asks_for_no_other(customer: Customer) -> None:
    customer.ask()
    assert not Event.objects.filter(kind=EventKind.LINK_REQUESTED).exists()


def test_a_deleted_connection_voids_its_links(customer: Customer) -> None:
    connection = customer.link.connection
    customer.open()
    actions.delete(connection.public_id, ANA)
    assert "is void" in told(customer.open())


@pytest.mark.parametrize(
    "change", ["instance_url", "platform", "username", "client_id", "label", "password", "tags", "contact_name"]
)
def test_a_link_dies_with_the_generation_and_with_nothing_else(customer: Customer, change: str) -> None:
    values: dict[str, object] = {"instance_url": "http://127.0.0.1:9/else", "tags": ["eu"]}
    registry.edit(customer.link.connection.public_id, {change: values.get(change, "another")}, ANA)
    is_void = change in ("instance_url", "platform", "username", "client_id")
    assert ("is void" in told(customer.open())) is is_void
    told_staff = Event.objects.filter(kind=EventKind.LINK_ENDED, summary__contains=customer.link.public_id)
    assert told_staff.exists() is is_void


def test_a_browser_that_did_not_come_through_the_link_sees_nothing(customer: Customer) -> None:
    for path in (customer.page, f"{customer.page}done/"):
        response = Client().get(path)
        assert response.status_code == 403
        assert "Acme" not in told(response)
    assert Client().post(f"{customer.page}ask/").status_code == 403


def test_a_cookie_opens_its_own_link_only_and_for_an_hour(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    customer.open()
    other = make_link(customer.link.connection.public_id)
    assert customer.browser.get(f"/r/{other.link.public_id}/").status_code == 403
    monkeypatch.setattr(proof, "GOOD_FOR", 0)
    assert "Please open the link again" in told(customer.browser.get(customer.page))


@pytest.mark.parametrize("forged", ["", "no-proof", "eyJhIjoxfQ:1abc:xyz"])
def test_a_forged_form_does_nothing(customer: Customer, forged: str) -> None:
    customer.open()
    assert customer.type("secret", proof=forged).status_code == 403
    assert customer.link.submissions == 0


def test_a_forged_wish_for_a_new_link_tells_nobody(customer: Customer) -> None:
    customer.open()
    end(customer.link, "revoked")
    for forged in ({}, {"proof": "forged"}):
        assert customer.browser.post(f"{customer.page}ask/", forged).status_code == 403
    assert not Event.objects.filter(kind=EventKind.LINK_REQUESTED).exists()


def test_a_token_opens_its_own_kind_of_door(customer: Customer) -> None:
    guide = Customer(issued=make_link(customer.link.connection.public_id, LinkKind.GUIDE))
    token, guide_token = customer.path.split("/")[2], guide.path.split("/")[2]
    for path in (f"/s/{token}", f"/r/{guide_token}", f"/r/{token[:-1]}", f"/r/{token}x"):
        assert "We do not know this link" in told(Client().get(path))


def test_staff_see_when_it_was_opened(customer: Customer) -> None:
    customer.browser.head(customer.path)
    assert customer.browser.head(customer.page).status_code == 200
    assert customer.link.opened_at is None
    customer.open()
    first = customer.link.opened_at
    customer.open()
    assert first is not None
    assert customer.link.opened_at == first
    assert Event.objects.filter(kind=EventKind.LINK_OPENED).count() == 1


def test_who_knocks_too_fast_waits(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "PAGES", pacing.Pace(name="pages", most=3, window=timedelta(minutes=1)))
    for _ in range(3):
        assert Client().get(customer.path).status_code == 302
    slowed = Client().get(customer.path)
    assert (slowed.status_code, "slow down" in told(slowed)) == (429, True)
    assert 0 < int(slowed.headers["Retry-After"]) <= 60
    assert Client(REMOTE_ADDR="203.0.113.9").get(customer.path).status_code == 302


def test_neighbours_of_one_ipv6_network_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    pace = pacing.Pace(name="test", most=1, window=timedelta(minutes=10))
    assert pacing.wait(pace, "2001:db8:1:2::1") == 0
    assert pacing.wait(pace, "2001:db8:1:2:ffff::9") > 0
    assert pacing.wait(pace, "2001:db8:1:3::1") == 0


def test_a_link_lives_for_72_hours_and_a_guide_for_30_days(customer: Customer) -> None:
    guide = make_link(customer.link.connection.public_id, LinkKind.GUIDE).link
    assert customer.link.expires_at - customer.link.made_at == timedelta(hours=72)
    assert guide.expires_at - guide.made_at == timedelta(days=30)


def test_the_address_is_the_one_that_operators_set(customer: Customer) -> None:
    assert customer.issued.url.startswith(f"{settings.SUGARADMIN.base_url}/r/")


def test_scripts_and_styles_of_the_page_exist() -> None:
    for name in ("css/customer.css", "js/reveal.js", "js/again.js", "js/copy.js"):
        assert (Path(settings.BASE_DIR) / "static" / name).is_file()
