"""There is one door: nothing of the library that we did not style, nothing of the stock admin, leads in beside it."""

from __future__ import annotations

import pytest
from allauth import urls as library
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver

from tests.dashboard.people import PASSWORD, person, signed_in

pytestmark = pytest.mark.django_db
OURS = {
    "account_login", "account_reauthenticate", "account_change_password", "mfa_index", "mfa_authenticate",
    "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_login_webauthn", "mfa_activate_totp",
    "mfa_deactivate_totp", "mfa_add_webauthn", "mfa_edit_webauthn", "mfa_remove_webauthn", "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes", "openid_connect_callback",
}  # fmt: skip


def names(patterns: list[URLPattern | URLResolver]) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        found |= names(pattern.url_patterns) if isinstance(pattern, URLResolver) else {pattern.name or ""}
    return found - {""}


def test_of_the_librarys_addresses_only_the_styled_ones_exist() -> None:
    theirs = names(library.urlpatterns)
    here = names(get_resolver().url_patterns)
    assert theirs & here == OURS
    assert len(theirs - here) > 5, "nobody signs up, connects or confirms an address here"
    for name in ("account_signup", "account_logout", "account_email", "account_reset_password"):
        with pytest.raises(NoReverseMatch):
            reverse(name)


@pytest.mark.parametrize(
    "path",
    ["/accounts/login/", "/accounts/signup/", "/login/", "/signup/", "/2fa/", "/3rdparty/", "/sessions/", "/email/"],
)
def test_the_addresses_it_would_have_by_default_lead_nowhere(path: str) -> None:
    assert signed_in("admin").get(path).status_code == 404


def test_the_stock_admin_has_no_door_of_its_own() -> None:
    user = person("admin", name="root")
    user.is_staff = user.is_superuser = True
    user.save()
    client = Client()
    for path in ("/admin/", "/admin/login/", "/admin/auth/user/"):
        assert client.get(path).headers["Location"].startswith(("/sign-in/", "/admin/login/"))
    assert client.post("/admin/login/", {"username": "root", "password": PASSWORD}).status_code == 302
    assert "_auth_user_id" not in client.session
    client.force_login(user)
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/password_change/").headers["Location"] == "/profile/password/"
    for model in ("auth/user", "mfa/authenticator", "usersessions/usersession", "socialaccount/socialapp"):
        assert client.get(f"/admin/{model}/").status_code == 404
    assert client.post("/admin/connections/staff/add/", {"user": user.pk, "role": "admin"}).status_code == 403


def test_who_is_no_superuser_does_not_get_into_the_stock_admin() -> None:
    admin = signed_in("admin")
    assert admin.get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize("path", ["/sign-in/", "/sign-in/link/", "/sign-in/again/", "/profile/security/"])
def test_pages_of_the_door_are_kept_in_no_cache_and_hold_nothing_inline(path: str) -> None:
    response = (Client() if path == "/sign-in/" else signed_in("admin")).get(path)
    assert "no-store" in response.headers["Cache-Control"]
    page = response.content.decode()
    assert page.count("<script") == page.count("<script src=")
    assert " style=" not in page
    assert "<style" not in page
