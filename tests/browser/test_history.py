"""Timeline and lineage: what happened, drawn and in words."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from connections.choices import VersionState
from connections.custody import actions, keys
from connections.models import Event, Profile, TokenVersion
from tests.browser.conftest import Open
from tests.browser.fleet import bad_credentials
from tests.browser.test_dashboard import page_of
from tests.custody.conftest import ANA, Connect
from tests.dashboard.people import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CLOCK = re.compile(r"\b(\d\d):(\d\d):(\d\d)\b")


def numbers_of(plot: Locator) -> tuple[dict[str, int], dict[str, int]]:
    """Counts by kind as they are drawn (told by each column), and as the table has them."""
    drawn: dict[str, int] = {}
    for told in set(plot.locator("rect title").evaluate_all("all => all.map(one => one.textContent)")):
        for word, count in re.findall(r"(\w+) (\d+)(?:,|$)", told.split(": ", 1)[1]):
            drawn[word] = drawn.get(word, 0) + int(count)
    heads = plot.locator("thead th").all_text_contents()[1:]
    rows = [row.locator("td").all_text_contents() for row in plot.locator("tbody tr").all()]
    sums = {head: sum(int(cells[place]) for cells in rows) for place, head in enumerate(heads)}
    return drawn, {head: count for head, count in sums.items() if count}


ABOVE = "one => one.getBoundingClientRect().bottom <= one.nextElementSibling.getBoundingClientRect().top"


def test_r15_the_timeline_is_a_plot_a_table_and_an_address(open_desk: Open, connect: Connect) -> None:
    kept = bad_credentials(connect)
    desk = open_desk("viewer")
    desk.go(page_of(kept, "timeline/?span=30d"))
    for svg in desk.page.locator("figure svg[role=img]").all():
        assert svg.locator("xpath=./*[1]").evaluate("one => one.tagName") == "title"
        assert svg.locator("xpath=./*[2]").evaluate("one => one.tagName") == "desc"
    tops = desk.page.locator(".plot-top")
    expect(tops).to_have_count(2)
    assert all(top.evaluate(ABOVE) for top in tops.all()), "no number of an axis covers what is drawn"
    drawn, tabled = numbers_of(desk.page.locator("[data-plot=events]"))
    assert drawn == tabled
    assert sum(drawn.values()) == Event.objects.filter(connection=kept.row).count()
    flips = desk.page.locator("[data-plot=band] + details tbody tr")
    assert [row.locator(".badge").inner_text() for row in flips.all()][-2:] == ["Healthy", "Draft"]
    desk.page.get_by_role("link", name="Trouble").click()
    assert desk.page.url.endswith("/timeline/?span=30d&kind=trouble")
    expect(desk.page.locator("#rows li").first).to_be_visible()
    drawn, tabled = numbers_of(desk.page.locator("[data-plot=events]"))
    assert drawn == tabled
    assert set(drawn) <= {"Trouble", "Doubt", "Well"}


def test_r15_an_event_is_linked_to_and_opens_focused(open_desk: Open, connect: Connect) -> None:
    kept = connect("13.3")
    desk = open_desk("viewer")
    desk.go(page_of(kept, "events/2/"))
    expect(desk.page.locator("#event")).to_be_focused()
    desk.page.get_by_role("link", name="In the timeline").click()
    expect(desk.page.locator("#e2")).to_be_focused()
    expect(desk.page.locator("#e2")).to_be_in_viewport()


def test_r15_the_zone_changes_all_times_at_once_and_is_named(open_desk: Open, connect: Connect) -> None:
    kept = connect("13.3")
    Profile.objects.create(user=person("viewer"), time_zone="Asia/Kolkata")
    desk = open_desk("viewer")
    desk.go(page_of(kept, "timeline/"))
    expect(desk.page.locator("#freshness")).to_contain_text("all times Asia/Kolkata")
    india = clocks(desk.page)
    with desk.page.expect_navigation():
        desk.page.get_by_role("button", name="Show UTC").click()
    expect(desk.page.locator("#freshness")).to_contain_text("all times UTC")
    world = clocks(desk.page)
    assert len(india) == len(world) > 2
    assert {(there - here) % 1440 for here, there in zip(world, india, strict=True)} == {330}
    with desk.page.expect_navigation():
        desk.page.get_by_role("button", name="Show Asia/Kolkata").click()
    assert clocks(desk.page) == india


def clocks(page: Page) -> list[int]:
    """Minutes since midnight of every moment on the page but the one at which it was made."""
    texts = page.locator("main time").all_inner_texts()
    found = [match for text in texts if (match := CLOCK.search(text))]
    return [int(match[1]) * 60 + int(match[2]) for match in found]


def test_r16_the_lineage_shows_every_version_and_the_grant_that_went_astray(open_desk: Open, connect: Connect) -> None:
    kept = connect("13.3", fields={"server_seconds": 3600})
    for _ in range(4):
        actions.rotate(kept.public_id, ANA)
    kept.sugar.chaos("lost", grant="refresh", count=1)
    assert actions.rotate(kept.public_id, ANA).outcome == "failed"
    desk = open_desk("operator")
    desk.go(page_of(kept, "tokens/"))
    rows = desk.page.locator(".lineage tbody tr")
    expect(rows).to_have_count(6)
    expect(desk.page.locator(".lineage tr[data-state=live]")).to_have_count(1)
    astray = desk.page.locator(".lineage tr[data-state=astray]")
    expect(astray).to_contain_text("In doubt")
    expect(astray).to_contain_text("after v5")
    expect(astray).to_contain_text("Repair")
    assert rows.first.get_attribute("data-state") == "astray", "what was sent last stands on top"
    prints = desk.page.locator(".lineage tr[id^=v] td:nth-child(4) > div > code").all_inner_texts()
    assert len(set(prints)) == 5
    assert set(prints) == set(TokenVersion.objects.filter(connection=kept.row).values_list("fingerprint", flat=True))
    live = TokenVersion.objects.get(connection=kept.row, state=VersionState.LIVE)
    page = desk.page.content()
    for token in (keys.opened_access(kept.row, live), keys.opened_refresh(kept.row, live)):
        assert token not in page
