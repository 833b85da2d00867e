"""What the journal can testify."""

from __future__ import annotations

from connections.simulator import World
from tests.simulator.player import Clock, Player


def test_it_counts_by_endpoint_and_grant(svc: Player, world: World) -> None:
    mine = svc.tokens()
    svc.refresh(mine)
    svc.ping(mine)
    journal = world.journal
    assert journal.count(endpoint="token") == 2
    assert journal.count(endpoint="token", grant="refresh", instance="acme") == 1
    entry = journal.entries(grant="refresh")[0]
    assert (entry.user, entry.platform, entry.status, entry.delivery) == ("svc", "intg", 200, "full")
    assert entry.refresh_token == mine["refresh_token"]
    assert journal.entries(after=entry.number)[0].route == "ping"


def test_other_peoples_doings_are_not_ours(svc: Player, world: World) -> None:
    svc.instance.events.ui_login("svc")
    svc.instance.events.outside_login("svc", "intg")
    assert len(world.journal) == 0
    assert len(svc.instance.tables.rows) == 2


def test_a_grant_without_platform_is_remembered(svc: Player, world: World) -> None:
    svc.instance.grant(grant_type="refresh_token", refresh_token="x")
    assert len(world.journal.without_platform()) == 1


def test_a_token_presented_after_its_answer_is_an_offence(svc: Player, world: World, clock: Clock) -> None:
    mine = svc.tokens()
    svc.refresh(mine)
    clock.now += 5
    svc.refresh(mine)
    (offence,) = world.journal.presented_again()
    assert (offence.told_status, offence.again_at - offence.told_at) == (200, 5)


def test_a_token_presented_after_a_lost_answer_is_none(svc: Player, world: World) -> None:
    for kind in ("lost", "cut", "error_after", "drop"):
        mine = svc.tokens()
        svc.instance.chaos.set(kind, endpoint="token", count=1)
        svc.refresh(mine)
        svc.refresh(mine)
    assert world.journal.presented_again() == []


def test_a_400_during_an_outage_of_the_sts_is_no_definite_answer(world: World) -> None:
    cloud = Player(world.add_instance("cloud", "cloud"))
    mine = cloud.tokens()
    cloud.instance.events.sts_down()
    cloud.refresh(mine)
    cloud.instance.events.sts_up()
    cloud.refresh(mine)
    assert world.journal.presented_again() == []
