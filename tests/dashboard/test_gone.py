"""The page of a connection that was deleted: who may see its tenant learns what it was and who ended it."""

from __future__ import annotations

import pytest
from django.test import Client

from connections.custody import actions
from connections.models import Connection
from tests.custody.conftest import ANA
from tests.dashboard.conftest import Draft
from tests.dashboard.people import signed_in

pytestmark = pytest.mark.django_db
TABS = ("timeline/", "tokens/", "attempts/", "events/1/", "links/", "settings/", "audit/", "bundle/", "actions/test/")
POSTS = ("actions/test/", "notes/", "describe/", "settings/")


@pytest.fixture
def row(draft: Draft) -> Connection:
    made = draft("Acme <EU>", tenant="acme", instance_url="http://127.0.0.1:9/acme")
    actions.delete(made.public_id, ANA)
    return made


def test_it_says_what_it_was_and_who_deleted_it_when(row: Connection) -> None:
    answer = signed_in("viewer").get(row.get_absolute_url())
    page, at = answer.content.decode(), Connection.objects.get(pk=row.pk).deleted_at
    assert answer.status_code == 410
    for words in (
        "This connection was deleted.",
        "Acme &lt;EU&gt;",
        "acme",
        row.host,
        "<dd>ana</dd>",
        f"{at:%H:%M:%S} ",
    ):
        assert words in page
    assert "Audit, newest first" not in page
    assert "canary-password" not in page


@pytest.mark.parametrize("role", ["admin", "auditor"])
def test_who_may_audit_sees_its_rows(row: Connection, role: str) -> None:
    page = signed_in(role).get(row.get_absolute_url()).content.decode()
    assert "Audit, newest first" in page
    assert 'title="delete"' in page
    assert 'title="create"' in page


def test_its_other_pages_and_deeds_are_gone_without_a_word(row: Connection) -> None:
    admin = signed_in("admin")
    assert {admin.get(row.get_absolute_url() + tab).status_code for tab in TABS} == {404}
    assert {admin.post(row.get_absolute_url() + path).status_code for path in POSTS} == {404}
    assert admin.post(row.get_absolute_url()).status_code == 405


def test_of_another_tenant_it_does_not_exist(row: Connection) -> None:
    answer = signed_in("admin", tenants=("north",)).get(row.get_absolute_url())
    assert answer.status_code == 404
    assert "Acme" not in answer.content.decode()
    assert signed_in("admin", tenants=("acme",)).get(row.get_absolute_url()).status_code == 410


def test_nobody_signed_in_is_asked_to_and_once_pruned_it_was_never_there(row: Connection) -> None:
    assert Client().get(row.get_absolute_url()).status_code == 302
    Connection.objects.filter(pk=row.pk).delete()
    assert signed_in("admin").get(row.get_absolute_url()).status_code == 404
