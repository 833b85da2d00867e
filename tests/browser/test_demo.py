"""The pages that only a demo has, in a real browser: as axe-core sees them, and a scene played by a click."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import DESKTOP, NARROW
from tests.demo.running import Demo, demo

__all__ = ["demo"]
pytestmark = pytest.mark.browser
OUT_OF_ROOM = """tiles => tiles.filter(tile => {
    const words = document.createRange();
    words.selectNodeContents(tile);
    const room = tile.getBoundingClientRect().right - parseFloat(getComputedStyle(tile).paddingRight);
    return words.getBoundingClientRect().right > room + 0.5;
}).map(tile => tile.textContent.trim())"""
"""Tiles whose words run into the padding at their end."""


def test_scenes_and_style_guide_are_for_everybody_and_a_click_breaks_a_connection(demo: Demo, browser: Browser) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    _sign_in(page, demo)
    for path in ("/demo/", "/styleguide/"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
            page.goto(demo.url + path)
            assert violations(page) == [], f"{path} {scheme}"
        for width, height in (DESKTOP, NARROW):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} {width}"
    for path in ("/styleguide/", "/overview/"):
        page.goto(demo.url + path)
        for width in (1366, 1280, 1200, 1000, 700, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.locator(".tile").evaluate_all(OUT_OF_ROOM) == [], f"{path} {width}"
    page.goto(f"{demo.url}/demo/")
    scene = page.locator("#maintenance")
    scene.get_by_role("button", name="Let it happen").click()
    expect(scene.get_by_role("link", name=re.compile("Switch maintenance on"))).to_be_visible()
    page.locator(".messages").get_by_role("link").click()
    expect(page.locator("#diagnosis")).to_have_text("Sugar is in maintenance mode")
    assert complaints == []
    context.close()


def _sign_in(page: Page, demo: Demo) -> None:
    password = demo.said(r"Sign in as demo with the password (\S+) ")[1]
    page.goto(f"{demo.url}/sign-in/")
    page.locator("[name=login]").fill("demo")
    page.locator("[name=password]").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
