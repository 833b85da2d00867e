"""The set-up guide: for anybody who has its address, without a user name, good for one set-up."""

from __future__ import annotations

import pytest
from django.test import Client

from connections.choices import LinkKind
from connections.custody.problems import Conflict
from connections.onboarding import links, registry
from tests.custody.conftest import ANA
from tests.customer.conftest import Customer, Draft, make_link, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def guide(draft: Draft) -> Customer:
    row = draft(username="canary-user", platform="Acme_Intg")
    return Customer(issued=make_link(row.public_id, LinkKind.GUIDE))


def test_it_names_the_click_path_for_this_platform_and_instance(guide: Customer) -> None:
    page = told(guide.browser.get(guide.path))
    for words in (
        "http://127.0.0.1:9/AcmeEU", "Acme_Intg", "Configure API Platforms", "Press “Add”", "Press “Save”", "As text",
    ):  # fmt: skip
        assert words in page


def test_it_names_no_user_and_asks_for_nothing(guide: Customer) -> None:
    page = guide.browser.get(guide.path).content.decode()
    for absent in ("canary-user", "canary-password", "<form", "Acme EU", "ana"):
        assert absent not in page.replace("Management", "").replace("analytics", "")
    assert '<meta name="robots" content="noindex' in page
    assert not guide.browser.cookies


def test_it_is_read_as_often_as_one_likes_and_passed_on(guide: Customer) -> None:
    for _ in range(5):
        assert Client().get(guide.path).status_code == 200
    assert Client().post(guide.path).status_code == 405


def test_it_ends_when_the_set_up_changes_or_staff_say_so(guide: Customer) -> None:
    row = guide.link.connection
    again = Customer(issued=make_link(row.public_id, LinkKind.GUIDE))
    links.revoke(row.public_id, again.link.public_id, ANA, tenants=None)
    assert "switched it off" in told(again.browser.get(again.path))
    registry.edit(row.public_id, {"platform": "another"}, ANA)
    response = guide.browser.get(guide.path)
    assert response.status_code == 410
    assert "steps would be wrong now" in told(response)
    assert "another" not in told(response)


def test_a_built_in_platform_needs_none(draft: Draft) -> None:
    row = draft(platform="base", allow_shared_platform=True)
    with pytest.raises(Conflict, match="nothing to register"):
        make_link(row.public_id, LinkKind.GUIDE)
    customer = Customer(issued=make_link(row.public_id))
    assert "Configure API Platforms" not in told(customer.open())
