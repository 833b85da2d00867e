"""A second factor that the installation requires: nothing else opens before it is there, and nobody is locked out."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from connections.models import Connection
from tests.authorization.addresses import of_admin, of_pages
from tests.authorization.expectations import PAGES, Gate, pages_of
from tests.authorization.world import World
from tests.conftest import Configured
from tests.dashboard.conftest import Draft
from tests.dashboard.people import person, signed_in
from tests.signin.door import set_up_app

pytestmark = pytest.mark.django_db
SET_UP = "/profile/security/"
ON_THE_WAY = (
    SET_UP, "/profile/security/app/add/", "/profile/security/passkeys/add/", "/profile/password/", "/sign-in/again/",
)  # fmt: skip
OPEN_TO_ALL = (Gate.OPEN, Gate.SECRET)


@pytest.fixture
def required(configured: Configured) -> None:
    configured(second_factor_required=True, allow_http=True)


def is_led(client: Client, path: str, method: str = "get") -> bool:
    response = getattr(client, method)(path)
    return response.status_code == 302 and response.headers["Location"] == SET_UP


def test_nothing_but_the_way_there_opens(required: None, draft: Draft) -> None:
    """Every address that the resolver knows."""
    world = World(row=draft(), someone=person("viewer", name="someone"))
    admin, open_too = signed_in("admin"), []
    for address in of_pages():
        for page in pages_of(address.name) if address.name in PAGES else ():
            path = address.path(world.values(address, page))
            for method in ("get", "post"):
                gate = getattr(page, method)
                if gate is not None and gate not in OPEN_TO_ALL and not is_led(admin, path, method):
                    open_too.append(path)
                    admin = signed_in("admin")
    allowed = ("/profile/security/", "/profile/password/", "/profile/sessions/", "/sign-in/again/")
    assert [path for path in open_too if not path.startswith(allowed)] == []
    assert is_led(admin, f"/{of_admin()[0].route}")
    assert set(ON_THE_WAY) <= set(open_too)


def test_nothing_is_done_on_the_way(required: None, draft: Draft) -> None:
    row = draft()
    assert is_led(signed_in("admin"), f"{row.get_absolute_url()}actions/pause/", "post")
    assert Connection.objects.get(pk=row.pk).paused_at is None


def test_with_an_app_everything_opens(required: None) -> None:
    client = signed_in("admin")
    page = client.get(SET_UP).content.decode()
    assert "Set up a second step first" in page
    set_up_app(client)
    assert client.get("/overview/").status_code == 200
    assert "Set up a second step first" not in client.get(SET_UP).content.decode()


def test_recovery_codes_alone_are_no_second_factor(required: None) -> None:
    client = signed_in("admin")
    set_up_app(client)
    Authenticator.objects.filter(type="totp").delete()
    assert Authenticator.objects.filter(type="recovery_codes").exists()
    assert is_led(client, "/overview/")


def test_who_came_by_single_sign_on_is_the_providers_to_ask(required: None) -> None:
    client = signed_in("admin")
    session = client.session
    session["account_authentication_methods"] = [{"method": "socialaccount", "at": 1.0, "provider": "x", "uid": "y"}]
    session.save()
    assert client.get("/overview/").status_code == 200


def test_machines_and_strangers_notice_nothing(required: None) -> None:
    client = signed_in("admin")
    for path in ("/healthz", "/help/", "/api/docs"):
        assert client.get(path).status_code == 200
    assert client.get("/api/v1/connections").status_code == 401
    assert Client().get("/overview/").headers["Location"].startswith("/sign-in/")


def test_without_the_setting_it_is_offered() -> None:
    client = signed_in("admin")
    assert client.get("/overview/").status_code == 200
    assert "Your password alone opens this account" in client.get(SET_UP).content.decode()
