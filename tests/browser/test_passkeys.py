"""Passkeys in a real browser, with the authenticator that Chromium brings for tests."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import CDPSession, Page, expect

from connections.models import AuditRow
from tests.browser.conftest import Desk, Open
from tests.dashboard.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def plug_in(page: Page, **options: Any) -> CDPSession:
    """An authenticator that keeps passkeys and recognises its owner, unless told otherwise."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    wanted = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": wanted | options})
    return session


def add_passkey(desk: Desk, name: str, *, alone: bool = True) -> None:
    desk.go("/profile/security/passkeys/add/")
    desk.page.get_by_label("Name").fill(name)
    if not alone:
        desk.page.get_by_label("Sign in with it alone").uncheck()
    with desk.page.expect_navigation():
        desk.page.get_by_role("button", name="Add a passkey").click()


def sign_out(desk: Desk) -> None:
    with desk.page.expect_navigation():
        desk.page.get_by_role("button", name="Sign out").click()


def test_a_passkey_is_added_signs_in_alone_and_is_removed(open_desk: Open) -> None:
    desk = open_desk("admin")
    plug_in(desk.page)
    add_passkey(desk, "office laptop")
    expect(desk.page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    expect(desk.page.locator("#codes")).to_have_text(re.compile(r"\d{8}"))
    desk.go("/profile/security/")
    expect(desk.page.get_by_role("main")).to_contain_text("office laptop")
    expect(desk.page.get_by_role("main")).to_contain_text("signs in alone")

    sign_out(desk)
    desk.go("/system/")
    with desk.page.expect_navigation(url=re.compile("/system/")):
        desk.page.get_by_role("button", name="Sign in with a passkey").click()
    assert AuditRow.objects.filter(action="sign_in").latest("id").difference == {"ways": ["webauthn"]}

    desk.go("/profile/security/")
    desk.page.get_by_role("link", name="Rename office laptop").click()
    desk.page.get_by_role("textbox", name="Name").fill("old laptop")
    with desk.page.expect_navigation():
        desk.page.get_by_role("button", name="Save").click()
    desk.page.get_by_role("link", name="Remove old laptop").click()
    with desk.page.expect_navigation():
        desk.page.get_by_role("button", name="Remove the passkey").click()
    assert not Authenticator.objects.exists()


def test_a_key_that_knows_no_owner_is_the_second_step_after_the_password(open_desk: Open) -> None:
    desk = open_desk("admin")
    plug_in(desk.page, transport="usb", hasResidentKey=False, hasUserVerification=False, isUserVerified=False)
    add_passkey(desk, "blue key", alone=False)
    sign_out(desk)
    desk.go("/sign-in/")
    desk.page.get_by_label("User name").fill("admin")
    desk.page.get_by_label("Password").fill(PASSWORD)
    with desk.page.expect_navigation(url=re.compile("/sign-in/code/")):
        desk.page.get_by_role("button", name="Sign in", exact=True).click()
    with desk.page.expect_navigation(url=re.compile("/overview/")):
        desk.page.get_by_role("button", name="Use a passkey").click()


def test_a_passkey_confirms_who_it_is(open_desk: Open) -> None:
    desk = open_desk("admin")
    plug_in(desk.page)
    add_passkey(desk, "office laptop")
    desk.go("/sign-in/again/passkey/?next=/system/")
    with desk.page.expect_navigation(url=re.compile("/system/")):
        desk.page.get_by_role("button", name="Use a passkey").click()
    expect(desk.page.get_by_role("status")).to_contain_text("It is you")


def test_a_passkey_that_is_refused_by_its_owner_is_said_and_opens_nothing(open_desk: Open) -> None:
    desk = open_desk("admin")
    session = plug_in(desk.page)
    add_passkey(desk, "office laptop")
    sign_out(desk)
    session.send("WebAuthn.disable")
    plug_in(desk.page)
    desk.go("/sign-in/")
    desk.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(desk.page.locator("[data-passkey-trouble]")).to_be_visible()
    expect(desk.page.get_by_role("button", name="Sign in with a passkey")).to_be_enabled()


def test_a_made_up_answer_opens_nothing(open_desk: Open) -> None:
    desk = open_desk("admin")
    plug_in(desk.page)
    add_passkey(desk, "office laptop")
    sign_out(desk)
    desk.go("/sign-in/")
    for made_up in ("{}", "[]", '{"id":"x","rawId":"x","type":"public-key","response":{}}', "null", "nonsense"):
        desk.page.evaluate(
            """told => { const form = document.querySelector("[data-passkey]");
                         form.elements.credential.value = told; form.submit(); }""",
            made_up,
        )
        expect(desk.page).to_have_url(re.compile("/sign-in/$"))
        expect(desk.page.get_by_label("User name")).to_be_visible()
    assert AuditRow.objects.filter(action="sign_in", outcome="failed").exists()
