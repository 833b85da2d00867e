"""What the token endpoint answers, and in which order it looks (SUGAR.md sections 1 and 3)."""

from __future__ import annotations

import base64

import pytest

from connections.simulator import Request, World, drive
from tests.simulator.player import Clock, Player, told

BAD = (401, "need_login", "You must specify a valid username and password.")
NO_CLIENT = (400, "invalid_client", "The client credentials are invalid")


def test_an_answer_has_the_fields_and_kinds_of_its_release(anybody: Player) -> None:
    answer = anybody.sign_in()
    tokens = answer.json()
    assert list(tokens) == [
        "access_token",
        "expires_in",
        "token_type",
        "scope",
        "refresh_token",
        "refresh_expires_in",
        "download_token",
    ]
    assert (tokens["expires_in"], tokens["refresh_expires_in"]) == (3600, 1209600)
    is_uuid = len(str(tokens["access_token"])) == 36
    assert is_uuid is (anybody.instance.parameters.idm == "off")
    assert ("Set-Cookie", f"download_token_intg={tokens['download_token']}; path=/; httponly") in answer.headers


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"grant_type": None}, (400, "invalid_request", "Invalid grant_type parameter or parameter missing")),
        ({"grant_type": "magic"}, (400, "invalid_request", "Invalid grant_type parameter or parameter missing")),
        ({"grant_type": "client_credentials"}, (400, "unsupported_grant_type", "")),
        ({"client_id": None}, (400, "invalid_client", "Client id was not found in the headers or body")),
        ({"client_id": "nobody"}, NO_CLIENT),
        ({"client_secret": "x"}, NO_CLIENT),
        ({"password": ""}, (400, "invalid_request", 'Missing parameters. "username" and "password" required')),
        ({"username": "nobody"}, BAD),
        ({"password": "wrong"}, BAD),
        ({"platform": "nope"}, (422, "invalid_parameter", "Invalid platform specified.")),
        ({"platform": "Intg"}, (422, "invalid_parameter", "Invalid platform specified.")),
        ({"platform": "nope", "grant_type": None}, (422, "invalid_parameter", "Invalid platform specified.")),
        ({"scope": "x"}, (400, "invalid_scope", "An unsupported scope was requested.")),
    ],
)
def test_it_refuses(svc: Player, arguments: dict[str, object], expected: tuple[int, str, str]) -> None:
    assert told(svc.sign_in(**arguments)) == expected


def test_a_refresh_without_token_is_an_invalid_request(svc: Player) -> None:
    refused = svc.instance.grant(grant_type="refresh_token", platform="intg")
    assert told(refused) == (400, "invalid_request", 'No "refresh_token" parameter found')


@pytest.mark.parametrize("attribute", [{"active": False}, {"external_only": True}])
def test_an_unusable_user_looks_like_a_wrong_password(svc: Player, attribute: dict[str, bool]) -> None:
    svc.instance.user("odd", "secret", **attribute)
    assert told(svc.sign_in(username="odd")) == BAD


def test_portal_and_group_users_are_told_apart(svc: Player) -> None:
    svc.instance.user("group", "secret", kind="group")
    assert told(svc.sign_in(username="group")) == (401, "need_login", "Portal or group user can not log in.")


def test_an_oauth1_key_and_a_portal_key_are_no_clients(svc: Player) -> None:
    svc.instance.key("one", "s", oauth_type="oauth1")
    svc.instance.key("portal", "s", client_type="support_portal")
    assert told(svc.sign_in(client_id="one", client_secret="s")) == NO_CLIENT
    assert told(svc.sign_in(client_id="portal", client_secret="s")) == NO_CLIENT


def test_basic_credentials_win_over_the_body(svc: Player) -> None:
    staging = base64.b64encode(b"staging:door").decode()
    payload = {"grant_type": "password", "client_id": "sugar", "username": "svc", "password": "secret"}
    answer = svc.instance.call(
        "POST",
        "/rest/v10/oauth2/token",
        payload={**payload, "platform": "intg"},
        headers={"Authorization": f"Basic {staging}"},
    )
    assert told(answer) == NO_CLIENT


def test_a_form_is_read_and_the_query_wins(svc: Player) -> None:
    body = b"grant_type=password&client_id=sugar&username=svc&password=wrong&platform=intg"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    request = Request.build("POST", "/rest/v10/oauth2/token?password=secret", body=body, headers=form)
    assert drive(svc.instance.handle(request)).status == 200


def test_bad_json_is_a_bad_parameter(svc: Player) -> None:
    request = Request.build("POST", "/rest/v10/oauth2/token", body=b"{nope")
    assert told(drive(svc.instance.handle(request)))[:2] == (422, "invalid_parameter")


def test_the_client_of_a_refresh_must_be_the_one_that_signed_in(svc: Player) -> None:
    svc.instance.key("own", "s")
    mine = svc.tokens()
    refused = svc.refresh(mine, client_id="own", client_secret="s")
    assert told(refused) == (400, "invalid_grant", "Invalid refresh token")
    assert svc.refresh(mine).status == 200


def test_maintenance_burns_the_refresh_token(svc: Player) -> None:
    mine = svc.tokens()
    svc.instance.events.maintenance(True)
    status, error, message = told(svc.refresh(mine))
    assert (status, error) == (401, "need_login")
    assert "maintenance mode" in message
    svc.instance.events.maintenance(False)
    assert told(svc.refresh(mine)) == (400, "invalid_grant", "Invalid refresh token")


def test_maintenance_spares_admins(svc: Player) -> None:
    svc.instance.events.maintenance(True)
    admin = Player(svc.instance, user="admin", password="admin")
    mine = admin.tokens()
    assert admin.refresh(mine).status == 200
    assert admin.instance.call("GET", "/rest/v10/ping/whattimeisit").status == 503


@pytest.mark.parametrize(
    ("state", "expected"),
    [("expired", (401, "need_login")), ("seats_exhausted", (403, "license_seats_needed"))],
)
def test_a_licence_failure_burns_the_token_too(svc: Player, state: str, expected: tuple[int, str]) -> None:
    mine = svc.tokens()
    svc.instance.events.license(state)
    probe = svc.instance.call("GET", "/rest/v10/ping/whattimeisit?platform=intg")
    assert probe.status == (503 if state == "expired" else 401)  # exhausted seats do not show beforehand
    assert told(svc.refresh(mine))[:2] == expected
    svc.instance.events.license("ok")
    assert svc.refresh(mine).status == 400


def test_a_timed_lockout_refuses_the_right_password_until_it_ends(svc: Player, clock: Clock) -> None:
    svc.instance.configure(lockout_tries=2, lockout_minutes=5)
    mine = svc.tokens()
    assert told(svc.sign_in(password="x")) == told(svc.sign_in(password="x")) == BAD
    locked = told(svc.sign_in())
    assert locked[2] == "Too many failed login attempts. You can try logging in again in 5 min."
    assert svc.refresh(mine).status == 200
    clock.now += 300
    assert told(svc.sign_in(password="x")) == BAD  # counted anew: one failure does not lock again
    assert svc.sign_in().status == 200


def test_a_lockout_without_time_waits_for_an_admin(svc: Player, clock: Clock) -> None:
    svc.instance.configure(lockout_tries=1)
    svc.sign_in(password="x")
    clock.now += 10**6
    assert told(svc.sign_in())[2] == "Too many failed login attempts."
    svc.instance.events.clear_lockout("svc")
    assert svc.sign_in().status == 200


def test_a_success_resets_the_count_of_failures(svc: Player) -> None:
    svc.instance.configure(lockout_tries=2)
    for _ in range(3):
        svc.sign_in(password="x")
        assert svc.sign_in().status == 200


def test_external_login_names_the_way(svc: Player) -> None:
    svc.instance.configure(external_login_url="https://idp.example/saml")
    refused = svc.sign_in(password="x").json()
    assert (refused["url"], refused["platform"]) == ("https://idp.example/saml", "intg")
    assert svc.sign_in().status == 200


def test_texts_follow_current_language_unless_told_otherwise(svc: Player) -> None:
    german = "Sie müssen einen gültigen Benutzernamen und ein gültiges Passwort angeben."
    svc.instance.configure(language="de_DE")
    assert told(svc.sign_in(password="x"))[2] == german
    assert told(svc.sign_in(password="x", current_language="en_us")) == BAD
    svc.instance.configure(force_language=True)
    assert told(svc.sign_in(password="x", current_language="en_us"))[2] == german
    svc.instance.configure(language="raw")
    assert told(svc.sign_in(platform="nope"))[2] == "EXCEPTION_INVALID_PLATFORM"
    assert told(svc.refresh({"refresh_token": "x"}))[2] == "Invalid refresh token"


def test_a_lax_registry_takes_any_well_formed_platform(world: World) -> None:
    svc = Player(world.add_instance("old", "7.7"))
    assert svc.sign_in(platform="anything").status == 200
    assert svc.sign_in(platform="no spaces").status == 422


def test_the_user_agent_list_exists_since_14(world: World) -> None:
    for preset, expected in (("13.3", 200), ("14.0", 403)):
        svc = Player(world.add_instance(preset, preset, allowed_clients={"intg": ["Acme/"]}))
        assert svc.sign_in().status == expected
    assert told(svc.sign_in())[1] == "client_not_allowed"


def test_only_old_nomad_is_outdated(svc: Player) -> None:
    assert told(svc.sign_in(client_info={"app": {"name": "nomad", "version": "6.0.1"}}))[:2] == (433, "client_outdated")
    assert svc.sign_in(client_info={"app": {"name": "nomad", "version": "6.0.2"}}).status == 200


def test_a_cookie_client_gets_its_old_session_id_again(svc: Player) -> None:
    payload = {"grant_type": "password", "client_id": "sugar", "username": "svc", "password": "secret"}
    answer = svc.instance.call(
        "POST", "/rest/v10/oauth2/token", payload={**payload, "platform": "intg"}, headers={"Cookie": "PHPSESSID=abc"}
    )
    assert answer.json()["access_token"] == "abc"
