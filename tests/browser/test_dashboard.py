"""The pages in a real browser, before the real server, before a Sugar server that behaves like the real ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from connections.custody import actions
from connections.models import Connection, Heartbeat
from tests.browser.conftest import DESKTOP, NARROW, PHONE, Desk, Open
from tests.browser.fleet import down, dying, fleet, healthy
from tests.conftest import Configured
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


def test_r1_dying_first(open_desk: Open, connect: Connect, configured: Configured) -> None:
    """Rows in order C, B, A; the countdown runs by the server's clock, a poll hears of another end, no row moves."""
    kept = [make(connect) for make in (healthy, down, dying)][2]
    ends_at = kept.row.now + timedelta(minutes=12, seconds=50)  # type: ignore[attr-defined]  # annotated by find
    Connection.objects.filter(pk=kept.row.pk).update(access_expires_at=ends_at, access_doubtful_until=None)
    desk = open_desk("viewer")
    desk.page.clock.install()
    desk.go("/connections/")
    rows = desk.page.locator("tbody tr")
    names = ["Acme EU", "Zeta Industries", "Northwind Traders"]
    expect(rows.locator(".title")).to_have_text(names)
    expect(rows.first).to_contain_text(re.compile(r"Dying\s*12 min"))
    with desk.page.expect_response(lambda answer: "/connections/live/" in answer.url):
        desk.page.clock.fast_forward(timedelta(minutes=5).seconds * 1000)
    expect(rows.first.locator(".countdown")).to_have_text(re.compile(r"^7 min \d\d s$"))
    expect(rows.locator(".title")).to_have_text(names)
    later = ends_at + timedelta(minutes=30)
    Connection.objects.filter(pk=kept.row.pk).update(access_expires_at=later)
    with desk.page.expect_response(lambda answer: "/connections/live/" in answer.url):
        desk.page.clock.fast_forward(60_000)
    expect(rows.first.locator(".countdown")).to_have_text(re.compile("^36 min"))
    expect(rows.locator(".title")).to_have_text(names)


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
    expect(desk.page.locator("th[aria-sort=ascending] a")).to_have_text("Last success")
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


@pytest.mark.parametrize("make", [dying, down])
def test_one_screen_answers_a_ticket(open_desk: Open, connect: Connect, make: Callable[[Connect], Kept]) -> None:
    """What is wrong, why, the button that helps, the token, what happened: no scrolling on 1366x768."""
    kept = make(connect)
    desk = open_desk("operator")
    desk.go(page_of(kept))
    card = desk.page.locator("article.diagnosis")
    for found in (
        desk.page.locator("#state .badge"), card.get_by_role("heading").first, card.locator("li").first,
        card.get_by_role("link", name="Sign in again"), card.get_by_text("Steps"),
        desk.page.locator("#version dd").first, desk.page.locator("#version").get_by_text("Access token"),
        *desk.page.locator("#lately li").all()[:2],
    ):  # fmt: skip
        box = found.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 768, found
    card.get_by_text("Steps").click()
    expect(card.locator("ol li").first).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_note_tells_where_one_is_that_it_is_there_and_asks_before_it_goes(
    open_desk: Open, connect: Connect, size: tuple[int, int]
) -> None:
    kept = dying(connect)
    desk = open_desk("operator", size=size)
    desk.go(page_of(kept))
    notes, told = desk.page.locator("#notes"), desk.page.locator(".messages")
    notes.get_by_text("Write a note").click()
    notes.get_by_label("Note").fill("They call back.")
    with desk.page.expect_navigation():
        notes.get_by_role("button", name="Save the note").click()
    in_sight(told.get_by_text("The note is there."))
    in_sight(notes.get_by_role("heading", name="Notes"))
    above, below = told.bounding_box(), notes.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"], "it covers what was written"
    notes.get_by_text("Delete").first.click()
    in_sight(notes.get_by_text("this cannot be undone"))
    expect(notes).to_contain_text("They call back.")
    assert desk.overflow() == 0
    with desk.page.expect_navigation():
        notes.get_by_role("button", name="Delete the note").click()
    in_sight(told.get_by_text("The note is gone."))
    expect(notes).not_to_contain_text("They call back.")


def in_sight(found: object) -> None:
    expect(found).to_be_in_viewport()  # type: ignore[call-overload]


def test_r7_test_is_read_only(open_desk: Open, connect: Connect) -> None:
    """Pressed twenty times: five tabs at once, four times over."""
    kept = healthy(connect)
    before = kept.row.version_count, kept.live_row(), kept.grants(), kept.grants("password")
    tests = kept.row.attempt_count
    desk = open_desk("operator")
    tabs = [desk.page, *(desk.page.context.new_page() for _ in range(4))]
    for _ in range(4):
        for tab in tabs:
            tab.goto(desk.address + page_of(kept))
        for tab in tabs:
            tab.get_by_role("button", name="Test", exact=True).evaluate("one => setTimeout(() => one.click())")
        for tab in tabs:
            expect(tab.get_by_role("status")).to_contain_text("Every check is good")
    assert kept.row.attempt_count == tests + 20
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
    for path in ("/overview/", "/connections/", "/connections/?q=x", "/errors/", "/system/", "/profile/", "/help/"):
        desk.go(path)
        expect(desk.page.get_by_role("alert")).to_contain_text("manage.py serve")


def test_r25_the_theme_follows_the_system_until_chosen_and_then_stays(open_desk: Open) -> None:
    desk = open_desk("viewer", color_scheme="dark")
    assert _ground(desk) == "rgb(16, 20, 26)"
    _choose(desk, "Light")
    desk.page.reload(wait_until="commit")
    source = desk.page.request.get(desk.page.url).text()
    assert '<html lang="en" data-theme="light"' in source, "said by the server, so that nothing flashes"
    desk.page.wait_for_load_state()
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


def test_r25_everything_works_without_scripts(open_desk: Open, connect: Connect) -> None:
    """Filter, detail, test, rotate, sign in; the wizard and the customer's link have tests of their own."""
    kept, well = dying(connect), healthy(connect)
    desk = open_desk("operator", java_script_enabled=False)
    page = desk.page
    desk.go("/connections/")
    page.get_by_label("Dying").check(force=True)
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody .title")).to_have_text(["Acme EU"])
    page.get_by_role("link", name="Acme EU", exact=True).click()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    expect(page.locator(".countdown").first).to_have_text(re.compile("59 min"))
    page.get_by_role("link", name="Sign in again").click()
    page.get_by_label("Password").fill("secret")
    press(page, "Sign in again")
    expect(page.get_by_role("status")).to_contain_text("version 3 is live")
    assert kept.row.status == "healthy"
    desk.go(page_of(well))
    press(page, "Test")
    expect(page.get_by_role("status")).to_contain_text("Every check is good")
    version = well.row.version_count
    desk.go(page_of(well))
    press(page, "Rotate…")
    press(page, "Rotate")
    expect(page.get_by_role("status")).to_contain_text(f"version {version + 1} is live")


def test_a_copy_is_told_to_those_who_do_not_see_the_mark(open_desk: Open, connect: Connect) -> None:
    kept = healthy(connect)
    desk = open_desk("viewer")
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.go(page_of(kept))
    told = desk.page.locator("[aria-live]#copied")
    expect(told).to_have_text("")
    desk.page.get_by_role("button", name=f"Copy {kept.public_id}").click()
    expect(told).to_have_text("Copied")
    assert desk.page.evaluate("navigator.clipboard.readText()") == kept.public_id
    expect(told).to_have_text("")


def test_r19_status_is_a_word_and_a_shape_in_forced_colours(open_desk: Open, connect: Connect) -> None:
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
