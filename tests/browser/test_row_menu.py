"""The actions of a row of the list: beside it with a script, on the page of the connection without one."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import PHONE, Open
from tests.browser.fleet import down
from tests.browser.test_dashboard import page_of
from tests.custody.conftest import Connect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_row_offers_its_actions_by_keyboard(open_desk: Open, connect: Connect) -> None:
    kept = down(connect)
    desk = open_desk("operator")
    desk.go("/connections/")
    link, menu = desk.page.get_by_role("link", name="Actions of Zeta Industries"), desk.page.locator("#row-menu")
    expect(menu).to_be_hidden()
    link.press("Enter")
    expect(menu.get_by_role("link", name="Test…")).to_be_focused()
    assert violations(desk.page) == []
    desk.page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("link", name="Repair…")).to_be_focused()
    desk.page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(link).to_be_focused()
    link.click()
    link.click()
    expect(menu).to_be_hidden()
    link.click()
    menu.get_by_role("link", name="Snooze…").click()
    expect(desk.page).to_have_url(re.compile(page_of(kept, r"actions/snooze/$")))


def test_who_only_reads_is_offered_what_he_may(open_desk: Open, connect: Connect) -> None:
    down(connect)
    desk = open_desk("viewer", size=PHONE)
    desk.go("/connections/")
    desk.page.get_by_role("link", name="Actions of Zeta Industries").click()
    menu = desk.page.locator("#row-menu")
    expect(menu.get_by_role("link")).to_have_text(["Timeline", "Tokens", "Settings"])
    assert desk.overflow() == 0


def test_without_a_script_it_leads_to_the_same_actions(open_desk: Open, connect: Connect) -> None:
    kept = down(connect)
    desk = open_desk("operator", java_script_enabled=False)
    desk.go("/connections/")
    desk.page.get_by_role("link", name="Actions of Zeta Industries").click()
    expect(desk.page).to_have_url(re.compile(page_of(kept, "#board$")))
    expect(desk.page.locator("#board").get_by_role("button", name="Test", exact=True)).to_be_in_viewport()
