"""One budget of tries per (instance, user): staff, links and the background together, over all connections."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection

from connections.choices import AttemptState, LinkKind
from connections.custody import actions, breakers, checkpoints
from connections.custody.audit import Actor
from connections.custody.checkpoints import Point
from connections.models import Attempt, database_now
from connections.onboarding import links, registry
from tests.custody.clock import Clock
from tests.custody.conftest import ANA, Connect, Kept, clock, connect, crash, simulator

__all__ = ["clock", "connect", "crash", "simulator"]
KEY = Actor(kind="key", name="worker-eu")


def beside(kept: Kept, platform: str, **fields: object) -> Kept:
    """Another connection of the same user on the same instance."""
    kept.sugar.add_platform(platform)
    own = {"label": platform, "instance_url": kept.row.instance_url, "platform": platform, "username": "SVC"}
    row = registry.create("acme", own | {"password": "wrong"} | fields, ANA)
    return Kept(public_id=row.public_id, sugar=kept.sugar, simulator=kept.simulator)


def try_wrong(kept: Kept, who: Actor = ANA) -> str:
    report = actions.sign_in(kept.public_id, who, password="wrong")
    return report.problem.code if report.problem else report.outcome


def try_by_link(kept: Kept) -> str:
    issued = links.issue(kept.public_id, LinkKind.SIGN_IN, ANA, tenants=None, seen=kept.row.links.count())
    report = links.sign_in(issued.link, "wrong", seen=0, address=None)
    assert report is not None
    return report.problem.code if report.problem else report.outcome


def try_alone(kept: Kept) -> str:
    """The background presents the stored password, as often as it may."""
    kept.lapse()
    kept.tend()
    return kept.row.diagnosis_code


def test_staff_keys_links_and_the_background_share_five_tries_an_hour(connect: Connect) -> None:
    kept = connect("13.3", fields={"password": "secret"})
    kept.sugar.admin_change_password("svc", "changed")
    kept.sugar.delete_rows("svc")
    kept.make_due()
    try_alone(kept)
    try_alone(kept)
    assert Attempt.objects.filter(is_refused_try=True, trigger="background").count() == 2
    other = beside(kept, "second")
    try_wrong(kept)
    try_by_link(other)
    assert breakers.deliberate_sign_in(other.row, database_now()).left == 1
    try_wrong(other, KEY)
    before = kept.grants("password")
    assert [try_wrong(kept), try_by_link(kept), try_wrong(other, KEY)] == ["too_many_requests"] * 3
    assert kept.grants("password") == before


def test_what_people_mistype_spends_the_days_tries_and_is_no_word_on_the_stored_password(
    connect: Connect, clock: Clock
) -> None:
    kept = connect("13.3")
    for _ in range(3):
        assert try_wrong(kept) == "bad_credentials"
    assert try_by_link(kept) == "bad_credentials"
    assert breakers.refused_tries(kept.row).count() == 4, "people are told of each"
    assert not breakers.is_password_refused(kept.row, database_now())
    kept.sugar.delete_rows("svc")
    kept.make_due()
    try_alone(kept)
    assert (kept.row.status, kept.grants("password")) == ("retrying", 5), "their sum would lock the user out"
    clock.run(timedelta(days=1, minutes=1), until=lambda: kept.row.status == "healthy")
    assert (kept.row.status, kept.grants("password")) == ("healthy", 6)


def test_a_password_proven_since_is_not_blamed_for_what_a_sibling_stores(connect: Connect) -> None:
    kept = connect("13.3")
    other = beside(kept, "second")
    for _ in range(2):
        assert actions.sign_in(other.public_id, ANA).outcome == "failed"
    assert breakers.is_password_refused(kept.row, database_now()), "it may be the same password, changed in Sugar"
    assert actions.sign_in(kept.public_id, ANA).outcome == "done"
    assert not breakers.is_password_refused(kept.row, database_now())
    assert (kept.row.status, kept.row.diagnosis_code) == ("healthy", "")
    assert breakers.is_password_refused(other.row, database_now())


def test_a_saved_password_does_not_buy_back_what_was_refused_within_the_hour(connect: Connect, clock: Clock) -> None:
    kept = connect("13.3", fields={"store_password": False})
    kept.sugar.delete_rows("svc")
    kept.make_due()
    kept.tend()
    for _ in range(5):
        try_by_link(kept)
    before = kept.grants("password")
    registry.edit(kept.public_id, {"store_password": True, "password": "secret"}, ANA)
    allowance = breakers.automatic_sign_in(kept.row, database_now())
    assert not allowance.is_allowed
    assert allowance.allowed_at is not None
    clock.run(timedelta(minutes=50))
    assert kept.grants("password") == before
    clock.run(timedelta(minutes=15), until=lambda: kept.row.status == "healthy")
    assert kept.row.status == "healthy"
    assert kept.grants("password") == before + 1


def test_what_was_called_off_before_it_left_is_no_try(connect: Connect) -> None:
    kept = connect("13.3", fields={"store_password": False})
    kept.sugar.maintenance()
    for _ in range(6):
        assert try_wrong(kept) == "maintenance"
    assert breakers.deliberate_sign_in(kept.row, database_now()).left == 5


def test_a_try_under_way_counts(connect: Connect) -> None:
    """Between its claim and its answer: else two at once would both be the fifth."""
    kept = connect("13.3", fields={"store_password": False})
    other = beside(kept, "second")
    for _ in range(4):
        try_wrong(kept)
    kept.sugar.chaos("slow_before", endpoint="token", seconds=0.5)
    assert _at_once(kept, other).count("too_many_requests") == 1
    assert Attempt.objects.filter(is_refused_try=True).count() == 5


def test_two_claims_in_one_moment_do_not_both_take_the_last_try(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two connections of one user have two rows to lock; the budget has a lock of its own."""
    kept = connect("13.3", fields={"store_password": False})
    other = beside(kept, "second")
    for _ in range(4):
        try_wrong(kept)

    def linger(reached: Point, subject: str) -> None:
        if reached == Point.CLAIM_WRITTEN:
            time.sleep(0.4)

    monkeypatch.setattr(checkpoints, "watcher", linger)
    assert _at_once(kept, other).count("too_many_requests") == 1
    assert Attempt.objects.filter(is_refused_try=True).count() == 5


def _at_once(*fleet: Kept) -> list[str]:
    codes: list[str] = []

    def run(kept: Kept) -> None:
        codes.append(try_wrong(kept))
        connection.close()

    threads = [threading.Thread(target=run, args=(kept,)) for kept in fleet]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


def test_a_success_costs_nothing(connect: Connect) -> None:
    kept = connect("13.3", fields={"store_password": False})
    for _ in range(7):
        assert actions.sign_in(kept.public_id, ANA, password="secret").outcome == "done"
    assert not Attempt.objects.exclude(state=AttemptState.SETTLED).exists()
