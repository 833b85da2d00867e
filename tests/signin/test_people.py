"""The users page: who may, what it does, and what it never does."""

from __future__ import annotations

import re
import time
from threading import Barrier, Thread
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from connections.choices import Role
from connections.models import AuditRow, Connection, OneTimeLink, Staff, Tenant
from connections.onboarding import people
from tests.commands.conftest import run
from tests.custody.conftest import ANA
from tests.dashboard.conftest import Draft, draft
from tests.dashboard.people import person, signed_in
from tests.signin.door import first_step, is_in, with_app

__all__ = ["draft", "run"]
pytestmark = [pytest.mark.django_db, pytest.mark.once]
NEW = {"username": "kim", "role": "operator", "tenants": "", "email": "kim@example.com"}
PAGES = ("/settings/users/", "/settings/users/new/", "/settings/users/of/viewer/")


@pytest.fixture
def admin(db: None) -> Client:
    person("viewer")
    return signed_in("admin")


def act(client: Client, section: str, name: str = "viewer", **data: Any) -> Any:
    return client.post(f"/settings/users/of/{name}/", {"section": section, **data})


def link_in(page: str) -> str:
    found = re.search(r'data-copy="http://[^/]+(/sign-in/link/[\w-]+/)"', page)
    assert found, page
    return found[1]


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor", ""])
@pytest.mark.parametrize("path", PAGES)
def test_only_an_admin_manages_people(admin: Client, role: str, path: str) -> None:
    client = signed_in(role)
    assert client.get(path).status_code == 403
    if path != PAGES[0]:
        assert client.post(path, NEW | {"section": "deactivate"}).status_code == 403
        noted = AuditRow.objects.get(outcome="denied")
        assert noted.target == ("viewer" if "viewer" in path else "")
    assert User.objects.get(username="viewer").is_active


@pytest.mark.parametrize("path", PAGES)
def test_an_admin_of_some_tenants_manages_nobody(admin: Client, path: str) -> None:
    """He could make himself a friend who may see all."""
    limited = signed_in("admin", tenants=("acme",))
    assert limited.get(path).status_code == 403
    if path != PAGES[0]:
        assert limited.post(path, NEW | {"section": "reset"}).status_code == 403
    assert "/settings/users/" not in limited.get("/overview/").content.decode()
    assert "/settings/users/" in admin.get("/overview/").content.decode()


def test_strangers_are_asked_to_sign_in(admin: Client) -> None:
    for path in PAGES:
        assert Client().get(path).headers["Location"].startswith("/sign-in/?next=")


def test_a_fresh_proof_is_needed_for_every_change(admin: Client) -> None:
    stale = signed_in("admin", proved_ago=301)
    for path, data in (
        ("/settings/users/new/", NEW),
        *((PAGES[2], {"section": section}) for section in ("change", "link", "reset", "deactivate")),
    ):
        assert stale.get(path).status_code == 200
        assert stale.post(path, data).headers["Location"].startswith("/sign-in/again/")
    assert not User.objects.filter(username="kim").exists()
    assert not OneTimeLink.objects.exists()


def test_a_person_is_added_gets_a_link_once_and_comes_in(admin: Client) -> None:
    Tenant.objects.create(slug="acme", name="Acme")
    made = admin.post("/settings/users/new/", NEW | {"tenants": "acme"})
    path = link_in(made.content.decode())
    user = User.objects.get(username="kim")
    assert (user.staff.role, [one.slug for one in user.staff.tenants.all()]) == ("operator", ["acme"])
    assert not user.has_usable_password()
    assert path not in admin.get("/settings/users/of/kim/").content.decode()
    client = Client()
    client.get(path)
    phrase = "a phrase of my own"
    client.post("/sign-in/link/", {"password": phrase, "again": phrase})
    assert is_in(first_step("kim", phrase))
    assert [row.action for row in AuditRow.objects.filter(actor="admin", target="kim")] == [
        "create_staff", "issue_password_link",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"username": "viewer"}, "already"),
        ({"username": "no good!"}, "valid username"),
        ({"tenants": "nowhere"}, "no tenant nowhere"),
        ({"role": "king"}, "valid choice"),
        ({"email": "nobody"}, "valid email"),
    ],
    ids=["taken", "name", "tenant", "role", "email"],
)
def test_what_makes_no_sense_is_said_beside_its_field(admin: Client, change: dict[str, str], words: str) -> None:
    refused = admin.post("/settings/users/new/", NEW | change)
    assert refused.status_code == 422
    assert words in refused.content.decode()
    assert not User.objects.filter(username__in=("kim", "no good!")).exists()


def test_role_and_tenants_change_with_the_next_page(admin: Client) -> None:
    Tenant.objects.create(slug="acme", name="Acme")
    viewer = signed_in("viewer")
    assert viewer.get("/connections/new/").status_code == 403
    assert act(admin, "change", role="admin", tenants="acme", email="").status_code == 302
    assert viewer.get("/connections/new/").status_code == 200
    row = AuditRow.objects.get(action="change_staff")
    assert row.difference["before"] == {"role": "viewer", "tenants": []}
    assert row.difference["after"] == {"role": "admin", "tenants": ["acme"]}


def test_who_may_no_longer_see_a_connection_owns_it_no_longer(admin: Client, draft: Draft) -> None:
    ours, foreign = draft("Ours", tenant="ours"), draft("Foreign", tenant="foreign", username="other")
    Connection.objects.update(owner=User.objects.get(username="viewer"))
    assert act(admin, "change", role="viewer", tenants="ours", email="").status_code == 302
    assert Connection.objects.get(pk=ours.pk).owner is not None
    assert Connection.objects.get(pk=foreign.pk).owner is None
    assert AuditRow.objects.get(action="change_staff").difference["owned_no_more"] == 1
    assert act(admin, "change", role="operator", tenants="", email="").status_code == 302
    assert Connection.objects.get(pk=ours.pk).owner is not None


def test_who_is_switched_off_is_out_at_once_and_stays_out(admin: Client) -> None:
    inside = first_step("viewer")
    assert is_in(inside)
    act(admin, "link")
    assert act(admin, "deactivate").status_code == 302
    assert not is_in(inside)
    assert not is_in(first_step("viewer"))
    assert not OneTimeLink.objects.exists()
    act(admin, "activate")
    assert is_in(first_step("viewer"))
    assert not is_in(inside)
    actions = list(AuditRow.objects.filter(action__contains="activate").values_list("action", flat=True))
    assert actions == ["deactivate_staff", "activate_staff"]


@pytest.mark.parametrize(
    "data",
    [
        {"section": "deactivate"}, {"section": "change", "role": "viewer"},
        {"section": "change", "role": "admin", "tenants": "acme"},
    ],
    ids=["deactivate", "demote", "limit"],
)  # fmt: skip
def test_the_last_admin_of_all_tenants_stays(admin: Client, data: dict[str, str]) -> None:
    Tenant.objects.create(slug="acme", name="Acme")
    person("admin", tenants=("acme",), name="limited")
    switched_off = person("admin", name="gone")
    User.objects.filter(pk=switched_off.pk).update(is_active=False)
    refused = act(admin, name="admin", **data)
    assert refused.status_code == 409
    assert "make another first" in refused.content.decode()
    staff = Staff.objects.get(user__username="admin")
    assert (staff.role, staff.user.is_active, staff.tenants.exists()) == ("admin", True, False)
    assert not AuditRow.objects.filter(action__in=("change_staff", "deactivate_staff")).exists()
    person("admin", name="second")
    assert act(admin, name="admin", **data).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_switch_each_other_off_at_once_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [person("admin", name=name) for name in ("ana", "bob")]
    begin, outcomes = Barrier(2), []
    monkeypatch.setattr(people, "_end_everything", lambda user: time.sleep(0.5))  # both are at work, if they can be

    def switch_off(user: User) -> None:
        begin.wait(10)
        try:
            people.switch(user, ANA, on=False)
            outcomes.append("done")
        except people.LastAdmin:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=switch_off, args=(user,)) for user in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["done", "refused"]
    assert User.objects.filter(is_active=True).count() == 1


def test_who_lost_a_phone_is_let_in_again_and_the_finder_is_not(admin: Client) -> None:
    with_app("viewer")
    inside = signed_in("viewer")
    page = act(admin, "reset").content.decode()
    assert not is_in(inside)
    assert not is_in(first_step("viewer")), "the old password is gone too"
    client = Client()
    client.get(link_in(page))
    phrase = "a phrase of my own"
    client.post("/sign-in/link/", {"password": phrase, "again": phrase})
    assert is_in(first_step("viewer", phrase)), "no second factor is asked for"
    removed = AuditRow.objects.filter(action="remove_second_factor", actor="admin", target="viewer")
    assert removed.count() == 2
    assert AuditRow.objects.filter(action="reset_staff", actor="admin", target="viewer").exists()


def test_the_command_does_the_same_for_the_last_admin(run: Any) -> None:
    with_app("admin")
    said = run("reset_staff", "admin", "--json").json
    assert said["username"] == "admin"
    assert "/sign-in/link/" in said["link"]
    assert not User.objects.get(username="admin").has_usable_password()
    assert AuditRow.objects.get(action="reset_staff").actor_kind == "command"
    assert run("reset_staff", "nobody").error == "There is nobody named nobody."
    people.switch(person("viewer"), ANA, on=False)
    assert "switched off" in run("reset_staff", "viewer").error


def test_the_list_says_who_is_protected_and_who_was_here(admin: Client) -> None:
    with_app("operator")
    first_step("viewer")
    page = admin.get("/settings/users/").content.decode()
    rows = {row.split("</a>")[0].split(">")[-1]: row for row in page.split('<th scope="row"')[1:]}
    assert 'data-kind="ok"' in rows["operator"]
    assert 'data-kind="warn"' in rows["viewer"]
    assert "never" not in rows["viewer"]
    assert UserSession.objects.filter(user__username="viewer").exists()


def test_a_person_nobody_knows_is_not_found(admin: Client) -> None:
    assert admin.get("/settings/users/of/nobody/").status_code == 404
    assert act(admin, "destroy").status_code == 422
    assert User.objects.get(username="viewer").staff.role == Role.VIEWER
