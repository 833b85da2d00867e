"""R20 for keys: nothing that cannot be undone is a single click away."""

from __future__ import annotations

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from connections.custody.audit import Actor
from connections.models import ApiKey
from connections.onboarding import api_keys
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_r20_a_key_is_revoked_only_when_its_name_was_typed(open_desk: Open) -> None:
    row = api_keys.issue("worker-eu", ["token:read"], Actor(kind="staff", name="ana")).row
    desk = open_desk("admin")
    desk.go(f"/api-keys/{row.prefix}/revoke/")
    button = desk.page.get_by_role("button", name="Revoke worker-eu")
    expect(button).to_be_disabled()
    desk.page.get_by_label("Type the name").fill("worker-e")
    expect(button).to_be_disabled()
    desk.page.get_by_label("Type the name").fill("worker-eu")
    button.click()
    expect(desk.page.get_by_role("status")).to_contain_text("Revoked: worker-eu")
    assert ApiKey.objects.get().revoked_at is not None


def test_r10_the_secret_is_on_one_page_once(open_desk: Open) -> None:
    desk = open_desk("admin", java_script_enabled=False)
    desk.go("/api-keys/new/")
    desk.page.get_by_label("Name").fill("worker-us")
    desk.page.get_by_role("button", name="Make the key").click()
    expect(desk.page.locator("#secret")).to_contain_text("sga_")
    desk.page.get_by_role("link", name="I have kept it").click()
    expect(desk.page.get_by_role("rowheader", name="worker-us")).to_be_visible()
    with pytest.raises(PlaywrightError, match="CACHE_MISS"):
        desk.page.go_back()  # the browser kept no copy, and does not send the form again by itself
