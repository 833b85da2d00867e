"""The page of API keys: what it shows of them, the one answer with the secret, the end of a key."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from connections.api import keys
from connections.custody.audit import Actor
from connections.models import ApiKey, AuditRow, Tenant, database_now
from connections.onboarding import api_keys
from tests.dashboard.people import signed_in

pytestmark = pytest.mark.django_db
ANA = Actor(kind="staff", name="ana")
SECRET = re.compile(r"sga_[0-9a-z]{8}_[A-Za-z0-9_-]{43}")


@pytest.fixture(autouse=True)
def _unremembered() -> None:
    keys.forget()


def make(name: str, *slugs: str, **rest: object) -> ApiKey:
    tenants = [Tenant.objects.get_or_create(slug=slug, defaults={"name": slug})[0] for slug in slugs]
    return api_keys.issue(name, ["token:read"], ANA, tenants=tenants or None, **rest).row  # type: ignore[arg-type]


def form(client: Client, query: str = "") -> dict[str, object]:
    page = client.get(f"/api-keys/new/{query}").content.decode()
    found = re.search(r'name="ticket" value="([0-9a-f]+)"', page)
    assert found
    return {"ticket": found[1], "name": "worker-eu", "scopes": ["token:read", "events:read"]}


def revoke_path(row: ApiKey) -> str:
    return f"/api-keys/{row.prefix}/revoke/"


def test_a_new_key_is_shown_once_and_opens_what_was_ticked() -> None:
    Tenant.objects.create(slug="acme", name="Acme")
    admin = signed_in("admin")
    response = admin.post("/api-keys/new/", form(admin) | {"tenants": "ACME, acme", "expires": "2999-12-31"})
    assert response.status_code == 201
    assert response.headers["Cache-Control"] == "no-store"
    secrets = set(SECRET.findall(response.content.decode()))
    assert len(secrets) == 1
    row = ApiKey.objects.get()
    assert (row.name, row.scopes, row.created_by) == ("worker-eu", ["token:read", "events:read"], "admin")
    assert (row.is_limited, [tenant.slug for tenant in row.tenants.all()]) == (True, ["acme"])
    assert f"{row.expires_at:%Y-%m-%d %H:%M}" == "2999-12-31 23:59"
    headers = {"Authorization": f"Bearer {secrets.pop()}"}
    assert Client().get("/api/v1/events", headers=headers).status_code == 200
    assert Client().get("/api/v1/connections", headers=headers).status_code == 403
    later = [admin.get(path).content.decode() for path in ("/api-keys/", "/api-keys/new/", revoke_path(row), "/audit/")]
    assert not SECRET.search("".join(later)) and "worker-eu" in later[0]
    noted = AuditRow.objects.get(action="create_api_key")
    assert (noted.actor, noted.target, noted.tenant and noted.tenant.slug) == ("admin", row.prefix, "acme")


def test_a_form_sent_twice_makes_one_key() -> None:
    admin = signed_in("admin")
    sent = form(admin)
    assert admin.post("/api-keys/new/", sent).status_code == 201
    again = admin.post("/api-keys/new/", sent, follow=True)
    assert "sent already" in again.content.decode()
    assert not SECRET.search(again.content.decode())
    assert admin.post("/api-keys/new/", sent | {"ticket": "made up"}).status_code == 302
    assert ApiKey.objects.count() == 1
    assert admin.post("/api-keys/new/", form(admin)).status_code == 201


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", " ", "This field is required"), ("scopes", [], "Tick at least one"),
        ("scopes", ["everything"], "not one of the available"), ("tenants", "acme nobody", "There is no tenant"),
        ("expires", "2020-01-01", "over already"), ("expires", "soon", "Enter a valid date"),
    ],
)  # fmt: skip
def test_bad_input_is_told_and_makes_nothing(field: str, value: object, told: str) -> None:
    admin = signed_in("admin")
    response = admin.post("/api-keys/new/", form(admin) | {field: value})
    assert response.status_code == 422
    assert told in response.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_dies_when_its_name_was_typed() -> None:
    row, admin = make("Worker EU"), signed_in("admin")
    path = revoke_path(row)
    assert "type “Worker EU”" in admin.post(path, {"name": "worker eu"}).content.decode()
    assert "type “Worker EU”" in admin.post(path, {"anything": "else"}).content.decode()
    assert admin.post(path).status_code in (200, 422)
    row.refresh_from_db()
    assert row.revoked_at is None
    assert "Revoked: Worker EU" in admin.post(path, {"name": "Worker EU"}, follow=True).content.decode()
    row.refresh_from_db()
    assert row.revoked_at is not None
    assert "was revoked before" in admin.post(path, {"name": "Worker EU"}, follow=True).content.decode()
    assert AuditRow.objects.filter(action="revoke_api_key", target=row.prefix, actor="admin").count() == 1


def test_the_list_tells_keys_in_use_from_those_that_are_over() -> None:
    now = database_now()
    used, expired = make("used"), make("expired", expires_at=now - timedelta(minutes=5))
    ApiKey.objects.filter(pk=used.pk).update(last_used_at=now - timedelta(minutes=12))
    api_keys.revoke(make("gone"), ANA)
    page = signed_in("admin").get("/api-keys/").content.decode()
    in_use, over = page.split("<main")[1].split("<details")
    assert "12 min ago" in in_use and f"sga_{used.prefix}_…" in in_use
    assert "2 keys that are over" in over and expired.prefix in over and "gone" in over
    assert expired.prefix not in in_use


def test_a_successor_begins_with_the_rights_of_the_old_one() -> None:
    row = make("worker", "acme", "north")
    page = signed_in("admin").get(f"/api-keys/new/?like={row.prefix}").content.decode()
    assert 'value="worker"' in page and 'value="acme north"' in page
    assert re.search(r'value="token:read"[^>]*checked', page)


def test_an_admin_limited_to_tenants_reaches_no_further_with_a_key() -> None:
    theirs, wide, others = make("theirs", "acme"), make("everything"), make("others", "acme", "north")
    admin = signed_in("admin", tenants=("acme",))
    page = admin.get("/api-keys/").content.decode()
    assert theirs.prefix in page and wide.prefix not in page and others.prefix not in page
    for row in (wide, others):
        assert admin.get(revoke_path(row)).status_code == 404
        assert admin.post(revoke_path(row), {"name": row.name}).status_code == 404
        assert row.name not in admin.get(f"/api-keys/new/?like={row.prefix}").content.decode()
    for tenants, told in (("", "Name at least one"), ("acme north", "There is no tenant north")):
        assert told in admin.post("/api-keys/new/", form(admin) | {"tenants": tenants}).content.decode()
    assert ApiKey.objects.filter(revoked_at__isnull=False).count() == 0
    assert admin.post("/api-keys/new/", form(admin) | {"tenants": "acme"}).status_code == 201


def test_nothing_is_done_for_somebody_who_proved_himself_long_ago() -> None:
    row, stale = make("worker"), signed_in("admin", proved_ago=400)
    assert "Confirm that it is you first" in stale.get("/api-keys/new/").content.decode()
    asked = stale.post("/api-keys/new/", form(stale))
    assert (asked.status_code, "next=%2Fapi-keys%2Fnew%2F" in asked.headers["Location"]) == (302, True)
    assert stale.post(revoke_path(row), {"name": "worker"}).status_code == 302
    row.refresh_from_db()
    assert (ApiKey.objects.count(), row.revoked_at) == (1, None)


def test_a_try_at_a_key_that_one_may_not_see_is_noted() -> None:
    row, limited = make("worker"), signed_in("admin", tenants=("acme",))
    assert limited.get(revoke_path(row)).status_code == 404
    assert limited.post(revoke_path(row), {"name": "worker"}).status_code == 404
    noted = AuditRow.objects.get(outcome="denied")
    assert (noted.action, noted.target) == ("revoke_api_key", row.prefix)


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_only_admins_have_keys(role: str) -> None:
    row, client = make("worker"), signed_in(role)
    for path in ("/api-keys/", "/api-keys/new/", revoke_path(row)):
        assert client.get(path).status_code == 403
    assert client.post("/api-keys/new/", {"name": "mine", "scopes": ["token:read"]}).status_code == 403
    assert client.post(revoke_path(row), {"name": "worker"}).status_code == 403
    assert set(AuditRow.objects.filter(outcome="denied").values_list("action", "target")) == {
        ("create_api_key", ""), ("revoke_api_key", row.prefix),
    }  # fmt: skip
    assert b'href="/api-keys/"' not in client.get("/overview/").content
