"""R19 and the rest of R25: every page, as axe-core, a narrow screen and the console see it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.db import OperationalError
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from connections.dashboard import queries
from connections.dashboard.worker_codes import WORKER_CODES
from connections.diagnosis import CATALOGUE
from connections.models import Heartbeat, database_now
from connections.simulator import SimulatorServer
from sugaradmin.config import Mail, SingleSignOn
from tests.browser import tour as tours
from tests.browser.axe import violations
from tests.browser.conftest import DESKTOP, NARROW, PHONE, Desk
from tests.browser.tour import Stop, Tour
from tests.conftest import Configured
from tests.custody.conftest import Connect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIDES = list(itertools.product(("light", "dark"), (DESKTOP, PHONE, NARROW)))
WIDTHS = (768, 780, 900, 1024, 1100, 1280)
"""Between a phone and a desktop: where the menu folds, and a table drops columns."""
CUT_OFF = """() => [...document.querySelectorAll(".table")].some(one =>
  one.getBoundingClientRect().right > one.parentElement.getBoundingClientRect().right + 1 &&
  getComputedStyle(one.parentElement).overflowX === "hidden")"""
MAIL = Mail(host="mail.example", port=25, user="", password="", security="none", sender="desk@example.com")
NOBODY_THERE = SingleSignOn(
    issuer="http://127.0.0.1:9", client_id="desk", client_secret="s", name="Staff login", claim="sub"
)


@pytest.fixture
def tour(connect: Connect, simulator: SimulatorServer, configured: Configured) -> Tour:
    found = tours.set_out(connect, simulator)
    configured(mail=MAIL, single_sign_on=NOBODY_THERE)
    return found


class Visitors:
    """A page for each asker, with what the console says on it."""

    def __init__(self, browser: Browser, address: str, tour: Tour) -> None:
        self.browser, self.address, self.tour = browser, address, tour
        self.desks: dict[str, Desk] = {}

    def at(self, stop: Stop) -> Desk:
        desk = self.desks.get(stop.asker) or self._enter(stop.asker)
        desk.complaints.clear()
        desk.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        answer = desk.page.goto(self.address + stop.path)
        if answer is None or answer.status != stop.status:
            desk.complaints.append(f"answered {answer and answer.status}")
        if stop.status >= 400:  # Chromium writes those of a page to the console
            desk.complaints[:] = [said for said in desk.complaints if f"status of {stop.status}" not in said]
        return desk

    def _enter(self, asker: str) -> Desk:
        context = self.browser.new_context(reduced_motion="reduce")  # a colour that still changes has no contrast
        if asker in self.tour.clients:
            session = self.tour.clients[asker].cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.address}])
        desk = self.desks[asker] = Desk(page=context.new_page(), address=self.address)
        desk.page.on("console", lambda said: desk.complaints.append(said.text) if said.type == "error" else None)
        desk.page.on("pageerror", lambda error: desk.complaints.append(str(error)))
        return desk

    def leave(self) -> None:
        for desk in self.desks.values():
            desk.page.context.close()


@pytest.fixture
def visitors(browser: Browser, live_server: LiveServer, tour: Tour) -> Iterator[Visitors]:
    now = database_now()
    Heartbeat.objects.create(name="worker@here", pid=1, beat_at=now, started_at=now)
    found = Visitors(browser, live_server.url, tour)
    yield found
    found.leave()


def look(page: Page, scheme: str, size: tuple[int, int]) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": size[0], "height": size[1]})


def complaints(desk: Desk) -> list[str]:
    """What axe-core has against the page as it is now, and how far one would have to scroll sideways."""
    over = desk.overflow()
    return violations(desk.page) + ([f"{over} px too wide"] if over else [])


def too_wide(desk: Desk, widths: Sequence[int]) -> list[str]:
    """At which widths one would have to scroll sideways, or could not and sees a table without its end."""
    said = []
    for width in widths:
        look(desk.page, "light", (width, DESKTOP[1]))
        said += [f"{desk.overflow()} px too wide at {width} px"] if desk.overflow() else []
        said += [f"a table is cut off at {width} px"] if desk.page.evaluate(CUT_OFF) else []
    return said


@pytest.mark.parametrize("half", [0, 1])
def test_r19_axe_clean(visitors: Visitors, tour: Tour, half: int) -> None:
    """Every page once, where it is narrowest: nothing scrolls sideways, every target is large enough, no policy is
    broken."""
    found = []
    for stop in tour.addresses()[half::2]:
        desk = visitors.at(stop)
        look(desk.page, "light", NARROW)
        found += [f"{stop}: {line}" for line in (*complaints(desk), *desk.complaints)]
    assert found == [], "\n".join(found)


def test_r19_the_pages_seen_most_are_clean_in_both_themes_at_every_width(visitors: Visitors, tour: Tour) -> None:
    assert (found := _seen_from_all_sides(visitors, tour.key_pages())) == [], "\n".join(found)


@pytest.mark.campaign
def test_r19_every_page_is_clean_in_both_themes_at_every_width(visitors: Visitors, tour: Tour) -> None:
    articles = [Stop(path=f"/help/{code}/", asker="") for code in [*CATALOGUE, *WORKER_CODES]]
    assert (found := _seen_from_all_sides(visitors, tour.stops() + articles)) == [], "\n".join(found)


def _seen_from_all_sides(visitors: Visitors, stops: list[Stop]) -> list[str]:
    found = []
    for stop in stops:
        desk = visitors.at(stop)
        found += [f"{stop}: {line}" for line in too_wide(desk, WIDTHS)]
        for scheme, size in SIDES:
            look(desk.page, scheme, size)
            found += [f"{stop} {scheme} {size[0]}: {line}" for line in complaints(desk)]
        found += [f"{stop}: {line}" for line in desk.complaints]
    return found


def test_r19_the_pages_of_what_went_wrong_are_clean(
    visitors: Visitors, tour: Tour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours, a database that is away, and a form whose session is gone."""
    troubles = [(RuntimeError(), 500, "Trouble"), (OperationalError(), 503, "Database away")]
    for trouble, status, title in troubles:
        monkeypatch.setattr(queries, "heartbeats", Mock(side_effect=trouble))
        desk = visitors.at(Stop(path="/system/", status=status))
        assert desk.page.title() == f"{title} · Sugaradmin"
        assert [*complaints(desk), *desk.complaints] == []
    desk = visitors.at(Stop(path="/sign-in/", asker=""))
    desk.page.get_by_label("User name").fill("ana")
    desk.page.get_by_label("Password").fill("a pass phrase")
    desk.page.context.clear_cookies()
    with desk.page.expect_navigation():
        desk.page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    assert desk.page.title() == "Nothing was done · Sugaradmin"
    assert complaints(desk) == []
