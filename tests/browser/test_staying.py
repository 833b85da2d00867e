"""Who opens no page for a while is told before he is signed out, and stays without losing what he typed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.conftest import Configured

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
