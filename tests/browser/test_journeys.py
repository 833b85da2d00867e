"""What a person does from the first page to the last: two at once, by keyboard alone, refused, in an empty house."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from connections.models import AuditRow, Heartbeat
from tests.browser.conftest import Desk, Open
from tests.browser.fleet import dying, healthy
from tests.conftest import Configured
from tests.custody.conftest import Connect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FOCUSED_AND_IN_SIGHT = """() => {
  const focused = document.activeElement, box = focused.getBoundingClientRect();
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1);
  const top = document.elementFromPoint(x, y), style = getComputedStyle(focused);
  const marked = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none";
  const label = focused.labels && focused.labels[0];
  const seen = focused.contains(top) || (top && top.contains(focused)) || (label && label.contains(top));
  return {marked, seen: Boolean(seen), name: (focused.getAttribute("aria-label") || focused.innerText || "").trim()};
}"""


def test_r8_two_who_press_rotate_at_once_cause_one_refresh(open_desk: Open, connect: Connect) -> None:
    kept = healthy(connect)
    grants, version = kept.grants(), kept.row.version_count
    kept.sugar.chaos("slow", endpoint="token", seconds=1, count=1)
    desks = [open_desk("operator"), open_desk("admin")]
    for desk in desks:
        desk.go(f"/connections/{kept.public_id}/actions/rotate/")
    for desk in desks:
        button = desk.page.get_by_role("main").get_by_role("button", name="Rotate", exact=True)
        button.evaluate("button => { button.click(); }")
    for _ in range(100):
        if kept.row.version_count > version:
            break
        desks[0].page.wait_for_timeout(100)
    for desk in desks:
        # Whoever comes while it runs is told so; whoever comes after it, that nothing was needed.
        told = re.compile(rf"version {version + 1} is (live|there)|Refresh running|moved on to v{version + 1}")
        expect(desk.page.get_by_role("main")).to_contain_text(told)
        desk.complaints.clear()  # the browser reports a 409 as a failed load
    assert kept.grants() == grants + 1
    assert (kept.row.version_count, kept.row.status) == (version + 1, "healthy")


def test_r18_the_whole_journey_by_keyboard(open_desk: Open, connect: Connect) -> None:
    kept = healthy(connect)
    dying(connect)
    version = kept.row.version_count
    desk = open_desk("operator")
    page = desk.page
    desk.go("/overview/")
    _enter(page, "Connections")
    expect(page).to_have_url(re.compile("/connections/$"))
    _tab_to(page, lambda: bool(page.evaluate("document.activeElement.type === 'search'")))
    page.keyboard.type("northwind")
    page.keyboard.press("Enter")
    expect(page.locator("tbody .title")).to_have_text(["Northwind Traders"])
    _enter(page, "Northwind Traders")
    expect(page).to_have_url(re.compile(kept.public_id))
    _enter(page, "Rotate…")
    _enter(page, "Rotate")
    expect(page.get_by_role("status").first).to_contain_text(f"version {version + 1}")
    _enter(page, "Timeline")
    _tab_to(page, lambda: bool(page.evaluate("(document.activeElement.href || '').includes('/events/')")))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/events/"))
    page.go_back()
    expect(page).to_have_url(re.compile("timeline/"))


def _enter(page: Page, name: str) -> None:
    _tab_to(page, lambda: page.evaluate(FOCUSED_AND_IN_SIGHT)["name"].split("\n")[0] == name)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _tab_to(page: Page, is_there: Callable[[], bool]) -> None:
    """Every stop on the way is marked and in sight: what hides the focus fails here."""
    names = list[str]()
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            continue  # between the last stop and the first: the browser's own
        found = page.evaluate(FOCUSED_AND_IN_SIGHT)
        names.append(found["name"])
        assert found["marked"], f"no mark of the focus on {found['name']!r}"
        assert found["seen"], f"covered: {found['name']!r}"
        if is_there():
            return
    raise AssertionError(f"never reached by Tab: {names}")


def test_r21_what_was_done_and_what_was_refused_is_one_row_each(open_desk: Open, connect: Connect) -> None:
    kept = healthy(connect)
    before = AuditRow.objects.count()
    operator, viewer, admin = open_desk("operator"), open_desk("viewer"), open_desk("admin")
    operator.go(f"/connections/{kept.public_id}/")
    operator.page.get_by_role("button", name="Test", exact=True).click()
    expect(operator.page.get_by_role("status")).to_contain_text("Every check is good")
    assert _posted(viewer, f"/connections/{kept.public_id}/", "actions/test/") == 403
    rows = [row for row in AuditRow.objects.order_by("pk")[before:] if row.target == kept.public_id]
    assert [(row.actor, row.outcome) for row in rows] == [("operator", "ok"), ("viewer", "denied")]
    admin.go(f"/audit/?q={kept.public_id}")
    shown = admin.page.locator("main tbody tr").evaluate_all("all => all.map(one => one.id.slice(1))")
    address = str(admin.page.get_by_role("link", name=re.compile("CSV")).get_attribute("href"))
    sheet = admin.page.request.get(admin.address + address if address.startswith("/") else admin.page.url + address)
    lines = list(csv.DictReader(io.StringIO(sheet.text())))
    assert [line["number"] for line in lines] == shown
    assert {("operator", "ok"), ("viewer", "denied")} <= {(line["actor"], line["outcome"]) for line in lines}


def test_r20_snooze_tags_and_owner_change_at_once_and_are_taken_back(open_desk: Open, connect: Connect) -> None:
    """No dialog before it, a way back after it."""
    kept = dying(connect)
    desk = open_desk("admin")
    page = desk.page

    def undo() -> None:
        page.get_by_role("status").get_by_role("button", name="Undo").click()

    desk.go(f"/connections/{kept.public_id}/")
    page.get_by_role("textbox", name="Tags").fill("eu gold platinum")
    page.get_by_role("button", name="Save tags").click()
    expect(page.get_by_role("status")).to_contain_text("Tags: eu, gold, platinum.")
    undo()
    expect(page.get_by_role("status")).to_contain_text("Tags: eu, gold.")
    page.get_by_role("button", name="Assign to me").click()
    expect(page.get_by_role("status")).to_contain_text("Owner: admin.")
    undo()
    expect(page.get_by_role("status")).to_contain_text("Owner: nobody.")
    assert kept.row.owner is None
    page.get_by_role("button", name="Snooze…").click()
    page.get_by_label("Reason").fill("They know.")
    page.get_by_role("button", name="Snooze", exact=True).click()
    undo()
    expect(page.get_by_role("status")).to_contain_text("Awake again.")
    assert kept.row.snoozed_until is None


def _posted(desk: Desk, page: str, action: str) -> int:
    """As a person who leaves out the page: the form that his role does not get, with the token of another."""
    desk.go(page)
    token = desk.page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value")
    form = {"csrfmiddlewaretoken": str(token)}
    headers = {"Referer": desk.address + page}
    return int(desk.page.request.post(desk.address + page + action, form=form, headers=headers).status)


def test_r24_a_fresh_installation_ticks_off_its_first_steps(
    open_desk: Open, connect: Connect, configured: Configured
) -> None:
    """Admin, keys, worker, first connection: each as it is now, without a reload; gone when the last is done."""
    configured(live=timedelta(seconds=0.3))
    desk, viewer = open_desk("admin"), open_desk("viewer")
    desk.go("/overview/")
    marks = desk.page.get_by_role("listitem").locator(".verdict")
    expect(marks).to_have_text(["Done", "Done", "Done", "To do"])
    beats = list(Heartbeat.objects.all())
    Heartbeat.objects.all().delete()
    expect(marks).to_have_text(["Done", "Done", "To do", "To do"])
    expect(desk.page.locator("#step-worker code")).to_have_text("manage.py serve --only worker")
    Heartbeat.objects.bulk_create(beats)
    expect(marks).to_have_text(["Done", "Done", "Done", "To do"])
    viewer.go("/overview/")
    add = viewer.page.get_by_role("button", name="Add connection")
    expect(add).to_be_disabled()
    expect(add).to_have_accessible_description(re.compile("ask an admin"))
    connect("13.3", fields={"label": "Acme EU"})
    expect(desk.page.locator("#first-steps")).to_have_count(0)
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Nothing needs you now")


def test_r24_an_empty_list_says_where_to_begin(open_desk: Open) -> None:
    desk = open_desk("admin")
    desk.go("/connections/")
    expect(desk.page.get_by_role("heading", name="No connections yet")).to_be_visible()
    expect(desk.page.locator(".empty").get_by_role("link", name="Add connection")).to_be_visible()


def test_r24_filtered_to_nothing_offers_to_clear(open_desk: Open, connect: Connect) -> None:
    healthy(connect)
    desk = open_desk("viewer")
    desk.go("/connections/?q=nobody-is-called-so")
    desk.page.get_by_role("main").get_by_role("link", name=re.compile("[Cc]lear|[Aa]ll connections")).first.click()
    expect(desk.page.locator("tbody .title")).to_have_text(["Northwind Traders"])


def test_r24_a_viewer_sees_what_he_may_not_press_and_why(open_desk: Open, connect: Connect) -> None:
    kept = healthy(connect)
    desk = open_desk("viewer")
    desk.go(f"/connections/{kept.public_id}/")
    expect(desk.page.get_by_role("button", name="Test", exact=True)).to_be_disabled()
    expect(desk.page.locator("#board .reason").first).to_contain_text(re.compile("role|viewer|operator", re.IGNORECASE))


def test_r25_paper_shows_the_connection_and_no_controls(open_desk: Open, connect: Connect) -> None:
    kept = healthy(connect)
    desk = open_desk("operator")
    desk.go(f"/connections/{kept.public_id}/")
    desk.page.emulate_media(media="print")
    expect(desk.page.get_by_role("heading", level=1)).to_be_visible()
    expect(desk.page.locator("header.top")).to_be_hidden()
