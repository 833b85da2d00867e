"""What the matrix of tests/authorization does not say: what people are told, and what is noted of their tries."""

from __future__ import annotations

import pytest

from connections.custody import actions
from connections.models import AuditRow, Connection
from tests.custody.conftest import ANA
from tests.dashboard.conftest import Draft
from tests.dashboard.people import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.once]
OPERATOR_ACTIONS = ("test", "rotate", "sign-in", "repair", "pause", "resume")
ACTIONS = (*OPERATOR_ACTIONS, "hold")


@pytest.fixture
def row(draft: Draft) -> Connection:
    """Tested once, so that attempt 1 and event 1 exist."""
    made = draft()
    actions.test(made.public_id, ANA)
    return made


def action_path(row: Connection, action: str) -> str:
    return f"{row.get_absolute_url()}actions/{action}/"


def test_the_root_leads_to_the_overview() -> None:
    assert signed_in().get("/").headers["Location"] == "/overview/"


@pytest.mark.parametrize("path", ["/overview/", "/connections/", "/system/"])
def test_a_user_without_a_role_is_told_so(path: str) -> None:
    response = signed_in("").get(path)
    assert response.status_code == 403
    assert b"no role here yet" in response.content


@pytest.mark.parametrize("action", ACTIONS)
def test_acting_on_another_tenants_connection_is_noted(row: Connection, action: str) -> None:
    assert signed_in(tenants=("other",)).post(action_path(row, action), {"version": 0}).status_code == 404
    noted = AuditRow.objects.get(outcome="denied")
    assert (noted.action, noted.target, noted.tenant) == (action.replace("-", "_"), row.public_id, row.tenant)


@pytest.mark.parametrize("role", ["viewer", "auditor"])
@pytest.mark.parametrize("action", ACTIONS)
def test_acting_without_the_right_is_noted(row: Connection, role: str, action: str) -> None:
    assert signed_in(role).post(action_path(row, action), {"version": 0}).status_code == 403
    noted = AuditRow.objects.get(outcome="denied")
    assert (noted.actor, noted.action, noted.target) == (role, action.replace("-", "_"), row.public_id)


def test_looking_without_the_right_is_not_noted(row: Connection) -> None:
    assert signed_in("viewer").get(action_path(row, "hold")).status_code == 403
    assert not AuditRow.objects.filter(outcome="denied").exists()


def test_an_operator_neither_creates_nor_edits_nor_holds(row: Connection) -> None:
    operator = signed_in("operator")
    for path in ("/connections/new/", f"{row.get_absolute_url()}settings/", action_path(row, "hold")):
        assert operator.post(path, {"section": "description", "label": "Mine"}).status_code == 403
    assert operator.get("/connections/new/").status_code == 403


@pytest.mark.parametrize("path", ["events/99/", "attempts/99/", "actions/destroy/", "nothing/"])
def test_what_does_not_exist_is_not_found(row: Connection, path: str) -> None:
    response = signed_in().get(row.get_absolute_url() + path)
    assert response.status_code == 404
    assert b"There is nothing here" in response.content


@pytest.mark.parametrize("path", ["/nothing/", "/help/", "/help/held/"])
def test_the_whole_menu_stays_where_there_is_no_page_and_around_the_help(path: str) -> None:
    page = signed_in("admin").get(path).content.decode()
    for address in ("/api-keys/", "/audit/", "/settings/users/"):
        assert f'href="{address}"' in page
    assert 'href="/audit/"' not in signed_in("viewer").get(path).content.decode()
