"""R17: the customer's admin, a phone, a link from a mail."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import expect

from connections.choices import LinkKind
from connections.models import Connection, CustomerLink, database_now
from connections.onboarding import links
from tests.browser.conftest import NARROW, PHONE, Desk, Open
from tests.browser.fleet import down
from tests.conftest import Configured
from tests.custody.conftest import ANA, Connect, Kept

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def sent(kept: Kept, kind: LinkKind = LinkKind.SIGN_IN) -> tuple[CustomerLink, str]:
    """The link and the path in the mail."""
    issued = links.issue(kept.public_id, kind, ANA, tenants=None, seen=kept.row.links.count())
    return issued.link, "/" + issued.url.split("/", 3)[3]


def type_password(desk: Desk, password: str, *, field: str = "Password", button: str = "Connect") -> None:
    desk.page.get_by_label(field, exact=True).fill(password)
    with desk.page.expect_navigation():
        desk.page.get_by_role("button", name=button).click()


def expected_refusal(desk: Desk) -> None:
    """Chromium writes every 4xx of a page to the console."""
    assert all("status of 4" in complaint for complaint in desk.complaints), desk.complaints
    desk.complaints.clear()


def test_r17_the_customer_reconnects_on_a_phone(open_desk: Open, connect: Connect, configured: Configured) -> None:
    configured(live=timedelta(seconds=0.5))
    kept = down(connect)
    link, path = sent(kept)
    phone = open_desk(None, size=PHONE, has_touch=True)
    for _ in range(10):  # the scanner of a mail server
        httpx.get(phone.address + path, follow_redirects=True, trust_env=False)
    answer = phone.page.goto(phone.address + path)
    assert answer is not None
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert phone.page.url == f"{phone.address}/r/{link.public_id}/"
    assert path.split("/")[2] not in phone.page.content()
    assert phone.overflow() == 0
    staff = open_desk("operator")
    staff.go(f"/connections/{kept.public_id}/")
    expect(staff.page.locator(".head .badge")).to_have_text("Down")

    type_password(phone, "wrong")
    expect(phone.page.get_by_role("alert")).to_contain_text("Sugar did not accept this password")
    expect(phone.page.get_by_label("Password", exact=True)).to_have_value("")
    expected_refusal(phone)
    type_password(phone, "secret")
    expect(phone.page.get_by_role("heading", name="Connected")).to_be_visible()
    assert kept.row.status == "healthy"
    assert Connection.objects.filter(tenant=kept.row.tenant).count() == 1, "the same connection, no second one"
    expect(staff.page.locator(".head .badge")).to_have_text("Healthy")  # by itself

    phone.go(path)
    expect(phone.page.get_by_role("heading", name="This link has been used")).to_be_visible()
    expect(phone.page.get_by_role("button", name="Ask for a new link")).to_be_visible()
    expected_refusal(phone)


@pytest.mark.parametrize(
    ("how", "words"),
    [("expired", "This link has expired"), ("revoked", "This link was withdrawn"), ("void", "This link is void")],
)
def test_r17_a_link_that_ended_has_a_page_and_a_button(open_desk: Open, connect: Connect, how: str, words: str) -> None:
    kept = down(connect)
    link, path = sent(kept)
    if how == "revoked":
        links.revoke(kept.public_id, link.public_id, ANA, tenants=None)
    else:
        change = {"expires_at": database_now()} if how == "expired" else {"generation": 99}
        CustomerLink.objects.filter(pk=link.pk).update(**change)
    phone = open_desk(None, size=PHONE)
    phone.go(path)
    expect(phone.page.get_by_role("heading", name=words)).to_be_visible()
    with phone.page.expect_navigation():
        phone.page.get_by_role("button", name="Ask for a new link").click()
    expect(phone.page.get_by_role("status")).to_contain_text("We have been told")
    assert phone.overflow() == 0
    expected_refusal(phone)
    staff = open_desk("operator")
    staff.go(f"/connections/{kept.public_id}/")
    expect(staff.page.get_by_text("The customer asked for a new link", exact=True)).to_be_visible()


def test_r17_the_page_speaks_the_customers_language(open_desk: Open, connect: Connect) -> None:
    _, path = sent(down(connect))
    phone = open_desk(None, size=NARROW, has_touch=True, locale="de-DE")
    phone.go(path)
    expect(phone.page.get_by_role("button", name="Verbinden")).to_be_visible()
    assert phone.overflow() == 0
    phone.page.get_by_role("navigation", name="Sprache").get_by_role("link", name="English").click()
    expect(phone.page.get_by_role("button", name="Connect")).to_be_visible()
    phone.go(path)
    expect(phone.page.get_by_role("button", name="Connect")).to_be_visible()
    phone.page.get_by_role("link", name="Deutsch").click()
    expect(phone.page.get_by_role("button", name="Verbinden")).to_be_visible()
    type_password(phone, "wrong", field="Passwort", button="Verbinden")
    expect(phone.page.get_by_role("alert")).to_contain_text("Sugar hat dieses Passwort nicht angenommen")
    expected_refusal(phone)


def test_two_links_in_one_browser_keep_apart(open_desk: Open, connect: Connect) -> None:
    """Each cookie goes to its own link's pages only; a form of an open tab acts on its own connection."""
    first, second = down(connect), connect("13.3", fields={"store_password": False})
    phone = open_desk(None, size=PHONE)
    phone.go(sent(first)[1])
    other = phone.page.context.new_page()
    other.goto(phone.address + sent(second)[1])
    type_password(phone, "secret")
    expect(phone.page.get_by_role("heading", name="Connected")).to_be_visible()
    assert (first.row.status, second.row.version_count) == ("healthy", 1)


def test_r25_a_link_works_without_scripts_and_on_the_narrowest_screen(open_desk: Open, connect: Connect) -> None:
    kept = down(connect)
    phone = open_desk(None, size=NARROW, java_script_enabled=False)
    phone.go(sent(kept)[1])
    type_password(phone, "secret")
    expect(phone.page.get_by_role("heading", name="Connected")).to_be_visible()
    assert kept.row.status == "healthy"


def test_a_page_that_waits_follows_by_itself(
    open_desk: Open, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = down(connect)
    monkeypatch.setattr(links, "MOST_WAIT", 0.0)
    kept.sugar.pace(insert_row=1.0)
    phone = open_desk(None, size=PHONE)
    phone.go(sent(kept)[1])
    type_password(phone, "secret")
    expect(phone.page.get_by_role("heading", name="We are signing in")).to_be_visible()
    expect(phone.page.get_by_role("heading", name="Connected")).to_be_visible(timeout=10_000)
    kept.sugar.pace()


def test_staff_send_a_link_and_the_guide(open_desk: Open, connect: Connect) -> None:
    kept = down(connect)
    desk = open_desk("operator")
    desk.go(f"/connections/{kept.public_id}/")
    desk.page.locator("article.diagnosis").get_by_role("link", name="Send the customer a sign-in link").click()
    desk.page.get_by_role("button", name="Make a sign-in link").click()
    shown = desk.page.get_by_role("status").locator("code")
    expect(shown).to_have_text(re.compile(r"/r/[\w-]{43}$"))
    desk.page.get_by_role("button", name="Make a guide link").click()
    expect(shown).to_have_text(re.compile(r"/s/[\w-]{43}$"))
    guide = open_desk(None, size=PHONE)
    guide.go("/" + str(shown.text_content()).split("/", 3)[3])
    expect(guide.page.get_by_role("heading", level=1)).to_contain_text(kept.row.platform)
    expect(guide.page.get_by_role("listitem").filter(has_text="Configure API Platforms").first).to_be_visible()
    assert guide.overflow() == 0
