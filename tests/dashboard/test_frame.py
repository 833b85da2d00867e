"""What surrounds the pages: entrance, colours, banners, help, the stock admin."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib import admin
from django.test import Client
from django_q.models import Schedule

from connections.choices import DiagnosisCode
from connections.custody import guard
from connections.dashboard import queries
from connections.dashboard.doings import DOINGS
from connections.dashboard.wording import ELSEWHERE, REMEDIES
from connections.models import ApiKey, Heartbeat, Installation, Tenant, database_now
from tests.conftest import Configured
from tests.custody.conftest import Connect
from tests.dashboard.people import PASSWORD, person, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.once]
WORKER_CODES = (
    "draft", "paused", "held", "busy", "connection_exists", "read_only", "too_many_requests", "too_large",
    "unauthorized", "scope_missing", "not_found", "invalid",
)  # fmt: skip


def beat(seconds_ago: float) -> None:
    at = database_now() - timedelta(seconds=seconds_ago)
    Heartbeat.objects.update_or_create(name="worker@here", defaults={"pid": 1, "beat_at": at, "started_at": at})


def test_one_signs_in_and_out() -> None:
    person("viewer")
    client = Client(enforce_csrf_checks=True)
    token = client.get("/sign-in/").context["csrf_token"]
    data = {"login": "viewer", "password": PASSWORD, "csrfmiddlewaretoken": token, "next": "/system/"}
    assert client.post("/sign-in/", data).headers["Location"] == "/system/"
    token = client.get("/overview/").context["csrf_token"]
    assert client.post("/sign-out/").status_code == 403, "only with the token of the form"
    assert client.post("/sign-out/", {"csrfmiddlewaretoken": token}).headers["Location"] == "/sign-in/"
    assert client.get("/overview/").status_code == 302


def test_a_wrong_password_is_told_and_not_repeated() -> None:
    person("viewer")
    page = Client().post("/sign-in/", {"login": "viewer", "password": "canary-wrong"}).content.decode()
    assert "do not fit together" in page
    assert "canary-wrong" not in page


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_the_choice_of_colours_leads_to_no_other_site(target: str) -> None:
    assert Client().post("/theme/", {"theme": "dark", "next": target}).headers["Location"] == "/"


def test_the_chosen_colours_are_rendered_by_the_server() -> None:
    client = signed_in("viewer")
    assert "data-theme" not in client.get("/help/").content.decode()
    assert client.post("/theme/", {"theme": "dark", "next": "/help/?q=a"}).headers["Location"] == "/help/?q=a"
    assert 'data-theme="dark"' in client.get("/help/").content.decode()
    client.post("/theme/", {"theme": "auto"})
    client.cookies["theme"] = '"><script>'
    assert "data-theme" not in client.get("/help/").content.decode()


@pytest.mark.parametrize(("seconds", "shouts"), [(1, False), (29, False), (31, True), (300, True)])
def test_r12_a_silent_worker_is_shouted_with_the_command_that_starts_it(
    configured: Configured, seconds: int, shouts: bool
) -> None:
    configured(heartbeat=timedelta(seconds=5))
    beat(seconds)
    page = signed_in("viewer").get("/connections/").content.decode()
    assert ("Background worker silent" in page) is shouts
    assert ("manage.py serve" in page) is shouts


def test_three_beats_may_be_missed_where_they_are_slow(configured: Configured) -> None:
    configured(heartbeat=timedelta(seconds=60))
    beat(170)
    assert b"Background worker silent" not in signed_in("viewer").get("/overview/").content


def test_a_worker_that_never_ran_is_shouted_too() -> None:
    assert b"has never run here" in signed_in("viewer").get("/overview/").content


def test_read_only_custody_is_said_on_every_page() -> None:
    Installation.objects.create(instance_id="x", read_only_reason="This is a copy.")
    guard.forget()
    assert b"This is a copy." in signed_in("viewer").get("/system/").content


@pytest.mark.parametrize("code", [*DiagnosisCode.values, *WORKER_CODES])
def test_every_code_has_a_page_that_needs_no_sign_in(code: str) -> None:
    page = Client().get(f"/help/{code}/")
    assert page.status_code == 200
    assert code in page.content.decode()
    assert "{" not in page.content.decode().split("<main")[1].split("</main>")[0], "a blank was not filled"


def test_the_set_up_in_sugar_is_a_page_for_anybody() -> None:
    assert "/help/sugar-admin-setup/" in Client().get("/help/").content.decode()
    page = Client().get("/help/sugar-admin-setup/").content.decode()
    assert "open Admin &gt; Configure API Platforms" in page
    assert "Press Add, then Save." in page


@pytest.mark.parametrize("path", ["/help/", "/help/maintenance/", "/help/busy/", "/help/sugar-admin-setup/"])
def test_r12_help_has_the_frame_of_all_pages_for_who_signed_in(path: str) -> None:
    page = signed_in("admin").get(path).content.decode()
    assert "manage.py serve" in page, "no worker has ever run here"
    assert 'href="/audit/"' in page
    for client in (Client(), signed_in("")):
        page = client.get(path).content.decode()
        assert "manage.py serve" not in page
        assert 'href="/audit/"' not in page


def test_help_is_searched_by_words_and_unknown_codes_are_not_found() -> None:
    page = Client().get("/help/?q=Maintenance").content.decode()
    assert "/help/maintenance/" in page
    assert "/help/tls_invalid/" not in page
    assert Client().get("/help/nonsense/").status_code == 404


def test_every_remedy_is_a_button_that_exists() -> None:
    assert set(REMEDIES) <= set(DiagnosisCode.values)
    assert {name for names in REMEDIES.values() for name in names} <= {*DOINGS, *ELSEWHERE}


def test_pages_set_their_own_policy_and_contain_nothing_inline(connect: Connect) -> None:
    kept = connect("13.3")
    client = signed_in("admin")
    for path in ("/overview/", "/connections/", f"/connections/{kept.public_id}/", "/connections/new/", "/system/"):
        response = client.get(path)
        page = response.content.decode()
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick=" not in page
        assert page.count("<script") == page.count("<script src=")
        assert response.headers["Cache-Control"] == "no-store"


def superuser() -> Client:
    client = Client()
    user = person("admin", name="root")
    user.is_staff = user.is_superuser = True
    user.save()
    client.force_login(user)
    return client


def test_the_stock_admin_changes_nothing_of_any_model_whoever_brought_it() -> None:
    client = superuser()
    assert len(admin.site._registry) > 10
    for model in admin.site._registry:
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        shown = client.get(address)
        assert shown.status_code == 200, address
        assert b'name="action"' not in shown.content, "nothing to do with many rows at once"
        for path in ("add/", "1/change/", "1/delete/"):
            assert client.post(address + path, {"name": "x", "post": "yes"}).status_code in {302, 403}, address + path


def test_the_stock_admin_shows_a_tenant_and_a_task_and_leaves_them_as_they_are() -> None:
    client = superuser()
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    task = Schedule.objects.create(name="nightly", func="connections.tasks.due")
    for where, name in ((f"connections/tenant/{tenant.pk}", "Acme"), (f"django_q/schedule/{task.pk}", "nightly")):
        assert name in client.get(f"/admin/{where}/change/").content.decode()
        for path in ("change", "delete"):
            assert client.post(f"/admin/{where}/{path}/", {"name": "Other", "post": "yes"}).status_code == 403
    tenant.refresh_from_db()
    assert tenant.name == "Acme"


def test_the_stock_admin_shows_what_custody_knows_and_changes_nothing(connect: Connect) -> None:
    kept = connect("13.3", fields={"password": "secret", "client_id": "sugar"})
    client = superuser()
    row = kept.row
    for model in ("connection", "tokenversion", "attempt", "event", "auditrow", "apikey", "staff", "tenant"):
        assert client.get(f"/admin/connections/{model}/").status_code == 200
        assert client.get(f"/admin/connections/{model}/add/").status_code == 403
    key = ApiKey.objects.create(name="worker", prefix="p", secret_hash="canary-hash")
    assert "canary-hash" not in client.get(f"/admin/connections/apikey/{key.pk}/change/").content.decode()
    page = client.get(f"/admin/connections/connection/{row.pk}/change/").content.decode()
    assert row.password is not None
    assert row.password.envelope not in page
    assert "v1:" not in client.get(f"/admin/connections/tokenversion/{row.versions.get().pk}/change/").content.decode()
    assert client.post(f"/admin/connections/connection/{row.pk}/change/", {"label": "x"}).status_code == 403
    assert client.post(f"/admin/connections/connection/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_who_may_see_no_tenant_has_nothing_pressing() -> None:
    assert queries.pressing(frozenset()) == {}
