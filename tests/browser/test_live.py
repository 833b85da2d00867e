"""Pages that stay fresh while they are watched, and say so when they do not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from connections.custody import actions
from connections.models import Connection, Heartbeat, database_now
from tests.browser.conftest import Open
from tests.browser.fleet import down, dying, healthy
from tests.browser.test_dashboard import page_of
from tests.conftest import Configured
from tests.custody.conftest import ANA, Connect, Kept

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
EVERY = timedelta(seconds=0.3)
NOTE_LOOKS = """() => document.addEventListener("submit", () => setTimeout(() => {
  const note = document.querySelector("#ask .progress").childNodes[1].nodeValue.trim();
  sessionStorage.looked = `${note} ${document.querySelector("#ask button").disabled}`;
}, 700))"""


@pytest.fixture(autouse=True)
def _quickly(connect: Connect, configured: Configured) -> Iterator[None]:
    """After `connect` has scaled everything else down."""
    configured(live=EVERY)
    return


def badge(page: Page) -> str:
    return page.locator("#freshness [data-word]").inner_text()


def press_and_look_on(button: Locator) -> None:
    """Playwright's click waits for the page that it leads to; a person sees what happens meanwhile."""
    button.evaluate("one => setTimeout(() => one.click())")


def break_chain(kept: Kept) -> None:
    kept.sugar.outside_login("svc", "intg")
    kept.make_due()
    kept.tend()


def test_r13_live_but_honest(open_desk: Open, connect: Connect) -> None:
    """The line is down: the badge says stale, with the time it last heard; back again, without a reload."""
    healthy(connect)
    desk = open_desk("viewer")
    desk.go("/connections/")
    word = desk.page.locator("#freshness [data-word]")
    expect(word).to_have_text("Live")
    desk.page.context.set_offline(True)
    expect(word).to_have_text(re.compile("Stale"))
    expect(desk.page.locator("#freshness [data-heard]")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    desk.page.context.set_offline(False)
    expect(word).to_have_text("Live")
    desk.complaints.clear()  # the browser reports each poll that failed


def test_r13_a_hidden_page_asks_at_most_once_a_minute(
    open_desk: Open, connect: Connect, configured: Configured
) -> None:
    configured(live=timedelta(seconds=5))
    desk = open_desk("viewer")
    desk.page.clock.install()
    desk.page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.unseen === true});")
    desk.go("/overview/")
    polls: list[str] = []
    desk.page.on("request", lambda asked: polls.append(asked.url) if "x-live" in asked.headers else None)
    run_for(desk.page, seconds=20)
    assert len(polls) >= 3, "fast while watched"
    desk.page.evaluate("window.unseen = true; document.dispatchEvent(new Event('visibilitychange'))")
    polls.clear()
    run_for(desk.page, seconds=300)
    assert 3 <= len(polls) <= 5


def run_for(page: Page, *, seconds: int) -> None:
    """By the page's clock; each poll is awaited, since the next is planned when its answer is there."""
    for _ in range(seconds):
        page.clock.run_for(1000)
        page.wait_for_timeout(15)


def test_r14_title_and_favicon_say_how_many_need_a_person(open_desk: Open, connect: Connect) -> None:
    kept = healthy(connect)
    first = dying(connect)
    desk = open_desk("viewer")
    desk.go("/system/")
    icon = desk.page.locator("link[rel=icon]")
    expect(desk.page).to_have_title(re.compile(r"^\(1!\) System health"))
    expect(icon).to_have_attribute("href", re.compile("mark-dying"))
    actions.sign_in(first.public_id, ANA, password="secret")
    expect(desk.page).to_have_title(re.compile("^System health"))
    expect(icon).to_have_attribute("href", re.compile(r"mark\.svg"))
    Connection.objects.filter(public_id=kept.public_id).update(password=None)
    break_chain(kept)
    expect(desk.page).to_have_title(re.compile(r"^\(1!\)"))
    expect(icon).to_have_attribute("href", re.compile("mark-down"))


def test_cells_of_the_list_change_where_they_stand_and_rows_never_move(open_desk: Open, connect: Connect) -> None:
    down(connect)
    kept = healthy(connect)
    again = connect("14.0", fields={"label": "Alpha"})
    desk = open_desk("viewer")
    desk.go("/connections/")
    titles = desk.page.locator("tbody .title")
    expect(titles).to_have_text(["Zeta Industries", "Alpha", "Northwind Traders"])
    desk.page.get_by_text("Tenant, tag, host").click()
    desk.page.get_by_label("Host", exact=True).fill("half typed")
    Connection.objects.filter(public_id=kept.public_id).update(password=None)
    break_chain(kept)
    row = desk.page.locator(f"#{kept.public_id}")
    expect(row.locator(".badge")).to_have_text("Down")
    expect(titles).to_have_text(["Zeta Industries", "Alpha", "Northwind Traders"])
    expect(desk.page.locator("#changed")).to_contain_text("1 row changed since you loaded")
    actions.delete(again.public_id, ANA)
    expect(desk.page.locator(f"#{again.public_id}")).to_contain_text("was deleted")
    expect(desk.page.get_by_label("Host", exact=True)).to_have_value("half typed")
    desk.page.get_by_role("link", name="Sort again").click()
    expect(titles).to_have_text(["Zeta Industries", "Northwind Traders"])
    expect(desk.page.locator("#changed")).to_be_empty()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.tagName"))


def test_the_focus_stays_with_its_connection_and_goes_away_with_it(open_desk: Open, connect: Connect) -> None:
    """A person about to press Enter must not find himself at the customer that moved up."""
    first, _, third = dying(connect), down(connect), connect("14.0", fields={"label": "Alpha", "store_password": False})
    desk = open_desk("viewer")
    desk.go("/overview/")
    fixes = desk.page.locator("#urgent-card .button-small")
    expect(fixes).to_have_text(["Fix", "Fix"])
    desk.page.get_by_role("link", name="Fix Zeta Industries").focus()
    break_chain(third)
    expect(fixes).to_have_count(3)
    assert focused(desk.page) == "Fix Zeta Industries"
    desk.page.get_by_role("link", name="Fix Acme EU").focus()
    Connection.objects.filter(public_id=first.public_id).update(access_expires_at=database_now())
    actions.resume(third.public_id, ANA)
    expect(desk.page.locator(f"#urgent-{first.public_id}")).to_contain_text("Down")
    assert focused(desk.page) == "Fix Acme EU"
    actions.sign_in(first.public_id, ANA, password="secret")
    expect(fixes).to_have_count(2)
    assert focused(desk.page) == "BODY"


def test_buttons_are_disabled_while_a_grant_is_open_and_come_back_by_themselves(
    open_desk: Open, connect: Connect
) -> None:
    kept = connect("13.3", fields={"label": "Acme EU"})
    desk = open_desk("operator")
    desk.go(page_of(kept))
    rotate = desk.page.get_by_role("button", name="Rotate…")
    expect(rotate).to_be_enabled()
    kept.sugar.chaos("slow", grant="refresh", count=1, seconds=1.2)
    other = desk.page.context.new_page()
    other.goto(desk.address + page_of(kept, "actions/rotate/"))
    button = other.get_by_role("main").get_by_role("button", name="Rotate")
    press_and_look_on(button)
    expect(rotate).to_be_disabled()
    reason = re.compile("Refresh running for .*started by operator")
    expect(desk.page.locator("#board .reason").filter(has_text=reason)).to_be_visible()
    expect(rotate).to_be_enabled()
    expect(desk.page.locator("#version")).to_contain_text("v2")
    expect(desk.page.locator("#lately li").first).to_contain_text("Refreshed")
    expect(other.get_by_role("status").filter(has_text="version 2 is live")).to_be_visible()


def test_an_action_says_that_it_runs_and_cannot_be_pressed_twice(open_desk: Open, connect: Connect) -> None:
    kept = connect("13.3")
    desk = open_desk("operator")
    desk.go(page_of(kept, "actions/rotate/"))
    kept.sugar.chaos("slow", grant="refresh", count=1, seconds=1)
    button = desk.page.get_by_role("main").get_by_role("button", name="Rotate", exact=True)
    # Playwright reads nothing from a page that is being left: the page itself writes down how it looks meanwhile.
    desk.page.evaluate(NOTE_LOOKS)
    press_and_look_on(button)
    expect(desk.page.get_by_role("status").filter(has_text="version 2 is live")).to_be_visible()
    assert desk.page.evaluate("sessionStorage.looked") == "Sugar is asked. This page shows what comes of it. true"
    assert kept.grants() == 1


def test_a_live_page_leaves_the_version_of_its_form_alone(open_desk: Open, connect: Connect) -> None:
    """What the page was made at is what the guard of a stale page judges by."""
    kept = connect("13.3")
    desk = open_desk("operator")
    desk.go(page_of(kept, "actions/rotate/"))
    actions.rotate(kept.public_id, ANA)
    expect(desk.page.locator("#ask .lead")).to_contain_text("creates version 3")
    expect(desk.page.locator("#ask input[name=version]")).to_have_value("1")


def test_r12_the_banner_of_a_dead_worker_comes_and_goes_by_itself(open_desk: Open) -> None:
    desk = open_desk("viewer")
    desk.go("/system/")
    expect(desk.page.locator(".banner")).to_have_count(0)
    beats = list(Heartbeat.objects.all())
    Heartbeat.objects.all().delete()
    expect(desk.page.get_by_role("alert")).to_contain_text("manage.py serve")
    Heartbeat.objects.bulk_create(beats)
    expect(desk.page.locator(".banner")).to_have_count(0)


def test_one_can_pause_it_and_is_told_when_signed_out(open_desk: Open) -> None:
    desk = open_desk("viewer")
    desk.go("/system/")
    desk.page.get_by_role("button", name="Pause live updates").click()
    assert badge(desk.page) == "Live updates paused"
    desk.page.get_by_role("button", name="Go on live").click()
    assert badge(desk.page) == "Live"
    desk.page.context.clear_cookies()
    expect(desk.page.locator("#freshness [data-word]")).to_have_text(re.compile("Signed out"))
