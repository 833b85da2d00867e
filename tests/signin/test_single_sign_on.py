"""Single sign-on against a small provider of our own: who gets in as whom, and what leads nowhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.auth.models import User
from django.test import Client

from connections.custody import wire
from connections.models import AuditRow
from sugaradmin.config import SingleSignOn
from tests.conftest import Configured
from tests.dashboard.conftest import Draft
from tests.dashboard.people import person, signed_in
from tests.signin.door import is_in, with_app
from tests.signin.provider import CLIENT, SECRET, STRANGERS_KEY, Provider, running

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def provider(configured: Configured) -> Iterator[Provider]:
    with running() as found:
        configured(single_sign_on=_settings(found), allow_http=True, instance_rate=0)
        person("viewer")
        found.claims = {"sub": "s-1", "preferred_username": "viewer"}
        yield found


def _settings(provider: Provider, **change: str) -> SingleSignOn:
    given = {"claim": "preferred_username", "name": "Staff login", "client_secret": SECRET, "client_id": CLIENT}
    return SingleSignOn(issuer=provider.issuer, **given | change)  # type: ignore[arg-type]


def go(client: Client, after: str = "/system/") -> dict[str, list[str]]:
    """To the provider; gives what it was asked."""
    answer = client.get(f"/sign-in/sso/?next={after}")
    location = urlsplit(answer.headers["Location"])
    assert location.path == "/authorize"
    return parse_qs(location.query)


def come(provider: Provider, client: Client | None = None, **claims: Any) -> Any:
    """All the way: to the provider, through it, and back."""
    client = client or Client()
    query = go(client)
    provider.claims |= claims
    code = provider.authorize(query)
    back = urlsplit(query["redirect_uri"][0])
    assert back.path == "/sign-in/sso/oidc/callback/"
    response = client.get(back.path, {"code": code, "state": query["state"][0]})
    response.visitor = client
    return response


def test_the_first_time_binds_the_person_of_that_name_and_then_the_subject_counts(provider: Provider) -> None:
    assert "Staff login" in Client().get("/sign-in/").content.decode()
    first = come(provider)
    assert first.headers["Location"] == "/system/"
    assert is_in(first.visitor)
    bound = SocialAccount.objects.get()
    assert (bound.user.username, bound.extra_data) == ("viewer", {"issuer": provider.issuer})
    assert AuditRow.objects.get(action="bind_single_sign_on").target == "viewer"
    assert AuditRow.objects.get(action="sign_in").difference == {"ways": ["socialaccount"]}
    renamed = come(provider, preferred_username="somebody-else")
    assert is_in(renamed.visitor)
    assert User.objects.get(pk=renamed.visitor.session["_auth_user_id"]).username == "viewer"


def test_nobody_is_created(provider: Provider) -> None:
    refused = come(provider, preferred_username="stranger")
    assert refused.status_code == 403
    assert "nobody of that name" in refused.content.decode()
    assert not is_in(refused.visitor)
    assert [user.username for user in User.objects.all()] == ["viewer"]
    assert not SocialAccount.objects.exists()
    assert AuditRow.objects.get().outcome == "failed"


def test_a_second_identity_of_the_same_name_is_not_bound(provider: Provider) -> None:
    come(provider)
    thief = come(provider, sub="s-2")
    assert thief.status_code == 403
    assert SocialAccount.objects.count() == 1


def test_the_same_subject_of_another_provider_is_somebody_else(provider: Provider, configured: Configured) -> None:
    come(provider)
    with running() as other:
        configured(single_sign_on=_settings(other), allow_http=True, instance_rate=0)
        other.claims = {"sub": "s-1", "preferred_username": "nobody"}
        assert come(other).status_code == 403


@pytest.mark.parametrize(("verified", "status"), [(True, 302), (False, 403), (None, 403), ("true", 403)])
def test_an_address_counts_only_where_the_provider_vouches_for_it(
    provider: Provider, configured: Configured, verified: object, status: int
) -> None:
    configured(single_sign_on=_settings(provider, claim="email"))
    person("viewer", name="vi@example.com")
    assert come(provider, email="vi@example.com", email_verified=verified).status_code == status


def test_who_is_switched_off_stays_out(provider: Provider) -> None:
    come(provider)
    User.objects.update(is_active=False)
    for sub in ("s-1", "s-9"):
        assert not is_in(come(provider, sub=sub).visitor)


def test_a_second_factor_of_ours_is_asked_for_all_the_same(provider: Provider) -> None:
    with_app("viewer")
    came = come(provider)
    assert came.headers["Location"] == "/sign-in/code/"
    assert not is_in(came.visitor)


@pytest.mark.parametrize(
    "claims",
    [{"exp": 1}, {"aud": "another"}, {"iss": "https://evil.example"}, {"sub": ""}],
    ids=["expired", "audience", "issuer", "subject"],
)
def test_a_token_that_is_not_for_us_opens_nothing(provider: Provider, claims: dict[str, Any]) -> None:
    refused = come(provider, **claims)
    assert refused.status_code == 403
    assert not is_in(refused.visitor)


def test_a_token_that_somebody_else_signed_opens_nothing(provider: Provider) -> None:
    provider.signs_with = STRANGERS_KEY
    assert come(provider).status_code == 403


def test_a_profile_of_another_person_opens_nothing(provider: Provider) -> None:
    provider.profile = {"sub": "s-2"}
    assert come(provider).status_code == 403


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys", "/profile"])
@pytest.mark.parametrize(
    "fault",
    [
        (500, {}, b"{}"), (302, {"Location": "http://127.0.0.1:9/"}, b""), (200, {}, b"<html>"), (200, {}, b"[]"),
        (200, {}, b"{}"),
    ],
    ids=["error", "redirect", "page", "list", "empty"],
)  # fmt: skip
def test_whatever_the_provider_gets_wrong_is_one_page(provider: Provider, path: str, fault: Any) -> None:
    if path == "/.well-known/openid-configuration":
        provider.faults[path] = fault
        answer = Client().get("/sign-in/sso/")
    else:
        query = go(client := Client())
        provider.faults[path] = fault
        code = provider.authorize(query)
        answer = client.get("/sign-in/sso/oidc/callback/", {"code": code, "state": query["state"][0]})
    assert answer.status_code == 403
    assert "You are not signed in" in answer.content.decode()
    assert not SocialAccount.objects.exists()


def test_an_answer_that_nobody_asked_for_opens_nothing(provider: Provider) -> None:
    query = go(Client())
    code = provider.authorize(query)
    for state in (query["state"][0], "made-up", ""):
        assert Client().get("/sign-in/sso/oidc/callback/", {"code": code, "state": state}).status_code == 403
    assert "/token" not in provider.asked


def test_giving_up_there_is_told_here(provider: Provider) -> None:
    client = Client()
    query = go(client)
    answer = client.get("/sign-in/sso/oidc/callback/", {"error": "access_denied", "state": query["state"][0]})
    assert answer.status_code == 403


def test_its_calls_leave_through_our_own_guard(provider: Provider, configured: Configured) -> None:
    before = len(provider.asked)
    configured(development=False)  # loopback is refused there
    assert Client().get("/sign-in/sso/").status_code == 403
    assert len(provider.asked) == before
    assert "this machine itself" in _objection(f"{provider.issuer}/")


def _objection(url: str) -> str:
    try:
        wire.egress().check_address(url)
    except Exception as refused:
        return str(refused)
    return ""


def test_neither_proxies_nor_passwords_of_the_environment_count(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login operator password canary")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert come(provider).status_code == 302
    assert {sent.partition(" ")[0] for sent in provider.authorizations} == {"", "Bearer"}


def test_a_provider_that_moved_is_not_followed(provider: Provider) -> None:
    provider.faults["/.well-known/openid-configuration"] = (302, {"Location": "/moved"}, b"{}")
    assert Client().get("/sign-in/sso/").status_code == 403
    assert "/moved" not in provider.asked


def test_its_tokens_are_kept_nowhere(provider: Provider) -> None:
    visitor = come(provider).visitor
    assert not SocialToken.objects.exists()
    kept = str(dict(visitor.session)) + str(list(SocialAccount.objects.values())) + str(list(AuditRow.objects.values()))
    assert "canary" not in kept


@pytest.mark.parametrize(("ago", "is_fresh"), [(10, True), (301, False), (None, False)])
def test_an_old_session_at_the_provider_is_no_fresh_proof(
    provider: Provider, draft: Draft, configured: Configured, ago: float | None, is_fresh: bool
) -> None:
    person("admin")
    path = f"{draft().get_absolute_url()}actions/hold/"
    told = {} if ago is None else {"auth_time": int(time.time() - ago)}
    client = come(provider, preferred_username="admin", **told).visitor
    bounced = client.post(path).headers["Location"].startswith("/sign-in/again/")
    assert bounced is not is_fresh


def test_who_has_no_password_confirms_at_the_provider(provider: Provider, draft: Draft) -> None:
    user = person("admin")
    user.set_unusable_password()
    user.save()
    path = f"{draft().get_absolute_url()}actions/hold/"
    client = come(provider, preferred_username="admin").visitor
    question = client.post(path).headers["Location"]
    there = client.get(question).headers["Location"]
    assert there.startswith("/sign-in/sso/?next=%2Fconnections%2F")
    query = parse_qs(urlsplit(client.get(there).headers["Location"]).query)
    assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
    code = provider.authorize(query)
    back = client.get("/sign-in/sso/oidc/callback/", {"code": code, "state": query["state"][0]})
    assert back.headers["Location"] == path
    assert client.post(path).status_code == 302
    assert client.get(path).context["row"].held_at is not None


def test_without_the_settings_there_is_no_such_door() -> None:
    assert Client().get("/sign-in/sso/").status_code == 404
    assert Client().get("/sign-in/sso/oidc/callback/").status_code == 404
    assert "/sign-in/sso/" not in Client().get("/sign-in/").content.decode()
    assert signed_in("admin").get("/sign-in/sso/other/callback/").status_code == 404
