"""The buttons: each says what it does, does it once, and does nothing on a page that is out of date."""

from __future__ import annotations

import pytest
from django.test import Client

from connections.custody import actions
from connections.dashboard.views.doing import SWITCHES
from connections.models import AuditRow, Connection, TokenVersion
from tests.custody.conftest import ANA, Connect, Kept
from tests.dashboard.conftest import Draft
from tests.dashboard.people import signed_in
from tests.dashboard.sending import send

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def path(kept: Kept, action: str) -> str:
    return f"/connections/{kept.public_id}/actions/{action}/"


def press(client: Client, kept: Kept, action: str, **data: object) -> str:
    """POST as the page would, and what the person sees in the end."""
    data.setdefault("version", kept.row.version_count)
    return send(client, path(kept, action), data, follow=True).content.decode()


@pytest.fixture
def operator(connect: Connect) -> Client:
    return signed_in("operator")


def test_looking_at_an_action_says_what_it_does_and_does_nothing(connect: Connect, operator: Client) -> None:
    kept = connect("13.3")
    before = len(kept.simulator.control.log())
    for action, words in {
        "test": "No grant is sent", "rotate": "creates version 2", "sign-in": "ends every other session",
        "repair": "shows each rung", "pause": "Resume undoes it", "resume": "handed out again",
    }.items():  # fmt: skip
        assert words in operator.get(path(kept, action)).content.decode().replace("\n", " ")
    assert len(kept.simulator.control.log()) == before


def test_test_shows_its_checks_and_sends_no_grant(connect: Connect, operator: Client) -> None:
    kept = connect("13.3")
    grants, tokens = kept.grants(), kept.live_row()
    for _ in range(3):
        page = press(operator, kept, "test")
        assert "Every check is good" in page
        assert page.count("HTTP 200") == 2
    assert (kept.grants(), kept.grants("password"), kept.live_row()) == (grants, 1, tokens)
    assert AuditRow.objects.filter(action="test", actor="operator", outcome="ok").count() == 3


def test_rotate_makes_one_version_and_reloading_the_result_makes_none(connect: Connect, operator: Client) -> None:
    kept = connect("13.3")
    response = operator.post(path(kept, "rotate"), {"version": 1})
    assert response.status_code == 302
    for _ in range(2):
        assert "version 2 is live" in operator.get(response.headers["Location"]).content.decode()
    assert kept.row.version_count == 2


@pytest.mark.parametrize("action", ["rotate", "sign-in", "repair"])
@pytest.mark.parametrize("version", ["1", "", None])
def test_a_page_made_at_an_older_version_explains_and_sends_nothing(
    connect: Connect, operator: Client, action: str, version: str | None
) -> None:
    kept = connect("13.3")
    press(operator, kept, "rotate")
    grants = kept.grants() + kept.grants("password")
    data = {} if version is None else {"version": version}
    response = operator.post(path(kept, action), data)
    assert response.status_code == 409
    assert ("moved on to v2" in response.content.decode()) is bool(version)
    assert kept.grants() + kept.grants("password") == grants


def test_sign_in_asks_for_a_password_where_none_is_stored(connect: Connect, operator: Client) -> None:
    kept = connect("13.3", fields={"store_password": False})
    page = press(operator, kept, "sign-in")
    assert "No password is stored: type it here." in page
    assert "version 2 is live" in press(operator, kept, "sign-in", password="secret")
    assert kept.row.password is None


def test_a_refused_sign_in_is_told_with_its_diagnosis(connect: Connect, operator: Client) -> None:
    kept = connect("13.3")
    page = press(operator, kept, "sign-in", password="wrong-canary")
    assert "It did not work" in page
    assert "wrong-canary" not in page
    assert kept.row.status == "healthy"


def test_only_an_admin_may_store_the_password_that_is_typed(connect: Connect, operator: Client) -> None:
    kept = connect("13.3", fields={"store_password": False})
    press(operator, kept, "sign-in", password="secret", keep="on")
    assert kept.row.password is None
    press(signed_in("admin"), kept, "sign-in", password="secret", keep="on")
    assert kept.row.password is not None


def test_repair_of_what_is_well_sends_no_grant(connect: Connect, operator: Client) -> None:
    kept = connect("13.3")
    assert "Nothing was needed" in press(operator, kept, "repair")
    assert kept.row.version_count == 1


def test_repair_climbs_the_ladder_and_shows_the_rungs(connect: Connect, operator: Client) -> None:
    kept = connect("13.3", fields={"store_password": False})
    kept.sugar.outside_login("svc", "intg")
    kept.make_due()
    kept.tend()
    page = press(operator, kept, "repair")
    assert "It did not work" in page
    assert "The old refresh token, once" in page
    assert "old_refresh" not in page, "a code is for programs"


def test_pause_and_resume_done_twice_are_done_once(draft: Draft) -> None:
    row, client = draft(), signed_in("operator")
    for action, words in (("pause", "It is paused already."), ("resume", "It is neither paused nor held.")):
        address = f"{row.get_absolute_url()}actions/{action}/"
        assert client.post(address).status_code == 302
        again = client.post(address)
        assert again.status_code == 409
        assert words in again.content.decode()
        assert row.events.filter(kind={"pause": "paused", "resume": "resumed"}[action]).count() == 1


def test_what_is_held_can_only_be_resumed(draft: Draft) -> None:
    row, admin = draft(), signed_in("admin")
    assert admin.post(f"{row.get_absolute_url()}actions/hold/").status_code == 302
    for action in ("test", "rotate", "sign-in", "repair", "pause"):
        response = admin.post(f"{row.get_absolute_url()}actions/{action}/", {"version": 0, "password": "x"})
        assert response.status_code == 409, action
        assert "resume it first" in response.content.decode()
    assert admin.post(f"{row.get_absolute_url()}actions/resume/").status_code == 302
    assert Connection.objects.get(pk=row.pk).held_at is None


def test_a_hold_that_comes_first_wins_over_a_pause(draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    row = draft()

    def late(public_id: str, *_: object, **__: object) -> None:
        actions.hold(public_id, ANA)
        actions.pause(public_id, ANA)

    monkeypatch.setitem(SWITCHES, "pause", late)
    response = signed_in("operator").post(f"{row.get_absolute_url()}actions/pause/")
    assert response.status_code == 409
    assert "resume it first" in response.content.decode()


def test_rotate_is_disabled_where_sugar_gave_no_refresh_token(connect: Connect, operator: Client) -> None:
    kept = connect("13.3", sign_in=False)
    kept.sugar.chaos("no_refresh_token")
    press(operator, kept, "sign-in")
    reason = "Sugar gave no refresh token with this version"
    assert kept.row.version_count == 1
    assert reason in operator.get(f"/connections/{kept.public_id}/").content.decode()
    kept.sugar.calm()
    press(operator, kept, "sign-in")
    assert kept.row.version_count == 2
    assert reason not in operator.get(f"/connections/{kept.public_id}/").content.decode()


def test_buttons_are_disabled_with_the_reason_while_a_grant_is_open(connect: Connect, operator: Client) -> None:
    kept = connect("13.3", fields={"server_seconds": 600})
    kept.sugar.chaos("lost", grant="refresh", count=1)
    press(operator, kept, "rotate")
    page = operator.get(f"/connections/{kept.public_id}/").content.decode()
    assert "the answer was lost" in page
    assert 'data-status="in_doubt"' in page
    response = operator.post(path(kept, "sign-in"), {"version": 1})
    assert response.status_code == 409
    assert kept.grants("password") == 1


def test_a_viewer_sees_every_button_disabled_and_why(draft: Draft) -> None:
    page = signed_in("viewer").get(draft().get_absolute_url()).content.decode()
    assert page.count('class="button" type="submit" aria-describedby="about-') == page.count(" disabled title=") == 7
    assert "Your role (Viewer) only reads" in page


def test_no_page_writes_a_token_version(draft: Draft) -> None:
    row, admin = draft(), signed_in("admin")
    for tab in ("", "tokens/", "attempts/", "settings/", "actions/rotate/", "bundle/"):
        admin.get(row.get_absolute_url() + tab)
    assert not TokenVersion.objects.exists()
