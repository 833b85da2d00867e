"""Staff hear by mail that a customer wants another link: who is concerned, once, and with no secret in it."""

from __future__ import annotations

import dataclasses

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core import mail

from connections.models import Connection
from connections.onboarding import links
from tests.conftest import Configured
from tests.custody.conftest import ANA
from tests.customer.conftest import Customer, make_link
from tests.dashboard.conftest import Draft
from tests.dashboard.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(draft: Draft) -> Connection:
    return draft("Acme EU")


@pytest.fixture
def ended(row: Connection, configured: Configured) -> Customer:
    """Before a link, made by ana, that does not open any more."""
    configured(mail=dataclasses.replace(settings.SUGARADMIN.mail, host="mail.example"), allow_http=True)
    customer = Customer(make_link(row.public_id))
    customer.open()
    links.revoke(row.public_id, customer.issued.link.public_id, ANA, tenants=None)
    return customer


def somebody(name: str, role: str = "operator", *, tenants: tuple[str, ...] = ()) -> User:
    user = person(role, name=name, tenants=tenants)
    user.email = f"{name}@vendor.example"
    user.save()
    return user


def told() -> list[str]:
    return sorted(address for letter in mail.outbox for address in letter.to)


def test_who_made_the_link_is_told_once(ended: Customer, row: Connection) -> None:
    somebody("ana"), somebody("bob")
    ended.ask()
    ended.ask()
    [letter] = mail.outbox
    assert letter.to == ["ana@vendor.example"]
    assert letter.subject == "Acme EU: the customer asks for a new link"
    assert f"{settings.SUGARADMIN.base_url}{row.get_absolute_url()}links/" in letter.body
    assert ended.issued.link.public_id in letter.body
    token = ended.path.removeprefix("/r/").strip("/")
    assert token not in letter.message().as_string()


def test_the_owner_is_told_too(ended: Customer, row: Connection) -> None:
    somebody("ana")
    Connection.objects.filter(pk=row.pk).update(owner=somebody("olga"))
    ended.ask()
    assert told() == ["ana@vendor.example", "olga@vendor.example"]


def test_where_neither_can_be_reached_all_who_could_make_another_are_told(ended: Customer) -> None:
    somebody("bob"), somebody("cleo", "admin", tenants=("acme", "north"))
    somebody("vic", "viewer"), somebody("nora", tenants=("north",))
    gone = somebody("gone")
    gone.is_active = False
    gone.save()
    ended.ask()
    assert told() == ["bob@vendor.example", "cleo@vendor.example"]


def test_a_label_cannot_forge_a_header(ended: Customer, row: Connection) -> None:
    somebody("ana")
    Connection.objects.filter(pk=row.pk).update(label="Acme\r\nBcc: x@evil.example")
    ended.ask()
    assert mail.outbox[0].subject == "Acme Bcc: x@evil.example: the customer asks for a new link"
    assert told() == ["ana@vendor.example"]


def test_without_a_mail_server_nothing_is_sent(ended: Customer, configured: Configured) -> None:
    somebody("ana")
    configured(mail=dataclasses.replace(settings.SUGARADMIN.mail, host=""))
    assert ended.ask().status_code == 410
    assert mail.outbox == []
