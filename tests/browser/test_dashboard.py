"""The pages in a real browser, before the real server, before a Sugar server that behaves like the real ones."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from connections.custody import actions
from connections.models import Heartbeat
from tests.browser.conftest import NARROW, PHONE, Desk, Open
from tests.browser.fleet import down, dying, fleet, healthy
from tests.custody.conftest import ANA, Connect, Kept

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def page_of(kept: Kept, tab: str = "") -> str:
    return f"/connections/{kept.public_id}/{tab}"


def test_one_signs_in_by_keyboard_and_lands_where_one_wanted(open_desk: Open) -> None:
    desk = open_desk(None)
    open_desk("operator")
    desk.go("/system/")
    expect(desk.page).to_have_url(re.compile("/sign-in/"))
    expect(desk.page.get_by_label("User name")).to_be_focused()
    desk.page.keyboard.type("operator")
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.type("a long enough pass phrase")
    desk.page.keyboard.press("Enter")
    expect(desk.page).to_have_url(re.compile("/system/"))


def test_r1_dying_first(open_desk: Open, connect: Connect) -> None:
    """Rows in order C, B, A; the countdown runs by the server's clock and moves no row."""
    for make in (healthy, down, dying):
        make(connect)
    desk = open_desk("viewer")
    desk.page.clock.install()
    desk.go("/connections/")
    rows = desk.page.locator("tbody tr")
    expect(rows.locator(".title")).to_have_text(["Acme EU", "Zeta Industries", "Northwind Traders"])
    expect(rows.first).to_contain_text(re.compile(r"Dying\s*59 min"))
    desk.page.clock.fast_forward(timedelta(minutes=50).seconds * 1000)
    expect(rows.first.locator(".countdown")).to_have_text(re.compile(r"^9 min \d\d s$"))
    expect(rows.locator(".title")).to_have_text(["Acme EU", "Zeta Industries", "Northwind Traders"])


def test_r2_the_address_is_the_state(open_desk: Open, connect: Connect) -> None:
    for make in (healthy, down, dying):
        make(connect)
    desk = open_desk("viewer")
    desk.go("/connections/")
    desk.page.get_by_label("Down").check(force=True)
    desk.page.get_by_text("Tenant, tag, host").click()
    desk.page.get_by_label("Tag").fill("eu")
    desk.page.get_by_role("searchbox").fill("zeta")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("tbody .title")).to_have_text(["Zeta Industries"])
    desk.page.get_by_role("link", name="Last success").click()
    expect(desk.page.locator("th[aria-sort=ascending]")).to_have_text("Last success")
    address = desk.page.url
    assert parse_qs(urlsplit(address).query) == {
        "status": ["down"], "tag": ["eu"], "q": ["zeta"], "sort": ["last_success"]
    }  # fmt: skip
    again = open_desk("viewer")
    again.page.goto(address)
    _is_filtered(again.page)
    desk.page.set_viewport_size({"width": 1366, "height": 300})
    desk.page.evaluate("scrollTo(0, 150)")
    before = desk.page.evaluate("scrollY")
    desk.page.get_by_role("link", name="Zeta Industries", exact=True).evaluate("one => one.click()")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Zeta Industries")
    desk.page.go_back()
    expect(desk.page).to_have_url(address)
    _is_filtered(desk.page)
    assert abs(desk.page.evaluate("scrollY") - before) <= 20 < before


def _is_filtered(page: Page) -> None:
    expect(page.locator("tbody .title")).to_have_text(["Zeta Industries"])
    expect(page.get_by_label("Down")).to_be_checked()
    expect(page.get_by_label("Tag")).to_have_value("eu")
    expect(page.get_by_role("searchbox")).to_have_value("zeta")
    expect(page.get_by_label("Order")).to_have_value("last_success")


def test_r4_the_diagnosis_is_on_one_screen(open_desk: Open, connect: Connect) -> None:
    kept = dying(connect)
    desk = open_desk("operator")
    desk.go(page_of(kept))
    card = desk.page.locator("article.diagnosis")
    in_sight(card.get_by_text("refresh_token_superseded").first)
    in_sight(card.get_by_role("link", name="Sign in again"))
    runbook = card.get_by_role("link", name="Help", exact=True)
    in_sight(runbook)
    address = runbook.get_attribute("href")
    assert desk.page.request.get(desk.address + str(address)).status == 200
    evidence = card.get_by_role("link", name=re.compile("attempt 3")).first
    in_sight(evidence)
    evidence.click()
    expect(desk.page.get_by_role("heading", name=re.compile("Attempt 3"))).to_be_visible()
    expect(desk.page.get_by_text("Invalid refresh token").first).to_be_visible()


def in_sight(found: object) -> None:
    expect(found).to_be_in_viewport()  # type: ignore[call-overload]


def test_r7_test_is_read_only(open_desk: Open, connect: Connect) -> None:
    kept = healthy(connect)
    before = kept.row.version_count, kept.live_row(), kept.grants(), kept.grants("password")
    desk = open_desk("operator")
    for _ in range(3):
        desk.go(page_of(kept))
        desk.page.get_by_role("button", name="Test", exact=True).click()
        expect(desk.page.get_by_role("status")).to_contain_text("Every check is good")
    assert (kept.row.version_count, kept.live_row(), kept.grants(), kept.grants("password")) == before


def test_r9_a_stale_page_explains_and_sends_nothing(open_desk: Open, connect: Connect) -> None:
    kept = healthy(connect)
    desk = open_desk("operator")
    desk.go(page_of(kept, "actions/sign-in/"))
    actions.rotate(kept.public_id, ANA)
    grants = kept.grants("password")
    answers: list[int] = []
    desk.page.on("response", lambda answer: answers.append(answer.status) if answer.request.method == "POST" else None)
    press(desk.page, "Sign in again")
    expect(desk.page.get_by_role("alert")).to_contain_text("moved on to v5 while you looked at v4")
    assert (answers, kept.grants("password")) == ([409], grants)
    desk.complaints.clear()  # the browser reports the 409 as a failed load
    press(desk.page, "Sign in again")
    expect(desk.page.get_by_role("status")).to_contain_text("version 6 is live")
    assert kept.grants("password") == grants + 1


def press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def test_r12_a_dead_worker_is_visible(open_desk: Open) -> None:
    desk = open_desk("viewer")
    desk.go("/connections/")
    expect(desk.page.locator(".banner")).to_have_count(0)
    Heartbeat.objects.all().delete()
    for path in ("/overview/", "/connections/", "/system/"):
        desk.go(path)
        expect(desk.page.get_by_role("alert")).to_contain_text("manage.py serve")


def test_the_theme_follows_the_system_until_chosen_and_then_stays(open_desk: Open) -> None:
    desk = open_desk("viewer", color_scheme="dark")
    assert _ground(desk) == "rgb(16, 20, 26)"
    _choose(desk, "Light")
    desk.page.reload()
    assert _ground(desk) == "rgb(245, 246, 248)"
    expect(desk.page.get_by_role("button", name="Light")).to_have_attribute("aria-pressed", "true")
    _choose(desk, "Auto")
    assert _ground(desk) == "rgb(16, 20, 26)"


def _choose(desk: Desk, theme: str) -> None:
    with desk.page.expect_navigation():  # the answer to the form: what comes next must not overtake it
        desk.page.get_by_role("button", name=theme).click()


def _ground(desk: Desk) -> str:
    return str(desk.page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))


@pytest.mark.parametrize("size", [PHONE, NARROW])
def test_on_a_phone_the_menu_is_one_row_that_unfolds(open_desk: Open, size: tuple[int, int]) -> None:
    """Without scripts and by keyboard; it names the page one is on, and pushes the page down instead of hiding it."""
    desk = open_desk("admin", size=size, java_script_enabled=False)
    page = desk.page
    desk.go("/connections/")
    banner = page.get_by_role("banner")
    fold = banner.locator("summary")
    expect(fold).to_have_text("Menu, Connections")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    assert banner.evaluate("one => one.getBoundingClientRect().height") < 60
    fold.focus()
    page.keyboard.press("Enter")
    menu = page.get_by_role("navigation", name="Main")
    expect(menu).to_have_count(1)
    expect(menu.get_by_role("link", name="Connections")).to_have_attribute("aria-current", "page")
    heading = page.get_by_role("heading", level=1).evaluate("one => one.getBoundingClientRect().top")
    assert heading > menu.evaluate("one => one.getBoundingClientRect().bottom")
    assert min(menu.get_by_role("link").evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")) >= 24
    assert desk.overflow() == 0
    page.keyboard.press("Tab")
    expect(menu.get_by_role("link", name="Overview")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/overview/"))
    expect(fold).to_have_text("Menu, Overview")
    fold.click()
    banner.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in/"))


def test_everything_works_without_scripts(open_desk: Open, connect: Connect) -> None:
    kept = dying(connect)
    desk = open_desk("operator", java_script_enabled=False)
    desk.go("/connections/?status=dying")
    desk.page.get_by_role("link", name="Acme EU", exact=True).click()
    expect(desk.page.get_by_role("button", name="Copy")).to_have_count(0)
    expect(desk.page.locator(".countdown").first).to_have_text(re.compile("59 min"))
    desk.page.get_by_role("link", name="Sign in again").click()
    desk.page.get_by_label("Password").fill("secret")
    press(desk.page, "Sign in again")
    expect(desk.page.get_by_role("status")).to_contain_text("version 3 is live")
    assert kept.row.status == "healthy"


def test_status_is_a_word_and_a_shape_in_forced_colours(open_desk: Open, connect: Connect) -> None:
    fleet(connect)
    desk = open_desk("viewer", forced_colors="active")
    desk.go("/connections/")
    words = set(desk.page.locator("tbody .badge").all_inner_texts())
    assert words == {"Dying", "Down", "In doubt", "Unreachable", "Retrying", "Paused", "Draft", "Healthy"}
    shapes = desk.page.locator("tbody .badge use").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert len(set(shapes)) == len(words)
    assert all(box["width"] > 8 for box in desk.page.locator("tbody .badge svg").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().toJSON())"
    ))  # fmt: skip
