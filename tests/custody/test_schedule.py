"""When custody refreshes, and when it leaves well alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.conf import settings

from connections.custody import actions, handout, reports, schedule
from connections.custody.ledger import transitions
from connections.custody.problems import Conflict, Later, Unchanged
from connections.models import Connection
from connections.onboarding import registry
from connections.onboarding.registry import edits
from tests.custody.conftest import ANA, clock, connect, rest, simulator
from tests.scenarios.conftest import Open, scene
from tests.scenarios.scene import DAY, HOUR, MINUTE, WITHOUT_PASSWORD, Scene

__all__ = ["clock", "connect", "scene", "simulator"]
TOLD = {"status": 401, "error": "invalid_grant", "error_message": "The access token provided is invalid."}


def take(scene: Scene, **wish: object) -> handout.HandedOut:
    try:
        return handout.token(scene.kept.public_id, tenants=None, actor="worker", **{"wait": 5, **wish})  # type: ignore[arg-type]
    finally:
        rest()


def ahead_of_expiry(scene: Scene) -> timedelta:
    row = scene.row
    assert row.access_expires_at is not None and row.next_refresh_at is not None
    return row.access_expires_at - row.next_refresh_at


@pytest.mark.parametrize(
    ("lifetime", "least", "most"),
    [(3600, 288, 360), (86400, 6912, 8640), (600, 48, 60), (120, 48, 60), (60, 24, 30), (10, 4, 5)],
)
def test_the_lead_is_a_tenth_at_least_a_minute_at_most_half(scene: Open, lifetime: int, least: int, most: int) -> None:
    played = scene("13.3", access_token_lifetime=lifetime)
    assert timedelta(seconds=least) <= ahead_of_expiry(played) <= timedelta(seconds=most)


def test_a_warm_connection_never_runs_out(scene: Open) -> None:
    played = scene("13.3")
    lowest: list[timedelta] = []

    def look() -> bool:
        row = played.row
        lowest.append(row.access_expires_at - played.clock.now)
        return False

    played.configured_look(HOUR)
    played.run(timedelta(hours=10), until=look)
    assert min(lowest) > timedelta(seconds=200)
    assert played.kept.grants() in (10, 11)


def test_after_a_proven_refresh_the_background_comes_back_only_when_something_is_due(scene: Open) -> None:
    played = scene("13.3")
    played.configured_look(HOUR)
    words = played.run(timedelta(hours=5))
    assert "version" in words
    assert "current" not in words


def test_an_idle_one_is_refreshed_at_half_the_refresh_lifetime(scene: Open) -> None:
    played = scene("13.3")
    played.configured_look(HOUR)
    played.run(2 * DAY)
    count = played.kept.grants()
    assert count <= 27, "warm for a day after the sign-in, then left alone"
    played.run(4 * DAY)
    assert played.kept.grants() == count
    played.run(4 * DAY)
    assert played.kept.grants() == count + 1
    row = played.row
    half = (row.refresh_expires_at - row.last_success_at) / 2
    assert timedelta(0) <= row.last_success_at + half - row.next_refresh_at <= half * 0.06, "jitter only earlier"


def test_use_makes_it_warm_again(scene: Open) -> None:
    played = scene("13.3")
    played.configured_look(HOUR)
    played.run(3 * DAY)
    assert played.row.next_refresh_at > played.clock.now + DAY
    take(played)
    assert played.row.next_refresh_at < played.clock.now + HOUR


def test_a_pause_keeps_the_chain_alive_and_refreshes_for_nobody(scene: Open) -> None:
    played = scene("13.3", fields=WITHOUT_PASSWORD)
    played.configured_look(HOUR)
    actions.pause(played.kept.public_id, ANA)
    assert take(played).version == 1, "a living token is still served"
    played.run(DAY)
    assert played.kept.grants() == 0
    with pytest.raises(Conflict, match="paused"):
        take(played)
    played.run(27 * DAY)
    assert played.kept.grants() in (3, 4)
    actions.resume(played.kept.public_id, ANA)
    played.run(MINUTE)
    assert played.row.status == "healthy", played.trail()
    assert played.kept.accepts(take(played).access_token)


def test_a_hold_sends_nothing_and_hands_nothing_out(scene: Open) -> None:
    played = scene("13.3")
    actions.hold(played.kept.public_id, ANA)
    before = len(played.log())
    with pytest.raises(Conflict, match="held"):
        take(played)
    played.run(10 * DAY)
    assert len(played.log()) == before
    assert played.row.refresh_expires_at is not None, "until when the chain lives can be shown"
    actions.resume(played.kept.public_id, ANA)
    played.run(MINUTE)
    assert played.kept.accepts(take(played).access_token)


def test_inside_the_lead_a_living_token_is_given_at_once_and_refreshed_behind(scene: Open) -> None:
    played = scene("13.3")
    played.clock.jump(timedelta(minutes=56))
    given = handout.token(played.kept.public_id, tenants=None, wait=0, actor="worker")
    assert given.version == 1 and given.expires_in < 300
    rest()
    assert played.row.version_count == 2


def test_min_ttl_wins_over_still_good_and_counts_as_half_a_lifetime_at_most(scene: Open) -> None:
    played = scene("13.3")
    assert take(played, min_ttl=10_000).version == 1
    played.clock.jump(timedelta(minutes=29))
    assert take(played, min_ttl=10_000).version == 1
    played.clock.jump(timedelta(minutes=2))
    assert take(played, min_ttl=600).version == 1
    assert take(played, min_ttl=10_000).version == 2


def test_a_held_version_is_unchanged_until_it_is_found_dead(scene: Open) -> None:
    played = scene("13.3")
    with pytest.raises(Unchanged):
        take(played, held=(1,))
    played.sugar.flush_sessions()
    actions.test(played.kept.public_id, ANA)
    assert take(played, held=(1,)).version == 2


def test_reports_of_fresh_versions_back_off_to_a_quarter_of_an_hour(scene: Open) -> None:
    played = scene("13.3")
    played.configured_look(HOUR)
    grants: list[datetime] = []
    while len(grants) < 8:
        version = played.row.version_count
        played.sugar.flush_sessions()
        played.clock.jump(timedelta(seconds=31))
        for _ in range(3):
            try:
                given = reports.rejected(
                    played.kept.public_id, tenants=None, version=version, wait=5, actor="worker", report=TOLD
                )
            except Later as later:
                assert later.retry_after is not None
                played.run(timedelta(seconds=later.retry_after))
            else:
                assert given.version == version + 1
                break
            finally:
                rest()
            if played.row.version_count > version:
                break
        grants.append(played.row.last_success_at)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(grants)]
    assert [round(gap, -1) for gap in gaps] == [30, 60, 120, 240, 480, 900, 900], gaps


def test_whatever_happens_grants_an_hour_are_bounded(scene: Open) -> None:
    played = scene("13.3")
    for _ in range(40):
        played.sugar.flush_sessions()
        played.run(timedelta(minutes=1))
        take_or_not(played)
    bound = schedule.grants_per_hour(timedelta(hours=1))
    assert bound == 14
    assert 4 <= played.kept.grants() <= bound
    played.run(timedelta(hours=1))
    assert played.row.status == "healthy", played.trail()


def take_or_not(scene: Scene) -> None:
    try:
        take(scene, wait=1)
    except Later:
        return


def test_a_refresh_token_is_adopted(scene: Open) -> None:
    played = scene("13.3", sign_in=False)
    ours = played.sugar.outside_login("svc", "intg")
    actions.delete(played.kept.public_id, ANA)
    fields = {"label": "adopted", "instance_url": played.sugar.url, "platform": "intg", "username": "svc"}
    row = registry.create("acme", fields | {"refresh_token": ours["refresh_token"]}, ANA)
    played.kept.public_id = row.public_id
    played.run(MINUTE)
    assert (played.row.status, played.row.version_count) == ("healthy", 1), played.trail()
    assert played.row.versions.get().origin == "adopted"
    assert played.kept.grants("password") == 0
    assert played.row.adopted_token is None


def test_without_a_new_refresh_token_the_old_one_is_carried_on(scene: Open) -> None:
    played = scene("13.3", fields=WITHOUT_PASSWORD)
    played.sugar.chaos("no_refresh_token")
    for version in (2, 3):
        played.refresh_now()
        assert played.row.version_count == version
    played.sugar.calm()
    played.refresh_now()
    assert (played.row.version_count, played.row.status) == (4, "healthy")


# -- an edit, a delete, a hold while a grant is under way


def during_a_refresh(scene: Scene, act: Callable[[], object]) -> object:
    """`act` while Sugar stands in the middle of our refresh; returns what it raised."""
    scene.kept.make_due()
    scene.sugar.hold("insert_row")
    thread = threading.Thread(target=lambda: scene.kept.tend())
    thread.start()
    failure = None
    try:
        scene.sugar.wait_standing()
        try:
            act()
        except Exception as raised:
            failure = raised
    finally:
        scene.sugar.release()
        thread.join()
    return failure


def states(scene: Scene) -> list[str]:
    return list(scene.row.attempts.order_by("number").values_list("state", flat=True))


def test_an_edit_wins_over_a_refresh_under_way(scene: Open) -> None:
    played = scene("13.3")
    played.sugar.add_platform("intg2")
    assert during_a_refresh(played, lambda: played.edit(platform="intg2", password="secret")) is None
    assert states(played)[1] == "discarded"
    assert played.row.version_count == 1, "the late answer is not stored"
    assert played.kept.live_row() is None, "and its session is logged out where it lives"
    played.run(MINUTE)
    assert (played.row.version_count, played.row.status) == (2, "healthy"), played.trail()


def test_a_triple_given_up_is_busy_until_the_drain_is_over(scene: Open) -> None:
    played = scene("13.3")
    played.sugar.add_platform("intg2")

    def hand_over() -> None:
        played.edit(platform="intg2", password="secret")
        other = {"label": "heir", "instance_url": played.row.instance_url, "platform": "intg", "username": "svc"}
        registry.create("acme", other, ANA)

    failure = during_a_refresh(played, hand_over)
    assert isinstance(failure, edits.TripleBusy)
    assert 1 <= failure.retry_after <= 32


def test_a_delete_wins_over_a_refresh_under_way(scene: Open) -> None:
    played = scene("13.3")
    pk = played.row.pk
    assert during_a_refresh_of_a_deleted(played) is None
    row = Connection.objects.get(pk=pk)
    assert list(row.attempts.order_by("number").values_list("state", flat=True))[1] == "discarded"
    assert not row.versions.filter(access_token__isnull=False).exists()
    assert row.password is None
    assert played.kept.live_row() is None


def during_a_refresh_of_a_deleted(scene: Scene) -> object:
    return during_a_refresh(scene, lambda: actions.delete(scene.kept.public_id, ANA))


def test_a_hold_stores_what_was_under_way_and_sends_no_more(scene: Open) -> None:
    played = scene("13.3")
    assert during_a_refresh(played, lambda: actions.hold(played.kept.public_id, ANA)) is None
    assert played.row.version_count == 2, "an answer in hand is never thrown away for a hold"
    assert played.row.due_at is None


def test_a_daily_try_that_is_overdue_waits_between_looks_that_sent_nothing(scene: Open) -> None:
    """Each failed look asks Sugar: where the day was over, the next one used to follow at once, for hours."""
    one = scene("12.0")
    one.sugar.admin_change_password("svc", "another")
    one.sugar.outside_login("svc", "intg")
    one.kept.make_due()
    one.run(2 * HOUR)
    row = one.row
    assert (row.diagnosis_code, row.dead_tried_at is not None) == ("bad_credentials", True)
    one.clock.jump(2 * DAY)
    now = one.clock.now
    row.doubt_after = None  # nothing is in doubt any more: a doubt has its own wait
    transitions.plan_retry(row, now, was_sent=False)
    assert row.retry_at is not None
    assert row.retry_at - now >= settings.SUGARADMIN.retry / 2


@pytest.mark.parametrize("trouble", ["refused", "not sent", "lost"])
def test_a_draft_whose_sign_in_failed_is_left_alone(scene: Open, trouble: str) -> None:
    """The background never signs in a draft: to look at one every half a minute finds nothing to do, for ever."""
    one = scene("13.3", sign_in=False)
    if trouble == "refused":
        one.sugar.admin_change_password("svc", "another")
    elif trouble == "not sent":
        one.sugar.maintenance(True)
    else:
        one.sugar.chaos("lost", endpoint="token", count=1)
    actions.sign_in(one.kept.public_id, ANA)
    assert one.row.diagnosis_code != ""
    one.run(2 * MINUTE)  # what was lost drains
    assert one.row.due_at is None
    one.sugar.maintenance(False)
    assert one.run(HOUR) == []
