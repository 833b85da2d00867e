"""Every address of the pages: works, wrong method, anonymous, lacking the right, another tenant's id."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from connections import models
from connections.custody import actions
from connections.models import AuditRow
from connections.onboarding import drafts as onboarding
from tests.custody.conftest import ANA
from tests.dashboard.conftest import Draft
from tests.dashboard.people import signed_in

pytestmark = pytest.mark.django_db
PUBLIC = {"sign_in", "theme", "help", "article"}
OPERATOR_ACTIONS = ("test", "rotate", "sign-in", "repair", "pause", "resume")
ACTIONS = (*OPERATOR_ACTIONS, "hold")
GET_PAGES = {
    "home": "/", "overview": "/overview/", "list": "/connections/", "new": "/connections/new/", "system": "/system/",
    "live": "/live/", "profile": "/profile/", "rows": "/connections/live/", "help": "/help/",
    "article": "/help/timeout/", "sign_in": "/sign-in/",
    "audit": "/audit/", "audit_export": "/audit/export.csv",
    "api_keys": "/api-keys/", "api_key_new": "/api-keys/new/",
    "users": "/settings/users/", "new_user": "/settings/users/new/",
}  # fmt: skip
POST_PAGES = {
    "sign_out": "/sign-out/", "theme": "/theme/", "stay": "/profile/sessions/stay/",
    "end_other_sessions": "/profile/sessions/end-others/", "zone": "/profile/zone/",
}  # fmt: skip
OF_CUSTOMERS = {"customer_link", "link_page", "link_done", "link_ask", "guide", "None"}  # tests/customer
OF_LINKS = {"revoke_link"}  # tests/dashboard/test_links.py
IN_SIGNIN = {"user", "link", "follow_link", "forgotten", "end_session"}
"""Tested in tests/signin: each needs somebody or something to be there."""
ELSEWHERE = {"api_key_revoke"}  # tests/dashboard/test_api_keys.py
WITH_FORMS = {"new", "new_user", "sign_in", "api_key_new", "profile"}
OF_ONE = {
    "detail": "", "timeline": "timeline/", "tokens": "tokens/", "attempts": "attempts/", "attempt": "attempts/1/",
    "event": "events/1/", "links": "links/", "settings": "settings/", "connection_audit": "audit/",
    "bundle": "bundle/", "action": "actions/test/",
}  # fmt: skip
OF_A_DRAFT = {
    "draft": "", "draft_address": "address/", "draft_platform": "platform/", "draft_credentials": "credentials/",
    "draft_review": "review/",
}  # fmt: skip


def test_every_address_of_the_pages_is_tested_here() -> None:
    assert _names("connections") == {
        *GET_PAGES,
        *POST_PAGES,
        *OF_ONE,
        *OF_A_DRAFT,
        *IN_SIGNIN,
        *OF_CUSTOMERS,
        *OF_LINKS,
        *ELSEWHERE,
    }


def _names(namespace: str) -> set[str]:
    _, resolver = get_resolver().namespace_dict[namespace]
    return set(_walk(resolver.url_patterns))


def _walk(patterns: list[URLPattern | URLResolver]) -> list[str]:
    found = []
    for pattern in patterns:
        found += _walk(pattern.url_patterns) if isinstance(pattern, URLResolver) else [str(pattern.name)]
    return found


@pytest.fixture
def paths(draft: Draft) -> dict[str, str]:
    """Addresses under one connection that has been tested once, so that attempt 1 and event 1 exist."""
    row = draft()
    actions.test(row.public_id, ANA)
    return {name: row.get_absolute_url() + path for name, path in OF_ONE.items()}


@pytest.fixture
def drafts(draft: Draft) -> dict[str, str]:
    """Addresses under one draft that has become a connection and has not signed in."""
    row = draft()
    found = onboarding.begin("acme", {"label": "Acme EU", "instance_url": "http://127.0.0.1:9/a"}, ANA, tenants=None)
    models.Draft.objects.filter(pk=found.pk).update(connection=row, platform="intg")
    return {name: found.get_absolute_url() + path for name, path in OF_A_DRAFT.items()}


@pytest.mark.parametrize("name", [name for name in GET_PAGES if name not in ("home", "sign_in")])
def test_a_page_of_the_fleet_shows(name: str) -> None:
    assert signed_in().get(GET_PAGES[name]).status_code == 200


def test_the_root_leads_to_the_overview() -> None:
    assert signed_in().get("/").headers["Location"] == "/overview/"


@pytest.mark.parametrize("name", OF_ONE)
def test_a_page_of_a_connection_shows(paths: dict[str, str], name: str) -> None:
    assert signed_in().get(paths[name]).status_code == 200


@pytest.mark.parametrize("path", [path for name, path in GET_PAGES.items() if name not in WITH_FORMS])
def test_what_only_shows_takes_no_post(path: str) -> None:
    assert signed_in().post(path).status_code == 405


@pytest.mark.parametrize("name", [name for name in OF_ONE if name not in ("settings", "action", "links")])
def test_what_only_shows_a_connection_takes_no_post(paths: dict[str, str], name: str) -> None:
    assert signed_in().post(paths[name]).status_code == 405


@pytest.mark.parametrize("path", POST_PAGES.values())
def test_what_changes_something_takes_no_get(path: str) -> None:
    assert signed_in().get(path).status_code == 405


@pytest.mark.parametrize("name", [name for name in GET_PAGES if name not in PUBLIC])
def test_a_stranger_is_asked_to_sign_in(name: str) -> None:
    response = Client().get(GET_PAGES[name])
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("name", OF_ONE)
def test_a_stranger_sees_no_connection(paths: dict[str, str], name: str) -> None:
    assert Client().get(paths[name]).headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("name", [name for name in GET_PAGES if name in PUBLIC])
def test_a_stranger_may_read_this(name: str) -> None:
    assert Client().get(GET_PAGES[name]).status_code == 200


@pytest.mark.parametrize("name", OF_ONE)
def test_another_tenants_connection_does_not_exist(paths: dict[str, str], name: str) -> None:
    assert signed_in(tenants=("other",)).get(paths[name]).status_code == 404


@pytest.mark.parametrize("name", OF_A_DRAFT)
def test_a_page_of_a_draft_shows_to_its_admins_alone(drafts: dict[str, str], name: str) -> None:
    assert signed_in().get(drafts[name], follow=True).status_code == 200
    assert signed_in(tenants=("acme",)).get(drafts[name], follow=True).status_code == 200
    assert signed_in(tenants=("other",)).get(drafts[name]).status_code == 404
    assert signed_in("operator").get(drafts[name]).status_code == 403
    assert Client().get(drafts[name]).headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("name", OF_A_DRAFT)
def test_who_may_not_create_changes_no_draft_and_the_try_is_noted(drafts: dict[str, str], name: str) -> None:
    for client, status in ((signed_in("operator"), 403), (signed_in(tenants=("other",)), 404)):
        assert client.post(drafts[name], {"label": "Mine"}).status_code == status
    denied = AuditRow.objects.filter(outcome="denied").order_by("id").select_related("tenant")
    target = drafts["draft"].split("/")[3]
    assert [(row.actor, row.action, row.target, row.tenant and row.tenant.slug) for row in denied] == [
        (who, name, target, "acme") for who in ("operator", "admin_of_other")
    ]


@pytest.mark.parametrize("action", ACTIONS)
def test_another_tenants_connection_cannot_be_acted_on(paths: dict[str, str], action: str) -> None:
    path = paths["detail"] + f"actions/{action}/"
    assert signed_in(tenants=("other",)).post(path, {"version": 0}).status_code == 404
    row = AuditRow.objects.get(outcome="denied")
    assert (row.action, row.target, row.tenant and row.tenant.slug) == (
        action.replace("-", "_"), path.split("/")[2], "acme",
    )  # fmt: skip


@pytest.mark.parametrize("name", OF_ONE)
def test_a_user_without_a_role_sees_nothing(paths: dict[str, str], name: str) -> None:
    response = signed_in("").get(paths[name])
    assert response.status_code == 403
    assert b"no role here yet" in response.content


@pytest.mark.parametrize("role", ["viewer", "auditor"])
@pytest.mark.parametrize("action", ACTIONS)
def test_who_only_reads_acts_on_nothing_and_the_try_is_noted(paths: dict[str, str], role: str, action: str) -> None:
    path = paths["detail"] + f"actions/{action}/"
    response = signed_in(role).post(path, {"version": 0})
    assert response.status_code == 403
    row = AuditRow.objects.get(outcome="denied")
    assert (row.actor, row.action, row.target) == (role, action.replace("-", "_"), path.split("/")[2])


def test_an_operator_neither_creates_nor_edits_nor_holds(paths: dict[str, str]) -> None:
    operator = signed_in("operator")
    for path in ("/connections/new/", paths["settings"], paths["detail"] + "actions/hold/"):
        assert operator.post(path, {"section": "description", "label": "Mine"}).status_code == 403
    assert operator.get("/connections/new/").status_code == 403


@pytest.mark.parametrize("path", ["events/99/", "attempts/99/", "actions/destroy/", "nothing/"])
def test_what_does_not_exist_is_not_found(paths: dict[str, str], path: str) -> None:
    response = signed_in().get(paths["detail"] + path)
    assert response.status_code == 404
    assert b"There is nothing here" in response.content
