"""Dangerous actions need a proof of identity that is at most five minutes old."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory

from connections.dashboard.rights import Right, Stale, needs, require_fresh
from connections.models import Connection
from tests.custody.conftest import Connect
from tests.dashboard.conftest import Draft
from tests.dashboard.people import PASSWORD, person, prove, signed_in

pytestmark = pytest.mark.django_db
CANARY = "canary-typed-secret"


def asked(response: object) -> str:
    """The address one comes back to; empty when the answer is no question."""
    location = urlsplit(getattr(response, "headers", {}).get("Location", ""))
    return parse_qs(location.query)["next"][0] if location.path == "/sign-in/again/" else ""


@pytest.mark.parametrize("ago", [None, 301, 3600])
@pytest.mark.parametrize("action", ["sign-in", "hold"])
def test_a_dangerous_action_is_not_done_without_a_fresh_proof(draft: Draft, action: str, ago: float | None) -> None:
    path = f"{draft().get_absolute_url()}actions/{action}/"
    admin = signed_in("admin", proved_ago=ago)
    assert admin.get(path).status_code == 200, "looking needs none"
    response = admin.post(path, {"version": 0, "password": CANARY})
    assert asked(response) == path
    row = Connection.objects.get()
    assert (row.held_at, row.attempt_count) == (None, 0)


@pytest.mark.parametrize(
    "data",
    [
        {"section": "secrets", "password": CANARY, "store_password": "on"},
        {"section": "identity", "platform": "other", "username": "svc", "client_id": "sugar", "confirm": "on"},
        {"section": "delete", "name": "Acme EU"},
    ],
    ids=["secrets", "identity", "delete"],
)
def test_secrets_and_identity_are_not_changed_without_a_fresh_proof(draft: Draft, data: dict[str, str]) -> None:
    row = draft()
    path = f"{row.get_absolute_url()}settings/"
    before = (row.password_number, row.platform, row.deleted_at)
    assert asked(signed_in("admin", proved_ago=301).post(path, data)) == path
    row.refresh_from_db()
    assert (row.password_number, row.platform, row.deleted_at) == before


def test_what_heals_and_what_describes_needs_no_proof(connect: Connect) -> None:
    kept = connect("13.3")
    admin = signed_in("admin", proved_ago=None)
    for action in ("test", "rotate", "repair", "pause", "resume"):
        response = admin.post(f"/connections/{kept.public_id}/actions/{action}/", {"version": kept.row.version_count})
        assert response.headers["Location"].startswith(f"/connections/{kept.public_id}/"), action
    described = {"section": "description", "label": "Acme Europe"}
    assert asked(admin.post(f"/connections/{kept.public_id}/settings/", described)) == ""
    assert kept.row.label == "Acme Europe"


def test_one_confirms_comes_back_to_the_question_and_then_acts(draft: Draft) -> None:
    path = f"{draft().get_absolute_url()}actions/hold/"
    admin = signed_in("admin", proved_ago=301)
    question = admin.post(path).headers["Location"]
    assert "Confirm that it is you" in admin.get(question).content.decode()
    refused = admin.post(question, {"password": CANARY})
    assert refused.status_code == 422
    assert "not your password" in refused.content.decode()
    assert CANARY not in refused.content.decode()
    assert asked(admin.post(path)) == path, "a wrong password proves nothing"
    back = admin.post(question, {"password": PASSWORD}, follow=True)
    assert back.redirect_chain[-1] == (path, 302)
    assert back.status_code == 200
    assert Connection.objects.get().held_at is None, "the question is asked again, nothing was done"
    assert admin.post(path).status_code == 302
    assert Connection.objects.get().held_at is not None


def test_what_was_typed_is_kept_nowhere_while_one_confirms(draft: Draft) -> None:
    admin = signed_in("admin", proved_ago=301)
    admin.post(f"{draft().get_absolute_url()}actions/sign-in/", {"version": 0, "password": CANARY})
    admin.post("/profile/security/app/add/", {"code": CANARY})
    kept = [str(session.get_decoded()) for session in Session.objects.all()]
    assert kept
    assert not [text for text in kept if CANARY in text]


def test_a_sign_in_is_a_proof(draft: Draft) -> None:
    path = f"{draft().get_absolute_url()}actions/hold/"
    person("admin")
    client = Client()
    client.post("/sign-in/", {"login": "admin", "password": PASSWORD})
    assert client.post(path).status_code == 302
    assert Connection.objects.get().held_at is not None


def test_the_proof_of_another_person_in_the_same_browser_counts_for_nothing(draft: Draft) -> None:
    path = f"{draft().get_absolute_url()}actions/hold/"
    admin = signed_in("admin", proved_ago=None)
    prove(admin, person("viewer"))
    assert asked(admin.post(path)) == path


@pytest.mark.parametrize("ahead", [5, 3600])
def test_a_proof_from_the_future_is_none(draft: Draft, ahead: float) -> None:
    path = f"{draft().get_absolute_url()}actions/hold/"
    assert asked(signed_in("admin", proved_ago=-ahead).post(path)) == path


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example", "evil"]
)
def test_confirming_leads_to_no_other_site(target: str) -> None:
    response = signed_in("viewer").post("/sign-in/again/", {"password": PASSWORD, "next": target})
    assert response.headers["Location"] == "/"


def test_a_page_says_beforehand_that_it_will_ask(draft: Draft) -> None:
    path = f"{draft().get_absolute_url()}settings/"
    assert "Confirm that it is you first" in signed_in("admin", proved_ago=301).get(path).content.decode()
    assert "Confirm that it is you first" not in signed_in("admin").get(path).content.decode()
    assert "Confirm that it is you first" not in signed_in("viewer", proved_ago=301).get(path).content.decode()


def test_an_export_asks_on_every_method_and_comes_back_to_its_page() -> None:
    request = RequestFactory().get("/audit/export/")
    request.user, request.session = person("auditor"), signed_in("auditor", proved_ago=301).session
    require_fresh(request)
    with pytest.raises(Stale) as stale:
        require_fresh(request, back="/audit/?action=hold")
    assert stale.value.back == "/audit/?action=hold"


def test_a_right_that_is_missing_is_said_before_anybody_is_asked() -> None:
    viewer = signed_in("viewer", proved_ago=301)
    request = RequestFactory().post("/somewhere/")
    request.user, request.session = person("viewer"), viewer.session
    with pytest.raises(Exception, match="may not do this"):
        needs(Right.ADMINISTER, is_dangerous=True)(lambda request, asker: pytest.fail("it was done"))(request)
    response = needs(Right.READ, is_dangerous=True)(lambda request, asker: pytest.fail("it was done"))(request)
    assert asked(response) == "/somewhere/"
