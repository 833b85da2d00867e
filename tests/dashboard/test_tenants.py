"""Customers on a page, and the end of one: by name, with a fresh proof, in the background."""

from __future__ import annotations

from pathlib import Path

import pytest

from connections.custody import guard
from connections.models import AuditRow, Connection, Heartbeat, Tenant, database_now
from tests.conftest import Configured
from tests.dashboard.conftest import Draft
from tests.dashboard.people import signed_in

pytestmark = pytest.mark.django_db
PATH, ERASE = "/settings/tenants/", "/settings/tenants/acme/erase/"


@pytest.fixture
def row(draft: Draft, configured: Configured, tmp_path: Path) -> Connection:
    configured(tenant_keys=tmp_path, allow_http=True)
    guard.forget()
    draft("North", tenant="north")
    return draft()


def test_the_list_says_what_each_has_and_which_key_seals_it(row: Connection) -> None:
    page = signed_in().get(PATH).content.decode()
    assert Tenant.objects.get(slug="acme").data_key in page
    assert page.count("Erase<span") == 2


def test_the_name_erases_and_the_audit_says_who(row: Connection, tmp_path: Path) -> None:
    key = Tenant.objects.get(slug="acme").data_key
    admin = signed_in()
    assert key in admin.get(ERASE).content.decode()
    assert "Waiting for the worker: acme is erased" in admin.post(ERASE, {"name": "acme"}, follow=True).content.decode()
    assert Connection.objects.get(pk=row.pk).deleted_at is not None
    assert [path.stem for path in tmp_path.iterdir()] == [Tenant.objects.get(slug="north").data_key]
    noted = AuditRow.objects.filter(target="acme").values_list("action", "actor_kind", "actor")
    assert list(noted) == [("erase_tenant", "staff", "admin"), ("destroy_data_keys", "staff", "admin")]


def test_while_the_worker_is_there_it_begins_at_once(row: Connection) -> None:
    now = database_now()
    Heartbeat.objects.create(name="worker@here", pid=1, beat_at=now, started_at=now)
    page = signed_in().post(ERASE, {"name": "acme"}, follow=True).content.decode()
    assert "acme is being erased in the background" in page


@pytest.mark.parametrize("name", ["", "Acme", "north"])
def test_another_name_erases_nothing(row: Connection, name: str, tmp_path: Path) -> None:
    assert signed_in().post(ERASE, {"name": name}).status_code == 422
    assert Connection.objects.get(pk=row.pk).deleted_at is None
    assert len(list(tmp_path.iterdir())) == 2


def test_without_a_fresh_proof_nothing_is_erased(row: Connection) -> None:
    response = signed_in(proved_ago=301).post(ERASE, {"name": "acme"})
    assert response.headers["Location"].startswith("/sign-in/again/")
    assert Connection.objects.get(pk=row.pk).deleted_at is None


def test_where_the_folder_is_away_it_is_said_and_nothing_is_done(row: Connection, configured: Configured) -> None:
    configured(tenant_keys=Path("/nowhere"))
    guard.forget()
    response = signed_in().post(ERASE, {"name": "acme"})
    assert response.status_code == 409
    assert "cannot be read" in response.content.decode()
    assert Connection.objects.get(pk=row.pk).deleted_at is None
