"""What proves a new token, what a dead chain may still promise, and which token is never presented twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connections.custody import handout
from connections.models import TokenVersion
from tests.custody.conftest import clock, connect, simulator
from tests.scenarios.conftest import Open, scene
from tests.scenarios.scene import HOUR, WITHOUT_PASSWORD, Scene

__all__ = ["clock", "connect", "scene", "simulator"]
CHECK = timedelta(seconds=125)


def holding_secrets(played: Scene) -> list[int]:
    held = TokenVersion.objects.filter(connection=played.row, refresh_token__isnull=False)
    return list(held.order_by("number").values_list("number", flat=True))


def is_proven(played: Scene) -> bool:
    return TokenVersion.objects.get(connection=played.row, state="live").verified_at is not None


@pytest.mark.parametrize("preset", ["7.1", "13.3", "cloud"])
def test_one_good_ping_proves_it_where_sugar_looks_at_the_row_or_never_does(scene: Open, preset: str) -> None:
    played = scene(preset)
    played.run(CHECK)
    played.refresh_now()
    assert (played.row.version_count, is_proven(played), holding_secrets(played)) == (2, True, [2])


@pytest.mark.parametrize("preset", ["7.7", "12.0"])
def test_a_ping_from_a_memory_proves_nothing_and_a_later_one_does(scene: Open, preset: str) -> None:
    played = scene(preset)
    played.run(CHECK)
    played.refresh_now()
    assert (is_proven(played), holding_secrets(played)) == (False, [1, 2]), "the old one may be needed yet"
    played.run(CHECK - timedelta(seconds=5))
    assert not is_proven(played)
    played.run(timedelta(seconds=10))
    assert (is_proven(played), holding_secrets(played)) == (True, [2])
    assert played.kept.grants() == 1


def test_the_later_ping_finds_an_overlap_that_the_first_could_not_see(scene: Open) -> None:
    played = scene("12.0")
    played.run(CHECK)
    played.refresh_now()
    played.sugar.outside_login("svc", "intg")
    played.run(2 * CHECK)
    assert played.row.status == "healthy", played.trail()
    given = handout.token(played.kept.public_id, tenants=None, actor="worker")
    assert played.kept.accepts(given.access_token)


def test_a_dead_chain_promises_two_minutes_until_a_later_ping(scene: Open) -> None:
    played = scene("12.0", fields=WITHOUT_PASSWORD)
    played.run(timedelta(minutes=10))
    played.sugar.delete_rows("svc")
    played.sugar.chaos("answer", endpoint="api", path="ping", status=200, payload="pong")  # as from its memory
    played.refresh_now()
    row, now = played.row, played.clock.now
    assert row.status == "dying", played.trail()
    assert timedelta(0) < row.dies_at - now <= timedelta(seconds=120)
    played.run(CHECK)
    assert (played.row.status, played.row.dies_at) == ("dying", row.access_expires_at)


@pytest.mark.parametrize(
    ("fields", "presented"), [({}, ["refresh", "password"]), (WITHOUT_PASSWORD, ["refresh", "refresh"])]
)
def test_identity_sees_an_old_token_again_only_where_nothing_else_is_left(
    scene: Open, fields: dict[str, object], presented: list[str]
) -> None:
    """Reuse of a rotated token may revoke its whole family there."""
    played = scene("cloud", fields=fields)
    played.kept.simulator.control.clear_log()
    played.sugar.chaos("lost", endpoint="token", count=1)
    played.refresh_now()
    played.run(HOUR, until=lambda: len(played.log(endpoint="token")) == 2)
    assert [entry["grant"] for entry in played.log(endpoint="token")] == presented, played.trail()


def test_a_slow_server_has_a_longer_drain_of_its_own(scene: Open) -> None:
    played = scene("13.3", fields={"server_seconds": 600})
    played.sugar.chaos("lost", endpoint="token", count=1)
    played.refresh_now()
    lost = played.row.attempts.get(lost_at__isnull=False)
    assert lost.drain_until is not None and lost.sent_at is not None
    assert timedelta(seconds=600) < lost.drain_until - lost.sent_at < timedelta(seconds=602)
    played.run(timedelta(minutes=9))
    assert played.told[1] == "in_doubt"
