"""Probes, routes and the order of checks (SUGAR.md sections 3 to 5)."""

from __future__ import annotations

import pytest

from connections.simulator import PRESETS, World
from tests.simulator.player import Player, told

NEED_LOGIN = (401, "need_login", "No valid authentication for user.")


@pytest.mark.parametrize(
    ("preset", "text"),
    [
        ("7.1", "Please change your url to reflect version between 10 and 10."),
        ("8.0", "Please change your requested API version to value between 10 and 11.1."),
        ("12.0", "Please change your requested API version to value between 10 and 11.16."),
        ("14.0", "Please change your requested API version to value between 10 and 11.24."),
    ],
)
def test_an_unknown_version_names_the_highest(world: World, preset: str, text: str) -> None:
    answer = world.add_instance("acme", preset).call("GET", "/rest/v99/ping")
    assert told(answer) == (301, "incorrect_version", text)
    assert "Location" not in dict(answer.headers)


@pytest.mark.parametrize("path", ["/rest/v10/ping", "/rest/v11/ping", "/rest/v11_23/ping", "/api/rest.php/v10/ping"])
def test_url_forms(svc: Player, path: str) -> None:
    token = str(svc.tokens()["access_token"])
    assert svc.instance.call("GET", path, token=token).body == b'"pong"'


def test_a_version_in_the_header(svc: Player) -> None:
    accept = {"Accept": "application/vnd.sugarcrm.core+json; version=11.1"}
    assert told(svc.instance.call("GET", "/rest/ping", headers=accept)) == NEED_LOGIN
    assert svc.instance.call("GET", "/rest/v10/ping", headers=accept).status == 301
    assert svc.instance.call("GET", "/rest/ping").status == 301
    assert svc.instance.call("GET", "/rest/v1/ping").status == 301
    assert svc.instance.call("GET", "/rest/v11_24/ping").status == 301


def test_the_platform_probe(anybody: Player) -> None:
    is_strict = anybody.instance.parameters.strict_platforms
    unknown = anybody.instance.call("GET", "/rest/v10/ping?platform=nope")
    assert unknown.status == (422 if is_strict else 401)
    known = anybody.instance.call("GET", "/rest/v10/ping?platform=intg")
    assert told(known) == NEED_LOGIN
    assert ("url" in known.json()) is (anybody.instance.parameters.idm != "off")


def test_the_status_probe(anybody: Player) -> None:
    anybody.instance.events.maintenance(True)
    probe = anybody.instance.call("GET", "/rest/v10/ping/whattimeisit?platform=intg")
    assert told(probe)[:2] == (503, "maintenance")
    ping = anybody.instance.call("GET", "/rest/v10/ping")
    assert ping.status == (503 if anybody.instance.parameters.ping_shows_status else 401)
    anybody.instance.events.maintenance(False)
    anybody.instance.events.license("expired")
    assert told(anybody.instance.call("GET", "/rest/v10/ping/whattimeisit"))[:2] == (503, "admin_only")


def test_the_order_of_checks(world: World) -> None:
    """Each fault hides the ones after it: version, platform, user agent, route, status, login."""
    acme = world.add_instance("acme", "14.0", maintenance=True, allowed_clients={"intg": ["Acme/"]})
    bad, good = {"User-Agent": "x"}, {"User-Agent": "Acme/1"}

    def status(path: str, headers: dict[str, str]) -> int:
        return acme.call("GET", path, headers=headers, token="unknown").status

    assert status("/rest/v99/nowhere?platform=nope", bad) == 301
    assert status("/rest/v10/nowhere?platform=nope", bad) == 422
    assert status("/rest/v10/nowhere?platform=intg", bad) == 403
    assert status("/rest/v10/nowhere?platform=intg", good) == 404
    assert status("/rest/v10/me?platform=intg", good) == 503
    acme.events.maintenance(False)
    assert status("/rest/v10/me?platform=intg", good) == 401


def test_where_the_token_may_stand(world: World) -> None:
    accepted = {}
    for preset in PRESETS:
        acme = world.add_instance(preset, preset)
        token = str(Player(acme).tokens()["access_token"])
        bearer = acme.call("GET", "/rest/v10/ping", headers={"Authorization": f"Bearer {token}"})
        accepted[preset] = (bearer.status, acme.call("GET", f"/rest/v10/ping?oauth_token={token}").status)
    assert accepted["7.7"] == (401, 200)
    assert accepted["8.0"] == (401, 401)
    assert accepted["12.0"] == accepted["13.3"] == accepted["cloud"] == (200, 401)


def test_me_tells_admins_and_expired_passwords(svc: Player) -> None:
    token = str(svc.tokens()["access_token"])
    svc.instance.events.expire_password("svc")
    me = svc.instance.call("GET", "/rest/v10/me", token=token).json()["current_user"]
    assert (me["type"], me["is_password_expired"]) == ("user", True)  # type: ignore[index]
    assert svc.ping({"access_token": token}).status == 200


def test_me_password_compares_without_a_login(svc: Player) -> None:
    token = str(svc.tokens()["access_token"])
    for password, valid in (("secret", True), ("old", False)):
        payload = {"password_to_verify": password}
        answer = svc.instance.call("POST", "/rest/v10/me/password", token=token, payload=payload)
        assert answer.json() == {"valid": valid}
    assert svc.instance.find_user("svc").failed == 0


def test_public_metadata_tells_who_signs_people_in(world: World) -> None:
    path = "/rest/v10/metadata/public?type_filter=config&platform=base"
    cloud = world.add_instance("cloud", "cloud").call("GET", path).json()["config"]
    assert cloud["idmModeEnabled"] is True and "stsUrl" in cloud  # type: ignore[index,operator]
    saml = world.add_instance("saml", external_login_url="https://idp.example/").call("GET", path).json()["config"]
    assert saml["externalLogin"] is True  # type: ignore[index]


def test_server_info_with_and_without_a_session(svc: Player) -> None:
    token = str(svc.tokens()["access_token"])
    about = svc.instance.call("GET", "/rest/v10/metadata?type_filter=server_info", token=token).json()["server_info"]
    assert (about["version"], about["flavor"]) == ("13.3.0", "ENT")  # type: ignore[index]
    legacy = svc.instance.call("POST", "/service/v4_1/rest.php", payload={"method": "get_server_info"})
    assert legacy.json()["version"] == "13.3.0"


def test_what_is_not_rest_is_html(svc: Player) -> None:
    for path, status in (("", 200), ("/index.php", 200), ("/rests", 404), ("/crm/rest/v10/ping", 404)):
        answer = svc.instance.call("GET", path)
        assert (answer.status, answer.headers[0]) == (status, ("Content-Type", "text/html; charset=UTF-8"))


def test_a_subfolder_and_missing_rewriting(world: World) -> None:
    acme = world.add_instance("acme", subfolder="/crm", rewrite=False)
    assert acme.call("GET", "/crm/rest/v10/ping").status == 404
    assert told(acme.call("GET", "/crm/api/rest.php/v10/ping")) == NEED_LOGIN


def test_a_stale_metadata_hash_is_412(svc: Player) -> None:
    token = str(svc.tokens()["access_token"])
    answer = svc.instance.call("GET", "/rest/v10/me", token=token, headers={"X-Metadata-Hash": "old"})
    assert told(answer)[:2] == (412, "metadata_out_of_date")


def test_too_many_requests_are_blocked_without_an_answer(world: World, clock: object) -> None:
    acme = world.add_instance("acme", rate_limit=20)
    statuses = [acme.call("GET", "/rest/v10/ping").status for _ in range(21)]
    assert statuses == [401] * 20 + [0]
    world.advance(59)
    assert acme.call("GET", "/rest/v10/ping").status == 0
    world.advance(2)
    assert acme.call("GET", "/rest/v10/ping").status == 401
