"""A real browser in front of the real server, in front of the simulator."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from connections.models import Heartbeat, database_now
from tests.custody.conftest import connect, simulator
from tests.dashboard.people import PASSWORD, person

__all__ = ["connect", "simulator"]
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESKTOP, PHONE, NARROW = (1366, 768), (360, 740), (320, 640)


@dataclass
class Desk:
    """One person at one browser. What the browser complains about is collected; a test ends with none."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.address + path)

    def sign_in(self, name: str) -> None:
        self.go("/sign-in/")
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()

    def overflow(self) -> int:
        """Pixels that one would have to scroll sideways."""
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(script))


Open = Callable[..., Desk]


@pytest.fixture(scope="package")
def browser(chromium: str, django_db_setup: None) -> Iterator[Browser]:
    """One for all of these tests, closed before others run: Playwright keeps an event loop in this thread, beside
    which Django refuses the ORM unless told otherwise."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        running = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield running
        running.close()


@pytest.fixture
def open_desk(browser: Browser, live_server: LiveServer) -> Iterator[Open]:
    """`open_desk("operator", size=PHONE, color_scheme="dark")` signs that person in."""
    now = database_now()
    # A day ahead: it does not grow old while a test runs.
    Heartbeat.objects.create(name="worker@here", pid=1, beat_at=now + timedelta(days=1), started_at=now)
    contexts: list[BrowserContext] = []
    desks: list[Desk] = []

    def make(role: str | None = "admin", *, size: tuple[int, int] = DESKTOP, **options: Any) -> Desk:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        desk = Desk(page=context.new_page(), address=live_server.url)
        desks.append(desk)
        desk.page.on("console", lambda said: desk.complaints.append(said.text) if said.type == "error" else None)
        desk.page.on("pageerror", lambda error: desk.complaints.append(str(error)))
        if role is not None:
            desk.sign_in(person(role).username)
        return desk

    yield make
    for context in contexts:
        context.close()
    assert [complaint for desk in desks for complaint in desk.complaints] == []
