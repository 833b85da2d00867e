"""No secret in any page: seeded everywhere, looked for everywhere, also in disguise."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from django.http import HttpResponse
from django.test import Client

from connections.custody import handout, keys
from connections.models import Connection, TokenVersion
from connections.onboarding import registry
from tests.custody.conftest import ANA, Connect, Kept
from tests.dashboard.people import signed_in
from tests.dashboard.sending import send

PASSWORD = "canary/password+1 ü"
CLIENT_SECRET = "canary-client-secret"
TABS = ("", "timeline/", "tokens/", "attempts/", "settings/", "bundle/", "attempts/1/", "attempts/2/", "attempts/3/")
ACTIONS = ("test", "rotate", "sign-in", "repair", "pause", "resume", "hold")


def disguises(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield base64.b64encode(secret.encode()).decode()
    yield secret.replace("/", "\\/")


def secrets_of(kept: Kept) -> set[str]:
    """Every token that was ever sealed and still opens, and what people typed."""
    row = Connection.objects.get(public_id=kept.public_id)
    found = {PASSWORD, CLIENT_SECRET, handout.token(kept.public_id, tenants=None, actor="worker").access_token}
    for version in TokenVersion.objects.filter(connection=row):
        found |= {keys.opened_access(row, version)} if version.access_token else set()
        found |= {keys.opened_refresh(row, version)} if version.refresh_token else set()
    for sealed in (row.password, row.client_secret):
        assert sealed is not None
        found.add(sealed.envelope)
    return found


@pytest.fixture
def kept(connect: Connect) -> Kept:
    kept = connect("13.3", sign_in=False, fields={"password": PASSWORD})
    kept.sugar.admin_change_password("svc", PASSWORD)
    kept.sugar.key("integration", CLIENT_SECRET)
    registry.edit(kept.public_id, {"client_id": "integration"}, ANA)
    registry.edit(kept.public_id, {"client_secret": CLIENT_SECRET, "password": PASSWORD}, ANA)
    return kept


def wizard_pages(admin: Client, kept: Kept) -> list[HttpResponse]:
    """Each page of the wizard with the password typed: refused, kept, tried in vain."""
    given = {"tenant": "acme", "label": "Another", "instance_url": kept.row.instance_url}
    base = admin.post("/connections/new/", given).headers["Location"].removesuffix("address/")
    typed = {"username": "other", "password": PASSWORD, "client_id": "own", "client_secret": CLIENT_SECRET}
    pages = [
        admin.post(f"{base}platform/", {"platform": "intg"}, follow=True),
        send(admin, f"{base}credentials/", typed | {"username": ""}),
        send(admin, f"{base}credentials/", typed, follow=True),
        admin.get(f"{base}credentials/"),
        send(admin, f"{base}review/", {}, follow=True),
        send(admin, f"{base}review/", typed | {"username": ""}),
    ]
    assert b"The test stopped" in pages[4].content
    return pages


def test_no_page_holds_a_secret(kept: Kept) -> None:
    admin = signed_in("admin")
    base = f"/connections/{kept.public_id}/"
    pages = [
        send(admin, f"{base}actions/sign-in/", {"password": PASSWORD}, follow=True),
        admin.post(f"{base}actions/rotate/", {"version": 1}, follow=True),
        admin.post(f"{base}actions/test/", follow=True),
        send(admin, f"{base}actions/sign-in/", {"version": 1, "password": PASSWORD}),
        send(admin, f"{base}settings/", {"section": "secrets", "password": PASSWORD, "client_secret": "x" * 2000}),
        admin.post("/connections/new/", {"password": PASSWORD, "client_secret": CLIENT_SECRET}),
        *wizard_pages(admin, kept),
    ]
    assert b"version 2 is live" in pages[1].content
    paths = [f"{base}{tab}" for tab in TABS] + [f"{base}actions/{action}/" for action in ACTIONS]
    paths += [f"{base}events/{number}/" for number in range(1, kept.row.event_count + 1)]
    pages += [admin.get(path) for path in (*paths, "/overview/", "/connections/?q=canary", "/system/")]
    assert all(page.status_code in (200, 409, 422) for page in pages)
    for secret in secrets_of(kept):
        for disguise in disguises(secret):
            found = [page.request["PATH_INFO"] for page in pages if disguise in page.content.decode()]
            assert found == [], f"a secret of {len(secret)} characters"


def test_the_bundle_tells_the_story(kept: Kept) -> None:
    operator = signed_in("operator")
    send(operator, f"/connections/{kept.public_id}/actions/sign-in/", {"password": PASSWORD})
    response = operator.get(f"/connections/{kept.public_id}/bundle/")
    text = response.content.decode()
    assert response.headers["Content-Type"].startswith("text/markdown")
    assert "attachment" in response.headers["Content-Disposition"]
    for words in (kept.public_id, "Status: **healthy**", "## Last 20 events", "| v1 | password | live |"):
        assert words in text
