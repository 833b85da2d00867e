"""Drafts that are no connection yet: shown in the list, handed to a colleague, discarded, expired with a notice."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from connections import tasks
from connections.custody import lent
from connections.models import AuditRow, Connection, Draft, LentPassword, database_now
from connections.onboarding import drafts
from tests.conftest import Configured
from tests.custody.conftest import ANA
from tests.dashboard.conftest import Draft as MakeDraft
from tests.dashboard.people import signed_in
from tests.dashboard.sending import send
from tests.dashboard.walking import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def begun(db: None, configured: Configured) -> Draft:
    configured(allow_http=True)
    given = {"label": "Northwind", "instance_url": "http://127.0.0.1:9/northwind"}
    return drafts.begin("acme", given, ANA, tenants=None)


def age(draft: Draft, days: int) -> None:
    then = database_now() - timedelta(days=days)
    Draft.objects.filter(pk=draft.pk).update(updated_at=then)
    Connection.objects.update(updated_at=then)


def listed(query: str = "", role: str = "viewer", **who: tuple[str, ...]) -> str:
    return text_of(signed_in(role, **who).get(f"/connections/{query}"))


def test_the_list_shows_it_as_a_draft_to_who_may_see_its_tenant(begun: Draft) -> None:
    assert "Draft Northwind acme" in listed()
    assert "Northwind" not in listed(tenants=("other",))
    assert begun.get_absolute_url() in signed_in("admin").get("/connections/").content.decode()
    assert begun.get_absolute_url() not in signed_in("viewer").get("/connections/").content.decode()


def test_the_overview_counts_it_among_the_drafts_of_who_may_see_it(begun: Draft, draft: MakeDraft) -> None:
    """Also where it is all there is."""

    def tile(*tenants: str) -> list[str]:
        page = signed_in("viewer", tenants=tenants).get("/overview/").content.decode()
        return re.findall(r'status=draft" data-status="draft"(?: data-some)?><span class="count">(\d+)<', page)

    assert tile() == ["1"]
    draft("Acme")
    assert tile() == ["2"]
    assert "2 match" in listed("?status=draft")
    assert tile("other") == [], "nothing is connected there, nothing begun"


@pytest.mark.parametrize(
    ("query", "is_shown"),
    [
        ("?status=draft", True), ("?status=down", False), ("?q=NORTH", True), ("?q=zeta", False), ("?tag=eu", False),
        ("?tenant=acme", True), ("?tenant=zeta", False), ("?host=127.0.0.1", True), ("?host=elsewhere", False),
    ],
)  # fmt: skip
def test_filters_hold_for_it_too(begun: Draft, query: str, is_shown: bool) -> None:
    assert ("Unfinished drafts" in listed(query)) is is_shown


def test_its_link_leads_a_colleague_to_where_it_was_left(begun: Draft) -> None:
    admin = signed_in("admin")
    assert admin.get(begun.get_absolute_url()).headers["Location"].endswith("/address/")
    drafts.describe(begun, {"platform": "intg"}, ANA, tenants=None)
    assert admin.get(begun.get_absolute_url()).headers["Location"].endswith("/credentials/")


def test_a_colleague_does_not_get_the_password_that_was_typed(begun: Draft) -> None:
    ana, ben = signed_in("admin"), signed_in("admin")
    drafts.describe(begun, {"platform": "intg"}, ANA, tenants=None)
    typed = {"username": "svc", "password": "canary-password", "client_id": "sugar", "store_password": "on"}
    assert send(ana, f"{begun.get_absolute_url()}credentials/", typed).status_code == 302
    assert "Empty: the one you typed is used." in text_of(ana.get(f"{begun.get_absolute_url()}credentials/"))
    assert "Empty: the one you typed" not in text_of(ben.get(f"{begun.get_absolute_url()}credentials/"))
    assert "No password is at hand" in text_of(ben.get(f"{begun.get_absolute_url()}review/"))


def test_another_user_needs_a_password_of_its_own(begun: Draft) -> None:
    admin, path = signed_in("admin"), f"{begun.get_absolute_url()}credentials/"
    drafts.describe(begun, {"platform": "intg"}, ANA, tenants=None)
    typed = {"username": "svc", "password": "canary-password", "client_id": "sugar"}
    send(admin, path, typed)
    assert send(admin, path, typed | {"username": "other", "password": ""}).status_code == 422
    assert send(admin, path, typed | {"password": ""}).status_code == 302


def test_it_is_discarded_with_the_connection_that_it_became(begun: Draft) -> None:
    drafts.describe(begun, {"platform": "intg"}, ANA, tenants=None)
    given = drafts.Credentials(username="svc", password="x", client_id="", client_secret="", store_password=True)
    row = drafts.sign_up(begun, given, ANA, tenants=None, session="one")
    assert signed_in("admin").post(begun.get_absolute_url()).headers["Location"] == "/connections/"
    assert Connection.objects.get(pk=row.pk).deleted_at is not None
    assert not LentPassword.objects.filter(secret__isnull=False).exists()
    assert not Draft.objects.exists()
    assert signed_in("admin").get(begun.get_absolute_url()).status_code == 404


def test_after_thirty_days_without_anybody_it_expires_with_a_notice(begun: Draft) -> None:
    age(begun, 29)
    tasks.prune()
    assert "Unfinished drafts" in listed()
    age(begun, 31)
    tasks.prune()
    assert "Unfinished drafts" not in listed()
    assert "Expired, because nobody went on for 30 days: Northwind (ana)" in listed()
    page = signed_in("admin").get(begun.get_absolute_url())
    assert page.status_code == 410
    assert "has expired" in text_of(page)
    assert signed_in("admin").get(f"{begun.get_absolute_url()}address/", follow=True).status_code == 410
    assert AuditRow.objects.filter(action="expire_draft", target=begun.public_id, actor="background").exists()


def test_a_week_later_the_notice_goes_too(begun: Draft) -> None:
    age(begun, 60)
    tasks.prune()
    Draft.objects.update(expired_at=database_now() - timedelta(days=8))
    tasks.prune()
    assert not Draft.objects.exists()


def test_with_it_goes_the_connection_that_never_signed_in(begun: Draft) -> None:
    drafts.describe(begun, {"platform": "intg"}, ANA, tenants=None)
    given = drafts.Credentials(username="svc", password="x", client_id="", client_secret="", store_password=True)
    row = drafts.sign_up(begun, given, ANA, tenants=None, session="one")
    age(begun, 31)
    Connection.objects.update(updated_at=database_now())
    tasks.prune()
    assert Connection.objects.get(pk=row.pk).deleted_at is None, "somebody changed it on another page"
    age(begun, 31)
    tasks.prune()
    assert Connection.objects.get(pk=row.pk).deleted_at is not None
    assert lent.password_of(row, "one") is None


def test_a_connection_that_others_made_never_expires(begun: Draft, draft: MakeDraft) -> None:
    row = draft("By the API")
    age(begun, 400)
    tasks.prune()
    assert Connection.objects.get(pk=row.pk).deleted_at is None
