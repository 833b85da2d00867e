"""Who opens no page for a while is told before he is signed out, and stays without losing what he typed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from connections.models import AuditRow, Connection, Note
from tests.browser.conftest import Desk, Open
from tests.browser.fleet import healthy
from tests.conftest import Configured
from tests.custody.conftest import Connect
from tests.dashboard.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_one_is_warned_and_stays_with_what_one_typed(open_desk: Open, configured: Configured) -> None:
    configured(session_idle=timedelta(seconds=122))
    desk = open_desk("admin")
    desk.go("/settings/users/new/")
    desk.page.get_by_label("User name").fill("half typed")
    button = desk.page.get_by_role("button", name="Stay signed in")
    expect(button).to_be_visible()
    with desk.page.expect_response("**/profile/sessions/stay/") as answered:
        button.click()
    assert answered.value.status == 204
    expect(desk.page.get_by_text("You will be signed out in two minutes")).to_be_hidden()
    expect(desk.page.get_by_label("User name")).to_have_value("half typed")


def test_one_is_warned_before_the_session_is_as_old_as_one_may_be(open_desk: Open, configured: Configured) -> None:
    configured(session_limit=timedelta(seconds=302))
    desk = open_desk("admin")
    desk.go("/profile/")
    warning = desk.page.get_by_role("alert").filter(has_text="as old as one may be")
    expect(warning).to_be_visible()
    expect(desk.page.get_by_role("button", name="Stay signed in")).to_be_hidden()
    assert desk.overflow() == 0


def test_a_second_tab_that_is_used_takes_the_warning_of_the_first_away(open_desk: Open, configured: Configured) -> None:
    """A page that polls keeps nobody signed in, but it hears how long is left."""
    configured(session_idle=timedelta(seconds=122), live=timedelta(seconds=0.3))
    desk = open_desk("viewer")
    desk.go("/system/")
    warning = desk.page.get_by_text("You will be signed out in two minutes")
    expect(warning).to_be_visible()
    configured(session_idle=timedelta(minutes=30))
    expect(warning).to_be_hidden()


def end_session_of(desk: Desk) -> None:
    """As the server does, whoever still looks at the page."""
    desk.page.context.clear_cookies(name="sessionid")


def sign_in_again(desk: Desk, name: str) -> None:
    desk.page.get_by_label("User name").fill(name)
    desk.page.get_by_label("Password").fill(PASSWORD)
    desk.page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()


def test_a_form_that_came_too_late_is_there_again_after_signing_in_but_no_secret(
    open_desk: Open, connect: Connect, configured: Configured
) -> None:
    kept = healthy(connect)
    settings = f"/connections/{kept.public_id}/settings/"
    desk = open_desk("admin")
    desk.go(settings)
    description = desk.page.locator("form").filter(has=desk.page.get_by_role("button", name="Save description"))
    secrets = desk.page.locator("form").filter(has=desk.page.get_by_role("button", name="Save secrets"))
    description.get_by_label("Label").fill("Acme Europe")
    description.get_by_label("Owner").select_option("admin")
    secrets.get_by_label("Password", exact=True).fill("canary-typed")
    secrets.get_by_label("Store the password").uncheck()
    stored = desk.page.evaluate("JSON.stringify(sessionStorage)")
    assert "Acme Europe" in stored
    assert "canary" not in stored
    end_session_of(desk)
    description.get_by_role("button", name="Save description").click()
    sign_in_again(desk, "admin")
    expect(desk.page).to_have_url(desk.address + settings)
    expect(desk.page.get_by_role("status").filter(has_text="stands here again")).to_be_visible()
    expect(description.get_by_label("Label")).to_have_value("Acme Europe")
    expect(description.get_by_label("Owner")).to_have_value("admin")
    expect(secrets.get_by_label("Password", exact=True)).to_have_value("")
    expect(secrets.get_by_label("Store the password")).not_to_be_checked()
    assert Connection.objects.get().label != "Acme Europe"
    description.get_by_role("button", name="Save description").click()
    expect(desk.page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    expect(description.get_by_label("Label")).to_have_value("Acme Europe")
    expect(desk.page.get_by_text("stands here again")).to_have_count(0)
    assert desk.page.evaluate("sessionStorage.length") == 0
    assert AuditRow.objects.filter(action="edit", target=kept.public_id).count() == 1


def test_one_who_is_signed_out_while_typing_finds_the_note_where_it_was(
    open_desk: Open, connect: Connect, configured: Configured
) -> None:
    """The form is sent to an address of its own, which shows nothing by itself; nobody else is shown what was typed."""
    kept = healthy(connect)
    configured(live=timedelta(seconds=0.3))
    desk = open_desk("operator")
    desk.go(f"/connections/{kept.public_id}/")
    note = desk.page.locator("#notes textarea")
    desk.page.get_by_text("Write a note").click()
    note.fill("The customer calls back at four.")
    end_session_of(desk)
    desk.page.get_by_role("alert").get_by_role("link", name="Sign in").click()
    sign_in_again(desk, "operator")
    expect(note).to_be_visible()
    expect(note).to_have_value("The customer calls back at four.")
    end_session_of(desk)
    note.evaluate("one => one.form.requestSubmit()")
    sign_in_again(desk, "operator")
    expect(desk.page).to_have_url(f"{desk.address}/connections/{kept.public_id}/")
    expect(note).to_have_value("The customer calls back at four.")
    note.evaluate("one => one.form.requestSubmit()")
    expect(desk.page.get_by_text("The customer calls back at four.")).to_be_visible()
    assert Note.objects.count() == 1
    desk.page.get_by_text("Write a note").click()
    note.fill("For my own eyes.")
    end_session_of(desk)
    open_desk("viewer")
    desk.go(f"/connections/{kept.public_id}/")
    sign_in_again(desk, "viewer")
    expect(desk.page.get_by_role("heading", level=1)).to_be_visible()
    assert desk.page.evaluate("sessionStorage.length") == 0
