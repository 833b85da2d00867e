"""Changing and deleting a connection."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from connections import models
from connections.custody import guard
from connections.models import AuditRow, Connection, Heartbeat, database_now
from sugaradmin.keys import new_key
from tests.conftest import Configured
from tests.dashboard.conftest import Draft
from tests.dashboard.people import person, signed_in
from tests.dashboard.sending import send

pytestmark = [pytest.mark.django_db, pytest.mark.once]
IDENTITY = {"section": "identity", "platform": "intg", "username": "svc", "client_id": "sugar"}


@pytest.fixture
def admin(draft: Draft) -> Client:
    """With `draft`, so that plain http is allowed."""
    return signed_in("admin")


def save(client: Client, row: Connection, **data: object) -> Any:
    return send(client, f"{row.get_absolute_url()}settings/", data)


def test_without_the_right_key_nothing_is_saved_and_the_page_says_why(
    admin: Client, draft: Draft, configured: Configured
) -> None:
    row = draft("Before")
    assert guard.key_trouble() == ""
    configured(encryption_keys=f"another:{new_key()}")
    guard.forget()
    given = {"tenant": "acme", "label": "New", "instance_url": "http://127.0.0.1:9/new"}
    response = admin.post("/connections/new/", given)
    assert response.status_code == 422
    assert "is missing" in response.content.decode()
    assert save(admin, row, section="secrets", password="new", store_password="on").status_code == 422
    assert not models.Draft.objects.exists()
    paused = admin.post(f"{row.get_absolute_url()}actions/pause/")
    assert paused.status_code == 409
    assert "This was not done" in paused.content.decode()
    assert 'href="/api-keys/"' in paused.content.decode(), "inside the frame of who asked, with all of its menu"
    assert Connection.objects.get(pk=row.pk).paused_at is None


def test_the_description_changes_without_touching_the_chain(admin: Client, draft: Draft) -> None:
    row = draft()
    fields = {"label": "Acme Europe", "tags": "gold", "contact_name": "Kim", "contact_email": "kim@example.com"}
    response = save(admin, row, section="description", server_seconds="60", **fields)
    assert response.status_code == 302
    after = Connection.objects.get(pk=row.pk)
    assert (after.label, after.contact_name, after.server_seconds) == ("Acme Europe", "Kim", 60)
    assert [tag.name for tag in after.tags.all()] == ["gold"]
    assert (after.generation, after.password is not None) == (row.generation, True)


def test_an_owner_is_one_of_those_who_may_see_it(admin: Client, draft: Draft) -> None:
    """Named on the page, kept by a save of something else, refused where he could not look after it."""
    row = draft(tenant="ours")
    person("operator", tenants=("ours",))
    person("operator", tenants=("foreign",))
    person("", name="no_role")
    form = {"section": "description", "label": "Acme EU"}
    for name in ("operator_of_foreign", "no_role", "nobody_at_all"):
        refused = save(admin, row, **form, owner=name)
        assert refused.status_code == 422
        assert "Nobody of this name may see this connection." in refused.content.decode()
    assert save(admin, row, **form, owner="operator_of_ours").status_code == 302
    assert AuditRow.objects.latest("pk").difference["owner"] == "operator_of_ours"
    page = admin.get(f"{row.get_absolute_url()}").content.decode()
    assert 'href="/connections/?owner=operator_of_ours">operator_of_ours</a>' in page
    settings_page = admin.get(f"{row.get_absolute_url()}settings/").content.decode()
    assert '<option value="operator_of_ours" selected>' in settings_page
    assert "operator_of_foreign" not in settings_page


def test_an_owner_who_is_switched_off_stays_until_another_is_chosen(admin: Client, draft: Draft) -> None:
    row = draft()
    olga = person("operator")
    form = {"section": "description", "label": "Acme EU"}
    save(admin, row, **form, owner="operator")
    User.objects.filter(pk=olga.pk).update(is_active=False)
    assert save(admin, row, **form, owner="operator", contact_name="Kim").status_code == 302
    assert "switched off" in admin.get(row.get_absolute_url()).content.decode()
    assert save(admin, row, **form, owner="").status_code == 302
    assert Connection.objects.get(pk=row.pk).owner is None
    assert save(admin, row, **form, owner="operator").status_code == 422


def test_the_contact_stands_on_the_page_and_an_address_can_be_written_to(admin: Client, draft: Draft) -> None:
    row = draft(contact_name="Kim <b>", contact_email="kim+crm@example.com")
    page = admin.get(row.get_absolute_url()).content.decode()
    assert "Kim &lt;b&gt;" in page
    assert 'href="mailto:kim%2Bcrm@example.com"' in page


def test_the_root_that_is_pasted_with_the_same_address_ends_no_chain(admin: Client, draft: Draft) -> None:
    row = draft()
    pasted = f"{row.instance_url}/api/rest.php/v10/"
    assert save(admin, row, **IDENTITY, instance_url=pasted, confirm="on").status_code == 302
    after = Connection.objects.get(pk=row.pk)
    assert (after.instance_url, after.rest_path) == (row.instance_url, "api/rest.php/v10")
    assert (after.generation, after.password is not None) == (row.generation, True)
    assert AuditRow.objects.latest("pk").difference["rest_path"] == "api/rest.php/v10"


def test_another_user_is_taken_only_when_confirmed_and_wipes_the_password(admin: Client, draft: Draft) -> None:
    row = draft()
    data = IDENTITY | {"instance_url": row.instance_url, "username": "new"}
    refused = save(admin, row, **data)
    assert refused.status_code == 422
    assert "Tick this first" in refused.content.decode()
    assert Connection.objects.get(pk=row.pk).username == "svc"
    assert save(admin, row, **data, confirm="on").status_code == 302
    after = Connection.objects.get(pk=row.pk)
    assert (after.username, after.password, after.generation) == ("new", None, row.generation + 1)


def test_an_identity_saved_as_it_was_changes_nothing(admin: Client, draft: Draft) -> None:
    row = draft()
    assert save(admin, row, **IDENTITY, instance_url=row.instance_url).status_code == 302
    assert Connection.objects.get(pk=row.pk).generation == row.generation


def test_empty_secrets_are_left_alone_and_unticking_wipes(admin: Client, draft: Draft) -> None:
    row = draft(client_secret="canary-client-secret")
    save(admin, row, section="secrets", store_password="on")
    after = Connection.objects.get(pk=row.pk)
    assert (after.password, after.client_secret) == (row.password, row.client_secret)
    save(admin, row, section="secrets", forget_client_secret="on")
    after = Connection.objects.get(pk=row.pk)
    assert (after.password, after.client_secret) == (None, None)


@pytest.mark.parametrize("name", ["", "acme eu", "Acme"])
def test_deleting_needs_the_exact_name(admin: Client, draft: Draft, name: str) -> None:
    row = draft()
    assert save(admin, row, section="delete", name=name).status_code == 422
    assert Connection.objects.get(pk=row.pk).deleted_at is None


def test_deleting_wipes_and_done_twice_finds_nothing(admin: Client, draft: Draft) -> None:
    row = draft()
    response = save(admin, row, section="delete", name="Acme EU")
    assert response.headers["Location"] == "/connections/"
    after = Connection.objects.get(pk=row.pk)
    assert after.deleted_at is not None
    assert after.password is None
    assert save(admin, row, section="delete", name="Acme EU").status_code == 404
    assert admin.get(row.get_absolute_url()).status_code == 410


def test_a_section_that_does_not_exist_changes_nothing(admin: Client, draft: Draft) -> None:
    row = draft()
    assert save(admin, row, section="nonsense", label="Other").status_code == 422
    assert Connection.objects.get(pk=row.pk).label == "Acme EU"


def test_a_viewer_sees_the_settings_and_cannot_save_them(draft: Draft) -> None:
    row, viewer = draft(), signed_in("viewer")
    page = viewer.get(f"{row.get_absolute_url()}settings/").content.decode()
    assert page.count('<fieldset class="stack" disabled>') == 4
    assert save(viewer, row, section="description", label="Mine").status_code == 403


@pytest.mark.parametrize(("age", "told"), [(5, "within 30 seconds"), (3600, "before the background worker runs again")])
def test_what_was_saved_waits_for_a_worker_that_is_silent(admin: Client, draft: Draft, age: int, told: str) -> None:
    at = database_now() - timedelta(seconds=age)
    Heartbeat.objects.create(name="worker@here", pid=1, beat_at=at, started_at=at)
    save(admin, row := draft("Before"), section="description", label="After")
    assert told in admin.get(f"{row.get_absolute_url()}settings/").content.decode()
