"""The user and the password: what Sugar says of them, and how often it is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connections.models import Attempt
from tests.scenarios.conftest import Open
from tests.scenarios.scene import DAY, HOUR, MINUTE, WITHOUT_PASSWORD, Case, Scene, play
from tests.scenarios.test_chain import outside_login, sign_in_again


def change_password(scene: Scene) -> None:
    scene.sugar.admin_change_password("svc", "changed")
    outside_login(scene)


def save_the_new_password(scene: Scene) -> None:
    scene.edit(password="changed")


def put_the_password_back(scene: Scene) -> None:
    scene.sugar.admin_change_password("svc", "secret")


def lock_for_twenty_minutes(scene: Scene) -> None:
    outside_login(scene)
    scene.sugar.lock_out("svc", minutes=20)


def lock_for_good(scene: Scene) -> None:
    outside_login(scene)
    scene.sugar.lock_out("svc")


def only_single_sign_on(scene: Scene) -> None:
    outside_login(scene)
    scene.sugar.configure(external_login_url="https://sso.customer.example/saml")
    scene.user(external_only=True)


def become_a_group_user(scene: Scene) -> None:
    outside_login(scene)
    scene.user(kind="group")


CASES = [
    Case(
        label="refused twice: a person should look",
        code="bad_credentials",
        status="down",
        event=change_password,
        confidence="likely",
        fix_by="customer_admin",
        evidence="refused 2 times",
        cure=save_the_new_password,
        heals_within=timedelta(seconds=30),
    ),
    Case(
        label="a directory that was away for hours: the daily try",
        code="bad_credentials",
        status="down",
        event=change_password,
        confidence="likely",
        fix_by="customer_admin",
        cure=put_the_password_back,
        heals_within=timedelta(hours=25),
    ),
    Case(
        label="refused once: nobody is called yet",
        code="bad_credentials",
        status="retrying",
        event=change_password,
        confidence="possible",
        cure=put_the_password_back,
        heals_within=MINUTE,
    ),
    Case(
        label="user inactive, no password: found together, revived by the old token",
        code="user_inactive",
        status="down",
        event=lambda scene: scene.sugar.deactivate("svc"),
        fields=WITHOUT_PASSWORD,
        confidence="likely",
        fix_by="customer_admin",
        evidence="Your authentication token is invalid.",
        cure=lambda scene: scene.sugar.reactivate("svc"),
        heals_within=timedelta(hours=25),
    ),
    Case(
        label="user inactive, with a password: revived within the day",
        code="user_inactive",
        status="down",
        event=lambda scene: scene.sugar.deactivate("svc"),
        confidence="likely",
        fix_by="customer_admin",
        evidence="Your authentication token is invalid.",
        cure=lambda scene: scene.sugar.reactivate("svc"),
        heals_within=timedelta(hours=25),
    ),
    Case(
        label="locked out for a time: waited for",
        code="locked_out",
        status="retrying",
        event=lock_for_twenty_minutes,
        evidence="The lock-out ends at",
        cure=lambda scene: None,
        heals_within=timedelta(minutes=22),
    ),
    Case(
        label="locked out until an admin acts",
        code="locked_out",
        status="down",
        event=lock_for_good,
        fix_by="customer_admin",
        evidence="Too many failed login attempts",
        cure=lambda scene: scene.sugar.clear_lockout("svc"),
        heals_within=timedelta(hours=25),
    ),
    Case(
        label="external sign-in only",
        code="sso_required",
        status="down",
        event=only_single_sign_on,
        confidence="possible",
        fix_by="customer_admin",
        evidence="sso.customer.example",
        cure=lambda scene: (scene.user(external_only=False), scene.edit(password="secret")),
        heals_within=timedelta(seconds=30),
    ),
    Case(
        label="a group user",
        code="user_unsuitable",
        status="down",
        event=become_a_group_user,
        fix_by="customer_admin",
        evidence="Portal or group user",
        cure=lambda scene: (scene.user(kind="regular"), scene.edit(password="secret")),
        heals_within=timedelta(seconds=30),
    ),
    Case(
        label="expired password: a warning",
        code="password_expired",
        status="healthy",
        event=lambda scene: (scene.sugar.expire_password("svc"), scene.sign_in()),
        fix_by="customer_admin",
        evidence="is_password_expired",
        cure=lambda scene: (scene.sugar.expire_password("svc", False), scene.sign_in()),
    ),
    Case(
        label="stored password no longer fits: a warning",
        code="password_stale",
        status="healthy",
        event=lambda scene: (scene.sugar.admin_change_password("svc", "changed"), scene.sign_in()),
        confidence="possible",
        fix_by="customer_admin",
        evidence="401 need_login",
        cure=save_the_new_password,
        heals_within=timedelta(seconds=30),
    ),
    Case(
        label="another user, no password for him",
        code="credentials_missing",
        status="down",
        event=lambda scene: (scene.sugar.user("svc2", "secret"), scene.edit(username="svc2")),
        fix_by="staff",
        evidence="No password is stored",
        cure=sign_in_again,
    ),
    Case(
        label="another platform, no password",
        code="credentials_missing",
        status="down",
        event=lambda scene: (scene.sugar.add_platform("intg2"), scene.edit(platform="intg2")),
        fields=WITHOUT_PASSWORD,
        fix_by="staff",
        cure=sign_in_again,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_credentials(scene: Open, case: Case) -> None:
    play(case, scene(case.preset, fields=case.fields, **case.own))


def password_grants(scene: Scene) -> int:
    return scene.kept.grants("password") - 1  # without the sign-in that began it


def test_two_refused_tries_then_one_a_day_five_in_all(scene: Open) -> None:
    played = scene("13.3")
    played.configured_look(HOUR)
    change_password(played)
    seen = []
    for _ in range(7):
        played.run(DAY)
        seen.append(password_grants(played))
    assert seen == [2, 3, 4, 5, 5, 5, 5], played.trail()
    assert played.told == ("bad_credentials", "down")
    save_the_new_password(played)
    played.run(timedelta(seconds=30))
    assert played.row.status == "healthy", "each save starts anew"


def test_the_tries_are_shared_by_all_connections_of_a_user(scene: Open) -> None:
    played = scene("13.3")
    played.sugar.add_platform("second")
    other = played.beside(platform="second")
    played.sugar.admin_change_password("svc", "changed")
    for platform in ("intg", "second"):
        played.sugar.outside_login("svc", platform)
    before = played.kept.grants("password")
    played.run(timedelta(hours=20))
    assert played.kept.grants("password") - before == 2, played.trail()
    assert {played.told, (other.row.diagnosis_code, other.row.status)} == {("bad_credentials", "down")}


def test_six_automatic_sign_ins_a_day(scene: Open) -> None:
    """Two systems on one platform: the fight ends for the day, and goes on when the window frees."""
    played = scene("13.3")
    before = played.kept.grants("password")
    for _ in range(12):
        outside_login(played)
        played.run(timedelta(minutes=11))
    assert played.kept.grants("password") - before == 6, played.trail()
    assert played.told == ("platform_shared", "retrying"), played.trail()
    played.configured_look(HOUR)
    played.run(timedelta(hours=24))
    assert played.row.status == "healthy", played.trail()


def test_five_refused_sign_ins_of_people_an_hour(scene: Open) -> None:
    played = scene("13.3")
    played.sugar.admin_change_password("svc", "changed")
    codes = [played.sign_in().problem.code for _ in range(7)]  # type: ignore[union-attr]
    assert codes == ["password_stale"] * 5 + ["too_many_requests"] * 2
    played.clock.jump(timedelta(minutes=61))
    assert played.sign_in("changed").outcome == "done"


def test_a_stored_password_that_works_again_is_not_stale(scene: Open) -> None:
    """A directory that was away for a while: what was refused meanwhile says nothing about the password."""
    played = scene("13.3")
    played.sugar.admin_change_password("svc", "changed")
    assert [played.sign_in().outcome for _ in range(2)] == ["failed", "failed"]
    assert played.told == ("password_stale", "healthy")
    played.sugar.admin_change_password("svc", "secret")
    assert played.sign_in().outcome == "done"
    assert played.told == ("", "healthy")
    outside_login(played)
    played.run(timedelta(minutes=55))
    assert played.told == ("", "healthy"), "a chain that dies later heals by itself"


def test_a_password_used_once_leaves_the_stored_one_stale(scene: Open) -> None:
    played = scene("13.3")
    played.sugar.admin_change_password("svc", "changed")
    assert [played.sign_in().outcome for _ in range(2)] == ["failed", "failed"]
    assert played.sign_in("changed").outcome == "done"
    assert played.told == ("password_stale", "healthy")
    evidence = [item["text"] for item in played.row.diagnosis["evidence"]]
    assert evidence[-1] == "Version 2 was issued all the same, by a sign-in with another password."


def test_a_lockout_with_a_time_is_no_refused_try(scene: Open) -> None:
    played = scene("13.3")
    lock_for_twenty_minutes(played)
    played.run(timedelta(minutes=15))
    assert played.told == ("locked_out", "retrying")
    assert not Attempt.objects.filter(connection=played.row, is_refused_try=True).exists()
    assert password_grants(played) == 1, "it is waited out, not tried"


def test_a_lockout_is_waited_out_in_a_language_that_we_did_not_ask_for(scene: Open) -> None:
    played = scene("13.3")
    outside_login(played)
    words = {"error": "need_login", "error_message": "ログイン試行の失敗回数が多すぎます。 再ログインできるまで 20分"}
    played.sugar.chaos("answer", endpoint="token", grant="password", count=1, status=401, payload=words)
    played.run(timedelta(minutes=15))
    assert played.told == ("locked_out", "retrying"), played.trail()
    assert password_grants(played) == 1, "it is waited out, not tried"
    played.run(timedelta(minutes=12), until=lambda: played.row.status == "healthy")
    assert played.row.status == "healthy", played.trail()
