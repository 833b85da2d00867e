"""One-time links: the first administrator, a password for somebody new, a forgotten one."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client

from connections.choices import Role
from connections.models import AuditRow, OneTimeLink, Staff, database_now
from connections.onboarding import invitations
from connections.serving import preparation
from sugaradmin.config import Mail
from tests.conftest import Configured
from tests.custody.conftest import ANA
from tests.dashboard.people import PASSWORD, person, signed_in
from tests.signin.door import first_step, is_in

pytestmark = pytest.mark.django_db
NEW = "another fine pass phrase"
FIRST = {"username": "ana", "password": NEW, "again": NEW}


@pytest.fixture
def keeps_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """`serve` gives the database back, which would end the transaction of a test."""
    monkeypatch.setattr(preparation, "disconnect", lambda: None)


def follow(path: str) -> Client:
    client = Client()
    assert client.get(path).headers["Location"] == "/sign-in/link/", "the token leaves the address"
    return client


def test_at_the_first_start_a_link_makes_the_first_administrator(keeps_its_connection: None) -> None:
    said = preparation.first_steps("http://127.0.0.1:8000/", is_private=True)
    path = re.search(r"http://127\.0\.0\.1:8000(/sign-in/link/[\w-]{43}/)", said)
    assert path
    client = follow(path[1])
    assert "Nobody can sign in here yet" in client.get("/sign-in/link/").content.decode()
    assert client.post("/sign-in/link/", FIRST).headers["Location"] == "/sign-in/"
    staff = Staff.objects.get()
    assert (staff.user.username, staff.role, list(staff.tenants.all())) == ("ana", "admin", [])
    assert is_in(first_step("ana", NEW))
    row = AuditRow.objects.get(action="create_staff")
    assert (row.actor_kind, row.actor, row.address) == ("link", "ana", "127.0.0.1")
    row = AuditRow.objects.get(action="issue_first_admin_link")
    assert (row.actor_kind, row.actor) == ("command", "serve")
    assert preparation.first_steps("http://127.0.0.1:8000/", is_private=True) == ""


def test_what_may_end_in_a_log_names_the_command_and_no_link(keeps_its_connection: None) -> None:
    said = preparation.first_steps("https://sugaradmin.example.com", is_private=False)
    assert "create_staff" in said
    assert "/sign-in/link/" not in said
    assert not OneTimeLink.objects.exists()


def test_looking_uses_nothing_up_and_using_does() -> None:
    issued = invitations.invite_first_admin(ANA)
    for _ in range(10):
        assert follow(issued.path).get("/sign-in/link/").status_code == 200
    one, two = follow(issued.path), follow(issued.path)
    assert one.post("/sign-in/link/", FIRST).status_code == 302
    for late in (two.post("/sign-in/link/", FIRST | {"username": "eve"}), one.post("/sign-in/link/", FIRST)):
        assert late.status_code == 410
        assert "does not work any more" in late.content.decode()
    assert [user.username for user in User.objects.all()] == ["ana"]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_use_a_link_at_once_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = invitations.digest_of(invitations.invite_first_admin(ANA).path.split("/")[-2])
    begin, outcomes, make = Barrier(2), [], invitations.create_staff

    def slowly(*args: Any) -> Staff:
        time.sleep(0.5)
        return make(*args)

    def use(name: str) -> None:
        begin.wait(10)
        try:
            invitations.make_first_admin(digest, username=name, password=NEW, address=None)
            outcomes.append("made")
        except invitations.LinkGone:
            outcomes.append("gone")
        finally:
            connection.close()

    monkeypatch.setattr(invitations, "create_staff", slowly)
    threads = [Thread(target=use, args=(name,)) for name in ("ana", "eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["gone", "made"]
    assert User.objects.count() == 1


def test_the_first_administrator_is_made_only_while_there_is_nobody() -> None:
    issued = invitations.invite_first_admin(ANA)
    client = follow(issued.path)
    person("viewer")
    assert client.get("/sign-in/link/").status_code == 410
    assert client.post("/sign-in/link/", FIRST).status_code == 410
    assert not Staff.objects.filter(role=Role.ADMIN).exists()


def test_a_newer_link_ends_the_one_before_and_there_are_never_two() -> None:
    old, new = invitations.invite_first_admin(ANA), invitations.invite_first_admin(ANA)
    assert follow(old.path).get("/sign-in/link/").status_code == 410
    assert follow(new.path).get("/sign-in/link/").status_code == 200
    kept = OneTimeLink.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        OneTimeLink.objects.create(
            purpose="first_admin", digest="x", made_at=kept.made_at, expires_at=kept.expires_at, made_by="y"
        )


def test_a_link_ends_by_its_age() -> None:
    client = follow(invitations.invite_first_admin(ANA).path)
    OneTimeLink.objects.update(expires_at=database_now() - timedelta(seconds=1))
    assert client.post("/sign-in/link/", FIRST).status_code == 410
    assert not User.objects.exists()


def test_the_token_is_kept_nowhere() -> None:
    path = invitations.invite(person("viewer"), ANA).path
    token = path.split("/")[-2]
    follow(path)
    kept = [str(list(model.objects.values())) for model in (OneTimeLink, AuditRow)]
    kept += [str(session.get_decoded()) for session in Session.objects.all()]
    assert token not in "".join(kept)
    assert token not in repr(invitations.invite(person("viewer"), ANA))


@pytest.mark.parametrize("path", ["/sign-in/link/", "/sign-in/link/guessed/"])
def test_a_made_up_link_is_none(path: str) -> None:
    client = Client()
    client.get(path)
    assert client.get("/sign-in/link/").status_code == 410


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "short", "again": "short"}, "too short"),
        ({"password": "password1234", "again": "password1234"}, "too common"),
        ({"again": "something else"}, "not the same"),
        ({"username": "ana anders!"}, "valid username"),
    ],
    ids=["short", "common", "differs", "name"],
)
def test_what_will_not_do_is_said_and_the_link_still_works(change: dict[str, str], words: str) -> None:
    client = follow(invitations.invite_first_admin(ANA).path)
    refused = client.post("/sign-in/link/", FIRST | change)
    assert refused.status_code == 422
    assert words in refused.content.decode()
    assert NEW not in refused.content.decode()
    assert client.post("/sign-in/link/", FIRST).status_code == 302


def test_a_new_password_ends_sessions_and_other_links() -> None:
    user = person("viewer")
    inside, other = first_step("viewer"), invitations.invite(user, ANA)
    client = follow(invitations.invite(user, ANA).path)
    client.post("/sign-in/link/", {"password": NEW, "again": NEW})
    assert not is_in(inside)
    assert follow(other.path).get("/sign-in/link/").status_code == 410
    assert is_in(first_step("viewer", NEW))
    assert not is_in(first_step("viewer", PASSWORD))
    assert AuditRow.objects.get(action="set_password").target == "viewer"


def test_a_link_opens_nothing_for_who_was_switched_off() -> None:
    user = person("viewer")
    client = follow(invitations.invite(user, ANA).path)
    User.objects.update(is_active=False)
    assert client.post("/sign-in/link/", {"password": NEW, "again": NEW}).status_code == 410


@pytest.fixture
def with_mail(configured: Configured, settings: LazySettings) -> None:
    configured(
        mail=Mail(host="mail.example", port=25, user="", password="", security="none", sender="desk@example.com"),
        base_url="https://desk.example.com",
    )


def forget(name: str, **meta: Any) -> Any:
    return Client(**meta).post("/sign-in/forgotten/", {"username": name})


def test_a_forgotten_password_is_set_anew_by_mail(with_mail: None) -> None:
    User.objects.filter(pk=person("viewer").pk).update(email="vi@example.com")
    assert "/sign-in/forgotten/" in Client().get("/sign-in/").content.decode()
    assert "on its way" in forget("viewer").content.decode()
    letter = mail.outbox[0]
    assert letter.to == ["vi@example.com"]
    path = re.search(r"https://desk\.example\.com(/sign-in/link/[\w-]+/)", str(letter.body))
    assert path
    follow(path[1]).post("/sign-in/link/", {"password": NEW, "again": NEW})
    assert is_in(first_step("viewer", NEW))


def test_no_answer_tells_whether_there_is_such_a_person(with_mail: None) -> None:
    User.objects.filter(pk=person("viewer").pk).update(email="vi@example.com")
    person("operator")
    csrf = re.compile(r'value="\w{64}"|r_\w{12}')
    answers = {csrf.sub("", forget(name).content.decode()) for name in ("viewer", "operator", "nobody")}
    assert len(answers) == 1
    assert len(mail.outbox) == 1


def test_letters_are_few(with_mail: None) -> None:
    User.objects.filter(pk=person("viewer").pk).update(email="vi@example.com")
    answers = [forget("viewer", REMOTE_ADDR=f"192.0.2.{number}").status_code for number in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    assert len(mail.outbox) == 3


def test_without_mail_nobody_is_promised_a_letter() -> None:
    assert forget("viewer").status_code == 404
    assert "/sign-in/forgotten/" not in Client().get("/sign-in/").content.decode()


def test_who_is_signed_in_may_follow_a_link_for_another() -> None:
    client = signed_in("admin")
    client.get(invitations.invite(person("viewer"), ANA).path)
    assert "viewer" in client.get("/sign-in/link/").content.decode()
