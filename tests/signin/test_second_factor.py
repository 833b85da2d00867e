"""An authenticator app and recovery codes: set up, asked for, used once, removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from connections.custody import guard
from connections.models import AuditRow, OwnKey
from sugaradmin.keys import new_key
from tests.conftest import Configured
from tests.dashboard.people import person, signed_in
from tests.signin.door import code_of, first_step, is_in, set_up_app, with_app

pytestmark = [pytest.mark.django_db, pytest.mark.once]
APP, CODES = "/profile/security/app/add/", "/profile/security/recovery-codes/"


def answer(client: Client, code: str) -> int:
    return client.post("/sign-in/code/", {"code": code}).status_code


def test_after_the_password_a_code_is_asked_for() -> None:
    secret, _ = with_app("admin")
    client = first_step("admin")
    assert not is_in(client), "the password alone opens nothing"
    assert client.get("/sign-in/").headers["Location"] == "/sign-in/code/"
    assert "Second step" in client.get("/sign-in/code/").content.decode()
    assert answer(client, "000000") == 422
    assert not is_in(client)
    assert answer(client, code_of(secret)) == 302
    assert is_in(client)


def test_a_code_works_once_even_while_it_is_still_shown() -> None:
    secret, _ = with_app("admin")
    with time_machine.travel(datetime(2027, 1, 31, 12, 0, 1, tzinfo=UTC), tick=False) as clock:
        code = code_of(secret)
        assert answer(first_step("admin"), code) == 302
        for seconds in (1, 29, 20):
            clock.shift(timedelta(seconds=seconds))
            assert answer(first_step("admin"), code) == 422, "somebody looked over the shoulder"


@pytest.mark.parametrize(("steps", "status"), [(-2, 422), (-1, 302), (0, 302), (1, 302), (2, 422)])
def test_a_clock_may_be_half_a_minute_off(steps: int, status: int) -> None:
    secret, _ = with_app("admin")
    with time_machine.travel(datetime(2027, 1, 31, 12, 0, 1, tzinfo=UTC), tick=False):
        assert answer(first_step("admin"), code_of(secret, steps_ahead=steps)) == status


def test_guessing_codes_is_slow() -> None:
    secret, _ = with_app("admin")
    client = first_step("admin")
    for number in range(10):
        assert answer(client, f"{number:06d}") == 422
    assert answer(client, code_of(secret)) == 422
    assert AuditRow.objects.filter(action="sign_in", outcome="throttled", actor="admin").exists()


def test_a_recovery_code_works_once_in_place_of_the_app() -> None:
    _, codes = with_app("admin")
    assert len(set(codes)) == 10
    client = first_step("admin")
    assert answer(client, codes[3]) == 302
    assert is_in(client)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5)):
        assert answer(first_step("admin"), codes[3]) == 422
    row = AuditRow.objects.get(action="use_recovery_code")
    assert (row.target, row.difference) == ("admin", {"left": 9})
    assert "9 codes are left" in client.get("/profile/security/").content.decode()


def test_recovery_codes_are_shown_once() -> None:
    _, codes = with_app("admin")
    page = signed_in("admin").get(CODES).content.decode()
    assert "cannot be shown again" in page
    assert not [code for code in codes if code in page]


def test_new_recovery_codes_end_the_old_ones() -> None:
    _, codes = with_app("admin")
    client = signed_in("admin")
    fresh = client.post(f"{CODES}renew/", follow=True).content.decode()
    assert not [code for code in codes if code in fresh]
    assert answer(first_step("admin"), codes[0]) == 422


def test_the_app_is_removed_and_the_codes_with_it() -> None:
    with_app("admin")
    client = signed_in("admin")
    client.post("/profile/security/app/remove/")
    assert not Authenticator.objects.exists()
    assert is_in(first_step("admin"))
    assert "Your password alone opens this account" in client.get("/profile/security/").content.decode()


@pytest.mark.parametrize(
    "path", [APP, "/profile/security/app/remove/", "/profile/security/passkeys/add/", CODES, f"{CODES}renew/"]
)
def test_whoever_finds_an_open_screen_changes_no_second_factor(path: str) -> None:
    with_app("admin") if path != APP else signed_in("admin")
    before = [(one.pk, one.data) for one in Authenticator.objects.all()]
    passer_by = signed_in("admin", proved_ago=301)
    responses = [passer_by.get(path)] if path == CODES else [passer_by.get(path), passer_by.post(path, {"code": "1"})]
    for response in responses:
        assert response.headers["Location"].startswith("/sign-in/again/")
    assert [(one.pk, one.data) for one in Authenticator.objects.all()] == before


def test_no_secret_of_a_second_factor_lies_about_in_plain() -> None:
    client = signed_in("admin")
    client.get(APP)
    pending = str([session.get_decoded() for session in Session.objects.all()])
    secret = set_up_app(client)
    kept = str([one.data for one in Authenticator.objects.all()])
    assert secret not in pending + kept
    assert "v1:own:" in kept
    assert "second_factor_pending" not in client.session


def test_an_encryption_key_that_is_missing_is_said_and_lets_nobody_in(configured: Configured) -> None:
    secret, _ = with_app("admin")
    OwnKey.objects.filter(purpose="audit").delete()
    configured(encryption_keys=f"another:{new_key()}")
    guard.forget()
    client = first_step("admin")
    response = client.post("/sign-in/code/", {"code": code_of(secret)})
    assert response.status_code == 422
    assert "encryption key is missing" in response.content.decode()
    assert not is_in(client)


def test_confirming_takes_a_code_too() -> None:
    secret, _ = with_app("admin")
    client = signed_in("admin", proved_ago=301)
    assert "/sign-in/again/code/?next=" in client.get("/sign-in/again/?next=/system/").content.decode()
    assert client.post("/sign-in/again/code/", {"code": "000000", "next": "/system/"}).status_code == 422
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        right = client.post("/sign-in/again/code/", {"code": code_of(secret), "next": "/system/"})
    assert right.headers["Location"] == "/system/"


def test_who_has_only_a_passkey_or_an_app_is_led_to_it() -> None:
    with_app("admin")
    user = User.objects.get(username="admin")
    user.set_unusable_password()
    user.save()
    client = signed_in("admin", proved_ago=301)
    assert client.get("/sign-in/again/?next=/system/").headers["Location"] == "/sign-in/again/code/?next=%2Fsystem%2F"


def test_every_change_of_a_second_factor_is_audited_in_its_transaction() -> None:
    with_app("admin")
    signed_in("admin").post("/profile/security/app/remove/")
    rows = AuditRow.objects.filter(action__endswith="second_factor").order_by("id")
    told = [(row.action, row.actor, row.target, row.difference["kind"]) for row in rows]
    assert sorted(told[:2]) == [
        ("add_second_factor", "admin", "admin", "recovery_codes"), ("add_second_factor", "admin", "admin", "totp"),
    ]  # fmt: skip
    assert sorted(told[2:]) == [
        ("remove_second_factor", "admin", "admin", "recovery_codes"),
        ("remove_second_factor", "admin", "admin", "totp"),
    ]


def test_another_name_of_a_passkey_is_audited() -> None:
    """It is by its name that the owner knows a key of his own from one that a stranger put there."""
    client = signed_in("admin")
    data = {"name": "blue key", "credential": {}}
    passkey = Authenticator.objects.create(user=person("admin"), type=Authenticator.Type.WEBAUTHN, data=data)
    assert client.post(f"/profile/security/passkeys/{passkey.pk}/", {"name": "red key"}).status_code == 302
    row = AuditRow.objects.get(action="rename_second_factor")
    assert (row.actor, row.target, row.difference["name"]) == ("admin", "admin", "red key")


@pytest.mark.parametrize(("tail", "action"), [("", "rename_second_factor"), ("remove/", "remove_second_factor")])
def test_a_try_at_another_persons_passkey_is_noted(transactional_db: None, tail: str, action: str) -> None:
    data = {"name": "blue key", "credential": {}}
    passkey = Authenticator.objects.create(user=person("admin"), type=Authenticator.Type.WEBAUTHN, data=data)
    path = f"/profile/security/passkeys/{passkey.pk}/{tail}"
    stranger = signed_in("viewer")
    assert [stranger.get(path).status_code, stranger.post(path, {"name": "mine"}).status_code] == [404, 404]
    assert Authenticator.objects.get(pk=passkey.pk).data == data
    row = AuditRow.objects.get(outcome="denied")
    assert (row.actor, row.action, row.target) == ("viewer", action, "admin")
