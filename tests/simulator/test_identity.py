"""SugarIdentity (SUGAR.md sections 0.6 and 6)."""

from __future__ import annotations

import pytest

from connections.simulator import World, drive
from tests.simulator.player import EPOCH, Clock, Player, advance_to, told


@pytest.fixture
def cloud(world: World) -> Player:
    return Player(world.add_instance("cloud", "cloud", cleanup_probability=0))


def test_tokens_are_opaque_and_leave_no_rows(cloud: Player) -> None:
    mine = cloud.tokens()
    assert str(mine["access_token"]).startswith("sta-")
    assert mine["download_token"] == mine["access_token"]
    assert cloud.instance.tables.rows == {}


def test_the_refresh_expiry_is_an_absolute_epoch_after_a_refresh_only(cloud: Player) -> None:
    mine = cloud.tokens()
    assert mine["refresh_expires_in"] == 1209600
    assert cloud.refresh(mine).json()["refresh_expires_in"] == int(EPOCH) + 1209600


def test_a_dead_refresh_token_is_an_invalid_request(cloud: Player) -> None:
    refused = told(cloud.refresh({"refresh_token": "str-unknown"}))
    assert refused[:2] == (400, "invalid_request")
    assert "inactive" in refused[2]


def test_a_refresh_ignores_the_client_but_not_the_platform(cloud: Player) -> None:
    mine = cloud.tokens()
    assert cloud.refresh(mine, platform="nope").status == 422
    assert cloud.refresh(mine, client_id="nobody", client_secret="x").status == 200


def test_reuse_of_a_rotated_token_revokes_the_family(cloud: Player) -> None:
    other = cloud.tokens()
    mine = cloud.tokens()
    new = cloud.refresh(mine).json()
    assert cloud.refresh(mine).status == 400
    assert cloud.refresh(new).status == 400
    assert not cloud.lives(new)
    assert cloud.lives(other)


def test_reuse_without_revocation_leaves_the_family_alone(cloud: Player) -> None:
    cloud.instance.configure(revoke_family=False)
    mine = cloud.tokens()
    new = cloud.refresh(mine).json()
    assert cloud.refresh(mine).status == 400
    assert cloud.refresh(new).status == 200


def test_two_overlapping_refreshes_kill_the_family(cloud: Player) -> None:
    mine = cloud.tokens()
    a, b = cloud.refreshing(mine), cloud.refreshing(mine)
    advance_to(a, "ask_sts")
    advance_to(b, "ask_sts")
    first, second = drive(a), drive(b)
    assert (first.status, second.status) == (200, 400)
    assert not cloud.lives(first.json())


def test_an_outage_of_the_sts_looks_like_expiry_and_destroys_nothing(cloud: Player) -> None:
    mine = cloud.tokens()
    cloud.instance.events.sts_down()
    assert told(cloud.ping(mine)) == (401, "invalid_grant", "The access token provided has expired.")
    assert told(cloud.refresh(mine))[:2] == (400, "invalid_request")
    assert told(cloud.sign_in())[:2] == (401, "need_login")
    cloud.instance.events.sts_up()
    assert cloud.lives(mine)
    assert cloud.refresh(mine).status == 200


def test_an_outage_counts_no_failed_sign_in(cloud: Player) -> None:
    cloud.instance.configure(lockout_tries=1)
    cloud.instance.events.sts_down()
    cloud.sign_in()
    cloud.instance.events.sts_up()
    assert cloud.sign_in().status == 200


def test_a_cached_introspection_lags_behind(cloud: Player, clock: Clock) -> None:
    cloud.instance.configure(introspection_ttl=60)
    mine = cloud.tokens()
    assert cloud.lives(mine)
    cloud.instance.events.delete_rows("svc")
    assert cloud.lives(mine)
    clock.now += 61
    assert not cloud.lives(mine)


def test_maintenance_burns_here_as_well(cloud: Player) -> None:
    mine = cloud.tokens()
    cloud.instance.events.maintenance(True)
    assert told(cloud.refresh(mine))[:2] == (401, "need_login")
    cloud.instance.events.maintenance(False)
    assert cloud.refresh(mine).status == 400


def test_users_without_a_password_are_sent_to_the_identity_provider(cloud: Player) -> None:
    cloud.instance.user("sso", "", external_only=True)
    refused = cloud.sign_in(username="sso", password="any").json()
    assert str(refused["url"]).startswith("https://login.service.sugarcrm.example/")


def test_rejections_for_good_have_their_own_word(cloud: Player) -> None:
    mine = cloud.tokens()
    cloud.instance.configure(idm_rejects="tenant")
    assert told(cloud.ping(mine)) == (401, "idm_nonrecoverable_error", "Access token does not belong to tenant")


def test_me_knows_no_expired_password_and_verifies_none(cloud: Player) -> None:
    mine = str(cloud.tokens()["access_token"])
    cloud.instance.events.expire_password("svc")
    me = cloud.instance.call("GET", "/rest/v10/me", token=mine).json()["current_user"]
    assert me["is_password_expired"] is False  # type: ignore[index]
    answer = cloud.instance.call("POST", "/rest/v10/me/password", token=mine, payload={"password_to_verify": "secret"})
    assert answer.json() == {"valid": False}


def test_8_0_takes_access_from_the_sts_and_keeps_rows(world: World) -> None:
    svc = Player(world.add_instance("v8", "8.0", idm="v8", cleanup_probability=0))
    mine = svc.tokens()
    assert str(mine["access_token"]).startswith("sta-")
    svc.sign_in()
    assert told(svc.refresh(mine)) == (400, "invalid_grant", "Invalid refresh token")
    assert svc.lives(mine)
