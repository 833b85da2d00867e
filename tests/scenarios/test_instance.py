"""The instance itself: maintenance, licence, its sign-in service, its errors, a session it ends on a second look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from connections.choices import Endpoint, Fault
from connections.custody import actions, handout, wire
from connections.models import Connection
from connections.sugar import Answer
from tests.custody.conftest import ANA
from tests.scenarios.conftest import Open
from tests.scenarios.scene import DAY, HOUR, WITHOUT_PASSWORD, Case, Scene, play
from tests.scenarios.test_chain import sign_in_again
from tests.scenarios.test_setup import PREFLIGHT, calm, in_front

pytestmark = pytest.mark.once

UNWELL_LATER = {"error": "need_login", "error_message": "No valid authentication for user."}


def begin_unseen(**parameters: object) -> object:
    """Trouble that begins between the look and the grant: Sugar rotates the token, then refuses to answer."""

    def event(scene: Scene) -> None:
        scene.sugar.chaos("answer", **PREFLIGHT, count=1, status=401, payload=UNWELL_LATER)
        scene.sugar.configure(**parameters)
        scene.refresh_now()

    return event


CASES = [
    Case(
        label="maintenance: waited for, nothing spent",
        code="maintenance",
        status="unreachable",
        event=lambda scene: (scene.sugar.maintenance(True), scene.refresh_now()),
        fields=WITHOUT_PASSWORD,
        evidence="503 maintenance",
        cure=lambda scene: scene.sugar.maintenance(False),
    ),
    Case(
        label="maintenance that began unseen burns the token: with a password, signs in afterwards",
        code="maintenance",
        status="unreachable",
        event=begin_unseen(maintenance=True),
        cure=lambda scene: scene.sugar.maintenance(False),
    ),
    Case(
        label="maintenance that began unseen burns the token: without a password, a person",
        code="refresh_token_lost",
        status="down",
        event=begin_unseen(maintenance=True),
        fields=WITHOUT_PASSWORD,
        fix_by="staff",
        cure=lambda scene: (scene.sugar.maintenance(False), sign_in_again(scene)),
    ),
    Case(
        label="licence expired",
        code="license",
        status="unreachable",
        event=lambda scene: (scene.sugar.license("expired"), scene.refresh_now()),
        fields=WITHOUT_PASSWORD,
        fix_by="customer_admin",
        evidence="503 admin_only",
        cure=lambda scene: scene.sugar.license("ok"),
    ),
    Case(
        label="no seats left: no look shows it, the grant burns the token",
        code="license",
        status="unreachable",
        event=lambda scene: (scene.sugar.license("seats_exhausted"), scene.refresh_now()),
        fix_by="customer_admin",
        evidence="license_seats_needed",
        cure=lambda scene: scene.sugar.license("ok"),
        heals_within=DAY,
    ),
    Case(
        label="the token service is away: tokens are kept",
        preset="cloud",
        code="identity_unavailable",
        status="unreachable",
        event=lambda scene: (scene.sugar.sts_down(), scene.refresh_now()),
        fields=WITHOUT_PASSWORD,
        cure=lambda scene: scene.sugar.sts_up(),
        heals_within=timedelta(minutes=16),
    ),
    Case(
        label="the token service is away between two refreshes",
        preset="cloud",
        code="identity_unavailable",
        status="unreachable",
        event=lambda scene: scene.sugar.sts_down(),
        confidence="likely",
        evidence="has expired",
        cure=lambda scene: scene.sugar.sts_up(),
    ),
    Case(
        label="the identity service rejects the user",
        preset="cloud",
        code="identity_rejected",
        status="dying",
        event=lambda scene: scene.sugar.configure(idm_rejects="scope"),
        fix_by="customer_admin",
        evidence="idm_nonrecoverable_error",
        cure=lambda scene: scene.sugar.configure(idm_rejects=""),
    ),
    Case(
        label="errors before anything was sent",
        code="server_error",
        status="unreachable",
        event=in_front("error_before", **PREFLIGHT, status=500),
        cure=calm,
        heals_within=timedelta(minutes=16),
    ),
    Case(
        label="an error after the grant: in doubt",
        code="server_error",
        status="in_doubt",
        event=in_front("error_after", endpoint="token", status=502, count=1),
        cure=calm,
    ),
    Case(
        label="too many requests",
        code="rate_limited",
        status="unreachable",
        event=in_front("throttle", **PREFLIGHT),
        cure=calm,
        heals_within=timedelta(minutes=16),
    ),
    Case(
        label="an answer nobody can read",
        code="bad_response",
        status="unreachable",
        event=in_front("body", **PREFLIGHT, status=400, text="{half", content_type="application/json"),
        cure=calm,
        heals_within=timedelta(minutes=16),
    ),
    Case(
        label="a grant's answer nobody can read: in doubt",
        code="bad_response",
        status="in_doubt",
        event=in_front("invalid_json", endpoint="token", variant="text", count=1),
        cure=calm,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_instance(scene: Open, case: Case) -> None:
    play(case, scene(case.preset, fields=case.fields, **case.own))


@pytest.mark.parametrize(("asked", "waited"), [("600", 600), ("86400", 900)])
def test_who_asks_us_to_stay_away_is_not_asked_earlier(scene: Open, asked: str, waited: int) -> None:
    played = scene("13.3")
    in_front("throttle", **PREFLIGHT, retry_after=asked)(played)  # type: ignore[operator]
    calm(played)
    asked_at = played.clock.now
    played.run(timedelta(minutes=16), until=lambda: played.row.status == "healthy")
    assert played.row.status == "healthy", played.trail()
    assert timedelta(seconds=waited - 10) < played.clock.now - asked_at < timedelta(seconds=waited + 10)


@pytest.mark.parametrize("kind", ["error_before", "error_after"])
def test_an_outage_of_hours_that_no_look_shows_heals_with_the_back_off(scene: Open, kind: str) -> None:
    """A good password is not left unused for a day because an outage has used its sign-ins up."""
    played = scene("13.3")
    played.configured_look(HOUR)
    in_front(kind, endpoint="token", status=500)(played)  # type: ignore[operator]
    played.run(HOUR)
    assert played.told == ("server_error", "in_doubt"), played.trail()
    assert played.kept.grants("password") <= 1 + 6
    calm(played)
    played.run(timedelta(minutes=16), until=lambda: played.row.status == "healthy")
    assert played.row.status == "healthy", played.trail()


def test_sign_ins_in_vain_are_spread_over_the_day(scene: Open) -> None:
    """Used-up licences show in a grant alone, and each look at them costs one of the day's six sign-ins."""
    played = scene("13.3")
    played.sugar.license("seats_exhausted")
    played.refresh_now()
    played.run(HOUR)
    assert played.told == ("license", "unreachable"), played.trail()
    played.sugar.license("ok")
    played.run(HOUR, until=lambda: played.row.status == "healthy")
    assert played.row.status == "healthy", played.trail()


def test_on_sugaridentity_an_outage_of_an_hour_costs_no_day(scene: Open) -> None:
    """There a token whose fate is unknown is not presented while a password is stored."""
    played = scene("cloud")
    played.configured_look(HOUR)
    in_front("error_before", endpoint="token", status=500)(played)  # type: ignore[operator]
    played.run(HOUR)
    assert played.kept.grants() == 1, played.trail()
    calm(played)
    played.run(HOUR, until=lambda: played.row.status == "healthy")
    assert played.row.status == "healthy", played.trail()


def test_what_our_own_pacing_keeps_back_is_no_trouble_of_the_instance(
    scene: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_back = Answer(endpoint=Endpoint.PREFLIGHT, fault=Fault.RATE_LIMITED, is_sent=False, retry_after=6)
    played = scene("13.3")
    with monkeypatch.context() as patched:
        patched.setattr(wire.SugarClient, "preflight", lambda *_args, **_options: kept_back)
        played.refresh_now()
        assert (played.told, played.codes(), played.row.version_count) == (("", "healthy"), [], 1), played.trail()
        checks = actions.test(played.kept.public_id, ANA)
        assert not checks[0].ok
        assert played.told == ("", "healthy")
    played.run(timedelta(seconds=30))
    assert played.row.version_count == 2, played.trail()


def test_a_person_waits_for_a_turn(scene: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    kept_back = Answer(endpoint=Endpoint.PREFLIGHT, fault=Fault.RATE_LIMITED, is_sent=False, retry_after=20)
    played, looks = scene("13.3"), []
    look = wire.SugarClient.preflight

    def second_time(client: wire.SugarClient, *args: Any, **options: Any) -> Answer:
        looks.append(args)
        return kept_back if len(looks) == 1 else look(client, *args, **options)

    monkeypatch.setattr(wire.SugarClient, "preflight", second_time)
    assert played.sign_in().outcome == "done"
    assert len(looks) == 2


@pytest.mark.parametrize("status", [500, 503])
def test_sugaridentity_is_not_forgotten_because_a_look_failed(scene: Open, status: int) -> None:
    played = scene("cloud")
    Connection.objects.filter(pk=played.row.pk).update(rest_version_at=None)
    away = {"error": "fatal_error", "error_message": "Internal error"}
    played.sugar.chaos("answer", endpoint="api", path="metadata/public", status=status, payload=away)
    played.refresh_now()
    assert (played.row.version_count, played.row.session_generation) == (2, "idm"), played.trail()
    played.sugar.calm()
    played.refresh_now()
    assert played.row.rest_version_at is not None


def test_in_maintenance_an_admins_grants_go_through(scene: Open) -> None:
    played = scene("13.3", fields={"username": "admin", "password": "admin"})
    played.sugar.maintenance(True)
    played.refresh_now()
    assert (played.row.version_count, played.row.status) == (2, "healthy"), played.trail()


def test_an_outage_of_a_day_becomes_the_customers(scene: Open) -> None:
    played = scene("13.3", fields=WITHOUT_PASSWORD)
    played.configured_look(HOUR)
    played.sugar.maintenance(True)
    played.refresh_now()
    assert played.row.diagnosis["fix_by"] == "nobody"
    played.run(timedelta(hours=26))
    assert played.told == ("maintenance", "unreachable"), "age never turns it into down"
    assert played.row.diagnosis["fix_by"] == "customer_admin"
    with pytest.raises(handout.Later):
        handout.token(played.kept.public_id, tenants=None, wait=0, actor="worker")


def test_where_addresses_are_checked_we_send_no_access_token_any_more(scene: Open) -> None:
    played = scene("13.3", verify_ip=True)
    played.sugar.ip_change("198.51.100.7")  # the workers' network; our own pings come from another
    played.run(HOUR, until=lambda: played.row.is_session_bound)
    assert "session_rejected" in played.codes(), played.trail()
    assert played.row.status == "healthy", "a refresh replaces it"
    pings = played.pings()
    played.refresh_now()
    played.run(3 * HOUR)
    reported = played.report(
        {"status": 401, "error": "invalid_grant", "error_message": "The access token provided is invalid."}
    )
    assert reported.version == played.row.version_count
    assert played.pings() == pings, "our own ping would end the workers' session"
    assert played.row.status == "healthy"


@pytest.mark.parametrize(
    "words", ["Your authentication token is invalid.", "Ihr Authentifizierungstoken ist ungültig."], ids=["en", "de"]
)
def test_a_worker_may_be_the_one_who_hears_that_addresses_are_checked(scene: Open, words: str) -> None:
    """Sugar says it once, to whoever comes from the other network; our own proof of every new token would bind that one
    to us again, and no worker would ever get through."""
    played = scene("13.3", verify_ip=True)
    assert work_from_elsewhere(played) == 401
    played.report({"status": 401, "error": "invalid_grant", "error_message": words})
    assert "session_rejected" in played.codes(), played.trail()
    pings = played.pings()
    assert work_from_elsewhere(played) == 200, played.trail()
    played.run(3 * HOUR)
    assert work_from_elsewhere(played) == 200, played.trail()
    assert played.pings() - pings == 2, "the worker's own"


def work_from_elsewhere(scene: Scene) -> int:
    given = handout.token(scene.kept.public_id, tenants=None, actor="worker")
    headers = {"OAuth-Token": given.access_token, "X-Forwarded-For": "198.51.100.7"}
    return httpx.get(f"{scene.sugar.url}/rest/v10/ping", headers=headers, trust_env=False).status_code


def test_a_403_of_sugars_own_is_not_our_trouble(scene: Open) -> None:
    played = scene("13.3")
    denied = {"error": "not_authorized", "error_message": "You are not authorized to perform this action."}
    played.sugar.chaos("answer", endpoint="api", path="ping", status=403, payload=denied)
    played.run(timedelta(minutes=30))
    assert played.told == ("", "healthy"), played.trail()
