"""The wizard in a real browser: with scripts the checks show one by one, without any it comes to the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from connections.models import Connection, TokenVersion
from connections.onboarding import access
from connections.simulator import SimulatorServer
from tests.browser.conftest import NARROW, PHONE, Desk, Open
from tests.browser.fleet import healthy
from tests.custody.conftest import ANA, Connect
from tests.dashboard.walking import PASSWORD, Walk, walk_on
from tests.egress.listener import Authority

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PLATFORM = "sugaradmin_acme"
REFUSED = "Failed to load resource: the server responded with a status of 422"


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[SimulatorServer, Authority]]:
    """A Sugar behind TLS, with an authority of its own."""
    authority = Authority(tmp_path)
    authority.server_context("127.0.0.1")
    pem = str(tmp_path / "127.0.0.11.pem")
    with SimulatorServer(tls=(pem, pem)) as running:
        running.world.add_instance("acme", "14.0").tables.platforms.add(PLATFORM)
        yield running, authority


def begin(desk: Desk, pasted: str, *, ca_pem: str = "") -> None:
    desk.go("/connections/new/")
    desk.page.get_by_label("Tenant").fill("acme")
    desk.page.get_by_label("Label").fill("Acme EU")
    desk.page.get_by_label("Address of the Sugar instance").fill(pasted)
    if ca_pem:
        desk.page.get_by_text("its own certificate authority").click()
        desk.page.get_by_label("Own CA certificate").fill(ca_pem)
    desk.page.get_by_role("button", name="Check the address").click()
    expect(desk.page.get_by_role("heading", name="This is a Sugar")).to_be_visible()


def to_platform(desk: Desk) -> None:
    desk.page.get_by_role("link", name="Continue to the platform").click()
    expect(desk.page.get_by_label("Platform", exact=True)).to_have_value(PLATFORM)


def to_test(desk: Desk, password: str) -> None:
    desk.page.get_by_role("button", name="Save and continue").click()
    desk.page.get_by_label("User name").fill("svc")
    desk.page.get_by_label("Password", exact=True).fill(password)
    desk.page.get_by_role("button", name="Save and continue to the test").click()
    expect(desk.page.get_by_role("heading", name="Ready for the test")).to_be_visible()


def forgive_refusals(desk: Desk) -> None:
    """The browser complains of every page that says 422; that page was asked for."""
    desk.complaints[:] = [words for words in desk.complaints if not words.startswith(REFUSED)]


def run(command: list[str], key: str, folder: Path) -> str:
    """As an integrator does: in a shell of his own, with the key in the environment."""
    surroundings = {
        "PATH": os.environ["PATH"],
        "SUGARADMIN_API_KEY": key,
        "SSL_CERT_FILE": str(folder / "authority.pem"),
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def snippet(page: Page, name: str) -> str:
    return page.locator(f"#snippet-{name}").inner_text()


def test_r5_an_instance_is_onboarded_in_five_steps(
    open_desk: Open, connect: Connect, secure: tuple[SimulatorServer, Authority], configured: object, tmp_path: Path
) -> None:
    """Anything pasted, `base` and a bad name refused inline, at least four checks with times, lines that run."""
    server, authority = secure
    configured(allow_http=False)  # type: ignore[operator]
    (tmp_path / "authority.pem").write_text(authority.pem)
    desk, began = open_desk("admin"), time.monotonic()
    page = desk.page
    begin(desk, f"http://127.0.0.1:{server.port}/i/acme/#Accounts/abc", ca_pem=authority.pem)
    findings = page.locator(".findings li")
    secured = f"https://127.0.0.1:{server.port}/i/acme answers; its certificate is valid until"
    expect(findings.filter(has_text=secured)).to_have_count(1)
    expect(findings.filter(has_text="/rest/v11_24/")).to_have_count(1)
    expect(page.locator(".finding-time")).to_have_text([re.compile(r"^\d+ ms$")] * 4)
    to_platform(desk)
    field = page.get_by_label("Platform", exact=True)
    for name, words in (("base", "one of Sugar's own platforms"), ("bad name!", "Sugar allows 1 to 127 letters")):
        field.fill(name)
        page.get_by_role("button", name="Save and continue").click()
        expect(page.locator("#id_platform_error")).to_contain_text(words)
        expect(field).to_have_attribute("aria-describedby", re.compile("id_platform_error"))
    forgive_refusals(desk)
    field.fill(PLATFORM)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text(f"The instance knows “{PLATFORM}”.")).to_be_visible()
    to_test(desk, "secret")
    expect(page.get_by_text("becomes its live session")).to_be_visible()
    page.get_by_role("button", name="Sign in and test").click()
    expect(page.get_by_role("heading", name="Connected, and the chain is proven")).to_be_visible()
    assert time.monotonic() - began < 90
    page.get_by_text("The checks").click()
    expect(page.locator(".checks li .nowrap")).to_have_text([re.compile(r"^\d+ ms$")] * 4)
    row = Connection.objects.get()
    key = access.create_api_key("worker", ["token:read"], ANA).key
    assert row.public_id in snippet(page, "curl")
    assert '"access_token"' in run(["sh", "-c", snippet(page, "curl")], key, tmp_path)
    for name in ("httpx", "client"):
        assert run([sys.executable, "-c", snippet(page, name)], key, tmp_path).strip() == "200"


def test_r6_a_failed_test_loses_nothing_and_saves_nothing(
    open_desk: Open, connect: Connect, simulator: SimulatorServer
) -> None:
    other = healthy(connect)
    before = stored_elsewhere(other.public_id)
    walk = walk_on(simulator)
    walk.sugar.add_platform(PLATFORM)
    walk.sugar.admin_change_password("svc", PASSWORD)
    desk = open_desk("admin")
    page = desk.page
    begin(desk, walk.url)
    to_platform(desk)
    to_test(desk, "not the password")
    page.get_by_role("button", name="Sign in and test").click()
    expect(page.get_by_role("heading", name="The test stopped")).to_be_focused()
    expect(page.locator("article.diagnosis")).to_contain_text("bad_credentials")
    field = page.get_by_label("Password", exact=True)
    expect(field).to_have_attribute("aria-describedby", re.compile("id_password_error"))
    expect(page.locator("#id_password_error")).not_to_be_empty()
    expect(field).to_have_value("")
    expect(page.get_by_label("User name", exact=True)).to_have_value("svc")
    assert stored_elsewhere(other.public_id) == before
    page.get_by_role("link", name="Save as draft").click()
    page.get_by_role("link", name="Acme EU", exact=True).click()
    expect(page.get_by_text("It has never signed in").or_(page.locator("article.diagnosis")).first).to_be_visible()
    page.get_by_role("link", name="Continue the set-up").click()
    walk.sugar.admin_change_password("svc", "not the password")
    page.get_by_role("button", name="Test again").click()
    expect(page.get_by_role("heading", name="Connected, and the chain is proven")).to_be_visible()


def stored_elsewhere(public_id: str) -> list[object]:
    """All that is stored of another connection and its tokens."""
    rows = Connection.objects.filter(public_id=public_id).values_list()
    return [*rows, *TokenVersion.objects.filter(connection__public_id=public_id).order_by("pk").values_list()]


def test_the_checks_show_one_by_one_while_they_are_made(
    open_desk: Open, connect: Connect, simulator: SimulatorServer
) -> None:
    desk, walk = at_the_test(open_desk, simulator)
    walk.sugar.chaos("slow", seconds=1, endpoint="token", grant="refresh")
    states = desk.page.locator(".checks li")
    desk.page.get_by_role("button", name="Sign in and test").click()
    for position, state in enumerate(("good", "good", "running", "waiting")):
        expect(states.nth(position)).to_have_attribute("data-state", state)
    expect(states.nth(2)).to_contain_text("running")
    expect(desk.page.get_by_role("heading", name="Connected, and the chain is proven")).to_be_visible()


def at_the_test(open_desk: Open, simulator: SimulatorServer, **options: object) -> tuple[Desk, Walk]:
    walk = walk_on(simulator)
    walk.sugar.add_platform(PLATFORM)
    desk = open_desk("admin", **options)
    begin(desk, walk.url)
    to_platform(desk)
    to_test(desk, "secret")
    return desk, walk


def test_r25_the_wizard_works_without_scripts_in_one_request(
    open_desk: Open, connect: Connect, simulator: SimulatorServer
) -> None:
    desk, _ = at_the_test(open_desk, simulator, java_script_enabled=False)
    expect(desk.page.locator("[data-reveals]")).to_have_count(0)
    desk.page.get_by_role("button", name="Sign in and test").click()
    expect(desk.page.get_by_role("heading", name="Connected, and the chain is proven")).to_be_visible()


def test_what_is_typed_can_be_looked_at_and_is_hidden_before_it_leaves(
    open_desk: Open, connect: Connect, simulator: SimulatorServer
) -> None:
    walk = walk_on(simulator)
    walk.sugar.add_platform(PLATFORM)
    desk = open_desk("admin")
    begin(desk, walk.url)
    to_platform(desk)
    desk.page.get_by_role("button", name="Save and continue").click()
    field = desk.page.get_by_label("Password", exact=True)
    field.fill("secret")
    desk.page.get_by_role("button", name="Show what you type").click()
    expect(field).to_have_attribute("type", "text")
    desk.page.get_by_role("button", name="Hide it").click()
    expect(field).to_have_attribute("type", "password")
    kept = connect("13.3")
    for page in ("actions/sign-in/", "settings/"):
        desk.go(f"/connections/{kept.public_id}/{page}")
        desk.page.get_by_role("button", name="Show what you type").first.click()
        expect(field).to_have_attribute("type", "text")


@pytest.mark.parametrize("size", [PHONE, NARROW], ids=["phone", "narrow"])
def test_no_step_scrolls_sideways(
    open_desk: Open, connect: Connect, simulator: SimulatorServer, size: tuple[int, int]
) -> None:
    desk, _ = at_the_test(open_desk, simulator, size=size)
    base = desk.page.url.removesuffix("review/").removeprefix(desk.address)
    too_wide = {
        step: over
        for step in ("address/", "platform/", "credentials/", "review/")
        if (over := visit(desk, base + step))
    }
    desk.page.get_by_role("button", name="Sign in and test").click()
    expect(desk.page.get_by_role("heading", name="Connected, and the chain is proven")).to_be_visible()
    assert (too_wide, desk.overflow()) == ({}, 0)
    assert visit(desk, "/connections/") == 0


def visit(desk: Desk, path: str) -> int:
    desk.go(path)
    return desk.overflow()
