"""Row by row: what invalidates what, in every release (SUGAR.md sections 0.1 and 2)."""

from __future__ import annotations

import pytest

from connections.simulator import Response, World
from connections.simulator.wire import Json
from tests.simulator.player import Clock, Player, told

INVALID = (401, "invalid_grant", "The access token provided is invalid.")
DEAD = (400, "invalid_grant", "Invalid refresh token")
KEEPS_OLD_ROWS = {"7.1"}
GRACE = {"7.7", "8.0", "12.0"}
AT_ONCE = {"13.3", "14.0"}
ROWS = ["7.7", "8.0", "12.0", "13.3", "14.0"]


def player(world: World, preset: str, **parameters: object) -> Player:
    return Player(world.add_instance(preset, preset, cleanup_probability=0, **parameters))


@pytest.mark.parametrize("preset", ["7.1", *ROWS, "cloud"])
def test_an_old_access_token_dies_as_its_release_says_after_a_refresh(world: World, clock: Clock, preset: str) -> None:
    svc = player(world, preset)
    old = svc.tokens()
    new = svc.refresh(old).json()
    assert svc.lives(old) is (preset not in AT_ONCE)
    clock.now += 121
    assert svc.lives(old) is (preset not in AT_ONCE | GRACE)
    assert svc.lives(new)
    clock.now += 3480
    assert not svc.lives(old)


@pytest.mark.parametrize("preset", sorted(GRACE))
def test_a_row_check_that_passed_is_good_for_another_120_seconds(world: World, clock: Clock, preset: str) -> None:
    svc = player(world, preset)
    old = svc.tokens()
    clock.now += 121
    assert svc.lives(old)
    svc.sign_in()
    clock.now += 119
    assert svc.lives(old)
    clock.now += 2
    assert told(svc.ping(old)) == INVALID


@pytest.mark.parametrize("preset", ROWS)
def test_a_login_evicts_the_same_user_and_platform_whatever_the_client(world: World, preset: str) -> None:
    svc = player(world, preset)
    svc.instance.key("other", "s3cret")
    mine = svc.tokens()
    svc.tokens(client_id="other", client_secret="s3cret", platform="intg")
    assert told(svc.refresh(mine)) == DEAD


def test_eviction_compares_platforms_without_case(world: World) -> None:
    """A lax registry takes any spelling, MySQL takes them for one."""
    svc = player(world, "7.7")
    for mine, theirs in (("INTG", "intg"), ("intg", "Intg")):
        tokens = svc.tokens(platform=mine)
        svc.tokens(platform=theirs)
        assert told(svc.refresh(tokens)) == DEAD


def test_a_login_evicts_nothing_before_7_2_and_in_idm(world: World) -> None:
    for preset in ("7.1", "cloud"):
        svc = player(world, preset)
        mine = svc.tokens()
        svc.tokens()
        assert svc.refresh(mine).status == 200
        assert svc.lives(mine)


@pytest.mark.parametrize("preset", ROWS)
def test_a_browser_login_evicts_base_only(world: World, preset: str) -> None:
    svc = player(world, preset)
    mine, base = svc.tokens(), svc.tokens(platform="base")
    svc.instance.events.ui_login("svc")
    assert told(svc.refresh(base, platform="base")) == DEAD
    assert svc.refresh(mine).status == 200


def test_a_refresh_without_platform_moves_to_base(svc: Player) -> None:
    mine = svc.tokens()
    moved = svc.instance.grant(grant_type="refresh_token", refresh_token=mine["refresh_token"]).json()
    assert [row.platform for row in svc.instance.tables.rows.values()] == ["base"]
    svc.instance.events.ui_login("svc")
    assert told(svc.refresh(moved)) == DEAD


def test_mobile_keeps_two(svc: Player, clock: Clock) -> None:
    svc.platform = "mobile"
    first = svc.tokens()
    clock.now += 1
    second = svc.tokens()
    clock.now += 1
    third = svc.tokens()
    assert told(svc.refresh(first)) == DEAD
    assert svc.lives(second) and svc.lives(third)
    assert svc.instance.violations() == []


@pytest.mark.parametrize("preset", ["7.1", *ROWS])
def test_a_logout_without_refresh_token_keeps_the_row_up_to_8_0(world: World, preset: str) -> None:
    svc = player(world, preset)
    mine = svc.tokens()
    gone = svc.instance.call("POST", "/rest/v10/oauth2/logout", token=str(mine["access_token"]), payload={})
    assert gone.status == 200
    assert told(svc.ping(mine)) == INVALID
    assert (svc.refresh(mine).status == 200) is (preset in ("7.1", "7.7", "8.0"))


@pytest.mark.parametrize("preset", ROWS)
def test_a_logout_with_refresh_token_deletes_that_row(world: World, preset: str) -> None:
    svc = player(world, preset)
    mine = svc.tokens()
    payload = {"refresh_token": mine["refresh_token"]}
    svc.instance.call("POST", "/rest/v10/oauth2/logout", token=str(mine["access_token"]), payload=payload)
    assert told(svc.refresh(mine)) == DEAD


def test_a_password_change_kills_nothing(anybody: Player) -> None:
    mine = anybody.tokens()
    anybody.instance.events.admin_change_password("svc", "new")
    assert anybody.lives(mine)
    assert anybody.refresh(mine).status == 200
    assert anybody.sign_in().status == 401


def test_an_inactive_user_is_refused_and_revived(anybody: Player) -> None:
    mine = anybody.tokens()
    anybody.instance.events.deactivate("svc")
    assert told(anybody.ping(mine)) == (401, "invalid_grant", "Your authentication token is invalid.")
    if anybody.instance.parameters.idm == "off":
        assert told(anybody.refresh(mine)) == DEAD
        assert told(anybody.ping(mine)) == INVALID
    else:
        assert told(anybody.refresh(mine))[:2] == (400, "invalid_request")
    anybody.instance.events.reactivate("svc")
    assert anybody.refresh(mine).status == 200


def test_a_deleted_key_takes_its_rows_along_and_sugar_comes_back(svc: Player) -> None:
    svc.instance.key("own", "s")
    own = svc.tokens(client_id="own", client_secret="s", platform="base")
    mine = svc.tokens()
    svc.instance.events.delete_key("own")
    svc.instance.events.delete_key("sugar")
    refused = svc.refresh(own, client_id="own", client_secret="s", platform="base")
    assert told(refused) == (400, "invalid_client", "The client credentials are invalid")
    assert told(svc.refresh(mine)) == DEAD
    assert svc.sign_in().status == 200


def test_a_changed_secret_keeps_the_row(svc: Player) -> None:
    svc.instance.key("own", "s")
    svc.extra = {"client_id": "own", "client_secret": "s"}
    mine = svc.tokens()
    svc.instance.events.change_secret("own", "t")
    assert told(svc.refresh(mine))[:2] == (400, "invalid_client")
    assert svc.lives(mine)
    svc.extra["client_secret"] = "t"
    assert svc.refresh(mine).status == 200


def test_a_removed_platform_stops_every_call_of_the_session(svc: Player) -> None:
    mine = svc.tokens()
    svc.instance.events.remove_platform("intg")
    assert told(svc.refresh(mine)) == (422, "invalid_parameter", "Invalid platform specified.")
    assert told(svc.ping(mine)) == (422, "invalid_parameter", "Invalid platform specified.")
    svc.instance.events.add_platform("intg")
    assert svc.lives(mine)
    assert svc.refresh(mine).status == 200


def test_sudo_evicts_the_targets_own_row_and_its_token_lives_on(svc: Player, clock: Clock) -> None:
    admin = Player(svc.instance, user="admin", password="admin").tokens()
    mine = svc.tokens()
    path = "/rest/v10/oauth2/sudo/svc"
    borrowed = svc.instance.call("POST", path, token=str(admin["access_token"]), payload={"platform": "intg"}).json()
    assert told(svc.refresh(mine)) == DEAD
    assert svc.lives(borrowed)
    clock.now += 3601
    assert not svc.lives(borrowed)
    refused = svc.instance.call("POST", path, token=str(svc.tokens()["access_token"]), payload={})
    assert refused.status == 403


def test_sudo_ends_at_a_sudo_session_and_at_unknown_users(svc: Player) -> None:
    admin = Player(svc.instance, user="admin", password="admin").tokens()

    def sudo(tokens: Json, user: str) -> Response:
        return svc.instance.call(
            "POST", f"/rest/v10/oauth2/sudo/{user}", token=str(tokens["access_token"]), payload={"platform": "intg"}
        )

    assert told(sudo(admin, "nobody"))[:2] == (404, "not_found")
    borrowed = sudo(admin, "admin").json()
    assert told(sudo(borrowed, "svc"))[:2] == (403, "not_authorized")


def test_a_session_expires_once_and_is_unknown_afterwards(anybody: Player, clock: Clock) -> None:
    mine = anybody.tokens()
    clock.now += 3600
    assert anybody.lives(mine)
    clock.now += 1
    first, second = told(anybody.ping(mine)), told(anybody.ping(mine))
    if anybody.instance.parameters.idm == "off":
        assert first == (401, "invalid_grant", "The access token provided has expired.")
        assert second == INVALID
    else:
        assert first == second == (401, "invalid_grant", "IDM access token is expired")


def test_an_idle_refresh_token_expires_with_its_times_or_is_purged(world: World, clock: Clock) -> None:
    kept, purged = player(world, "13.3"), Player(world.add_instance("purging", cleanup_probability=1))
    one, other = kept.tokens(), purged.tokens()
    clock.now += 1209600
    assert kept.refresh(one).status == 200
    clock.now += 1209601
    one = kept.refresh(kept.tokens()).json()
    clock.now += 1209601
    assert told(kept.refresh(one))[2].startswith("Refresh token has expired: 17")
    assert told(purged.refresh(other)) == DEAD


def test_a_session_cap_is_inherited_by_every_refresh(world: World, clock: Clock) -> None:
    svc = player(world, "12.0", max_session_lifetime=7200)
    mine = svc.tokens()
    assert mine["refresh_expires_in"] == 7200
    clock.now += 3000
    mine = svc.refresh(mine).json()
    assert mine["refresh_expires_in"] == 4200
    clock.now += 4201
    assert told(svc.refresh(mine))[:2] == (400, "invalid_grant")


def test_flushed_sessions_leave_the_rows(svc: Player) -> None:
    mine = svc.tokens()
    svc.instance.events.flush_sessions()
    assert told(svc.ping(mine)) == INVALID
    assert svc.refresh(mine).status == 200


def test_a_restored_backup_revives_old_tokens_and_loses_new_ones(svc: Player) -> None:
    old = svc.tokens()
    svc.instance.events.back_up()
    new = svc.refresh(old).json()
    svc.instance.events.restore_backup()
    assert told(svc.refresh(new)) == DEAD
    assert svc.refresh(old).status == 200


def test_a_copy_with_another_site_key_rejects_sessions(svc: Player) -> None:
    mine = svc.tokens()
    svc.instance.events.back_up()
    svc.instance.events.restore_backup(new_site_key=True)
    assert told(svc.ping(mine))[2] == "Your authentication token is invalid."
    assert svc.refresh(mine).status == 200


def test_the_address_is_bound_at_first_use_and_compared_by_its_24(world: World) -> None:
    svc = player(world, "13.3", verify_ip=True)
    mine = svc.tokens()
    assert svc.ping(mine, peer="198.51.100.7").status == 200
    assert svc.ping(mine, peer="198.51.100.200").status == 200
    moved = svc.instance.call(
        "GET", "/rest/v10/ping", token=str(mine["access_token"]), headers={"X-Forwarded-For": "203.0.113.9, 10.0.0.1"}
    )
    assert told(moved)[2] == "Your authentication token is invalid."
    assert told(svc.ping(mine, peer="198.51.100.7")) == INVALID
    assert svc.refresh(mine).status == 200
