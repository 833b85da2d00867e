"""The list narrows while one types; the address, the focus and the way back stay right."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from connections.custody import actions
from tests.browser.conftest import Open
from tests.browser.test_dashboard import page_of
from tests.browser.test_live import EVERY
from tests.conftest import Configured
from tests.custody.conftest import ANA, Connect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_it_narrows_while_one_types_and_the_way_back_shows_the_same(open_desk: Open, connect: Connect) -> None:
    acme = connect("14.0", fields={"label": "Acme: orders to ERP"})
    connect("14.0", fields={"label": "Borealis"})
    desk = open_desk("viewer")
    page, titles = desk.page, desk.page.locator("tbody .title")
    desk.go("/overview/")
    desk.go("/connections/?sort=name")
    field = page.get_by_role("searchbox")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "q=" in request.url else None)
    field.press_sequentially("erp ord", delay=20)
    expect(titles).to_have_text(["Acme: orders to ERP"])
    expect(page).to_have_url(re.compile(r"/connections/\?q=erp\+ord&sort=name$"))
    assert len(asked) < 4, "it waits for a pause between two keys"
    expect(field).to_be_focused()
    expect(field).to_have_value("erp ord")
    expect(page.get_by_role("status").filter(has_text="1 match")).to_be_visible()
    expect(page.get_by_role("link", name="Export CSV")).to_have_attribute(
        "href", re.compile(r"\?q=erp\+ord&sort=name$")
    )
    expect(page.locator(".chip").filter(has_text="Search: erp ord")).to_be_visible()
    page.get_by_role("link", name="Actions of Acme: orders to ERP").click()
    expect(page.locator("#row-menu").get_by_role("link", name="Timeline")).to_be_visible()
    page.keyboard.press("Escape")
    titles.first.click()
    expect(page).to_have_url(re.compile(page_of(acme)))
    page.go_back()
    expect(titles).to_have_text(["Acme: orders to ERP"])
    expect(page.get_by_role("searchbox")).to_have_value("erp ord")
    page.go_back()
    expect(page).to_have_url(re.compile("/overview/$"))


def test_what_was_found_stays_fresh(open_desk: Open, connect: Connect, configured: Configured) -> None:
    """From nothing to something, and back; the polls ask for the rows that are shown now."""
    configured(live=EVERY)
    kept = connect("14.0", fields={"label": "Acme"})
    desk = open_desk("operator")
    desk.go("/connections/?q=nothing")
    expect(desk.page.get_by_role("heading", name="Nothing matches these filters")).to_be_visible()
    field = desk.page.get_by_role("searchbox")
    field.fill("")
    row = desk.page.locator(f"#{kept.public_id}")
    expect(row.locator(".badge")).to_have_text("Healthy")
    expect(desk.page).to_have_url(re.compile("/connections/$"))
    actions.pause(kept.public_id, ANA)
    expect(row.locator(".badge")).to_have_text("Paused")
    expect(desk.page.locator("#changed")).to_contain_text("1 row changed")
    desk.page.get_by_role("link", name="Actions of Acme").click()
    expect(desk.page.locator("#row-menu").get_by_role("link", name="Test…")).to_be_focused()
    desk.page.keyboard.press("Escape")
    field.fill("nobody")
    expect(row).to_have_count(0)
    desk.page.context.clear_cookies()
    field.fill("acme")
    expect(desk.page.locator("#freshness [data-word]")).to_have_text(re.compile("Signed out"))


def test_the_button_asks_without_a_script(open_desk: Open, connect: Connect) -> None:
    connect("14.0", fields={"label": "Acme"})
    connect("14.0", fields={"label": "Borealis"})
    desk = open_desk("viewer", java_script_enabled=False)
    desk.go("/connections/")
    desk.page.get_by_role("searchbox").fill("bore")
    desk.page.get_by_role("button", name="Filter").click()
    expect(desk.page.locator("tbody .title")).to_have_text(["Borealis"])
