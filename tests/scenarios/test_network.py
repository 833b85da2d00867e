"""The way to the instance, and what is ours: all of it waited for, none of it spends a token."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connections.choices import Endpoint, Fault
from connections.custody import actions, wire
from connections.models import HostWait
from connections.onboarding import registry
from connections.simulator import SimulatorServer
from connections.sugar import Answer
from tests.custody.clock import Clock
from tests.custody.conftest import ANA, Connect, Kept
from tests.egress.listener import Authority
from tests.scenarios.conftest import LIFELIKE, Open
from tests.scenarios.scene import HOUR, MINUTE, WITHOUT_PASSWORD, Case, Scene, play
from tests.scenarios.test_setup import PREFLIGHT, calm, in_front


def forbid(scene: Scene) -> None:
    """As in production, where no private network is allowed unless a setting says so."""
    scene.configured(development=False, allowed_networks=())
    scene.refresh_now()


def lose_the_key(scene: Scene) -> None:
    scene.configured(encryption_keys="other:" + "A" * 43 + "=")
    scene.refresh_now()


CASES = [
    Case(
        label="silence",
        code="timeout",
        status="unreachable",
        event=in_front("slow_before", **PREFLIGHT, seconds=2),
        cure=calm,
        heals_within=timedelta(seconds=40),
    ),
    Case(
        label="hung up on",
        code="connection_lost",
        status="unreachable",
        event=in_front("reset_before", **PREFLIGHT),
        cure=calm,
        heals_within=timedelta(seconds=40),
    ),
    Case(
        label="blocked for too many requests: no answer at all",
        code="connection_lost",
        status="unreachable",
        event=lambda scene: (scene.sugar.block_ip(), scene.refresh_now()),
        cure=lambda scene: scene.sugar.unblock_ip(),
        heals_within=timedelta(seconds=40),
    ),
    Case(
        label="silence after sending: in doubt",
        code="timeout",
        status="in_doubt",
        event=in_front("slow", endpoint="token", seconds=2, count=1),
        cure=calm,
    ),
    Case(
        label="a private address, and no setting allows it",
        code="address_blocked",
        status="unreachable",
        event=forbid,
        fix_by="operator",
        cure=lambda scene: scene.configured(development=True),
        heals_within=timedelta(seconds=40),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_way(scene: Open, case: Case) -> None:
    play(case, scene(case.preset, fields=case.fields, **case.own))


def test_a_lost_key_is_named_and_found_again(scene: Open, settings: object) -> None:
    played = scene("13.3", fields=WITHOUT_PASSWORD)
    keys = settings.SUGARADMIN.encryption_keys  # type: ignore[attr-defined]
    case = Case(
        label="",
        code="encryption_key_missing",
        status="dying",
        event=lose_the_key,
        fix_by="operator",
        cure=lambda scene: scene.configured(encryption_keys=keys),
    )
    play(case, played)
    assert played.kept.grants() == 1, "nothing was sent without the key"


def test_a_name_that_does_not_resolve(scene: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    played = scene("13.3")
    port = played.kept.simulator.port
    played.edit(instance_url=f"http://localhost:{port}/i/{played.sugar.name}", password="secret")
    played.run(MINUTE)
    assert played.row.status == "healthy", played.trail()
    ask = socket.getaddrinfo

    def fail(host: object, *rest: object, **more: object) -> object:
        if host == "localhost":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ask(host, *rest, **more)  # type: ignore[arg-type]

    case = Case(
        label="",
        code="dns_failure",
        status="unreachable",
        event=lambda scene: (monkeypatch.setattr(socket, "getaddrinfo", fail), scene.refresh_now()),
        cure=lambda scene: monkeypatch.setattr(socket, "getaddrinfo", ask),
        heals_within=timedelta(seconds=40),
    )
    play(case, played)


@pytest.fixture
def own_port() -> Iterator[SimulatorServer]:
    with SimulatorServer(port_per_instance=True) as running:
        yield running


def elsewhere(server: SimulatorServer, clock: Clock, configured: object, **fields: object) -> Scene:
    """A connection to an instance on another server than the others'."""
    server.add_instance("own", "13.3", cleanup_probability=0)
    given = {"label": "own", "platform": "intg", "username": "svc", "password": "secret"} | fields
    row = registry.create("acme", {"instance_url": server.instance_url("own")} | given, ANA)
    kept = Kept(public_id=row.public_id, sugar=server.control.instance("own"), simulator=server)
    return Scene(kept=kept, clock=clock, configured=configured)  # type: ignore[arg-type]


def test_a_port_that_refuses(connect: Connect, clock: Clock, configured: object, own_port: SimulatorServer) -> None:
    configured(**LIFELIKE)  # type: ignore[operator]
    played = elsewhere(own_port, clock, configured)
    assert played.sign_in().outcome == "done"
    case = Case(
        label="",
        code="connection_refused",
        status="unreachable",
        event=lambda scene: (scene.sugar.close_port(), scene.refresh_now()),
        cure=lambda scene: scene.sugar.open_port(),
        heals_within=timedelta(seconds=40),
    )
    play(case, played)
    assert not HostWait.objects.exists()


def certificate(authority: Authority, folder: Path) -> tuple[str, str]:
    authority.server_context("127.0.0.1")
    file = str(folder / "127.0.0.11.pem")
    return file, file


def test_a_certificate_nobody_vouches_for(connect: Connect, clock: Clock, configured: object, tmp_path: Path) -> None:
    configured(**LIFELIKE)  # type: ignore[operator]
    (tmp_path / "ours").mkdir()
    (tmp_path / "foreign").mkdir()
    ours, foreign = Authority(tmp_path / "ours"), Authority(tmp_path / "foreign")
    with SimulatorServer(tls=certificate(ours, tmp_path / "ours")) as good:
        played = elsewhere(good, clock, configured, ca_pem=ours.pem)
        assert played.sign_in().outcome == "done"
        port, world = good.port, good.world
    with SimulatorServer(tls=certificate(foreign, tmp_path / "foreign"), port=port, world=world):
        played.refresh_now()
        assert played.told == ("tls_invalid", "unreachable"), played.trail()
        assert played.row.diagnosis["fix_by"] == "customer_admin"
        assert "self-signed" in str(played.row.diagnosis) or "certificate" in str(played.row.diagnosis)
        assert world.journal.count(grant="refresh") == 0
    with SimulatorServer(tls=certificate(ours, tmp_path / "ours"), port=port, world=world):
        played.run(timedelta(seconds=40), until=lambda: played.row.status == "healthy")
        assert played.told == ("", "healthy"), played.trail()
    assert world.journal.count(grant="refresh") == 1


def five_beside(played: Scene) -> list[Kept]:
    """On the same host, each on a platform of its own."""
    for number in range(5):
        played.sugar.add_platform(f"p{number}")
    return [played.beside(platform=f"p{number}") for number in range(5)]


def is_asked_by_one_for_ten_minutes(played: Scene) -> None:
    before = len(played.log())
    played.run(timedelta(minutes=10))
    asked = len(played.log()) - before
    assert asked <= 10 * 2 + 4, f"one every 30 s, however many connections: {asked}"


def test_a_host_that_is_away_is_asked_by_one(scene: Open) -> None:
    played = scene("13.3")
    others = five_beside(played)
    played.sugar.block_ip()
    played.clock.jump(HOUR)
    for kept in (*others, played.kept):
        kept.make_due()
    played.run(timedelta(seconds=5))
    is_asked_by_one_for_ten_minutes(played)
    played.sugar.unblock_ip()
    played.run(timedelta(seconds=40))
    assert {kept.row.status for kept in (*others, played.kept)} == {"healthy"}


def test_after_an_hour_a_host_that_is_away_is_asked_every_five_minutes(scene: Open) -> None:
    played = scene("13.3")
    played.sugar.block_ip()
    played.refresh_now()
    played.clock.jump(HOUR)
    played.run(timedelta(minutes=1))
    before = pre_flights(played)
    played.run(HOUR)
    assert 10 <= pre_flights(played) - before <= 13, played.trail()
    played.sugar.unblock_ip()
    played.run(timedelta(minutes=6), until=lambda: played.row.status == "healthy")
    assert played.row.status == "healthy", played.trail()


def test_an_address_that_our_own_guard_blocks_is_waited_for_alike(scene: Open) -> None:
    played = scene("13.3")
    played.sugar.add_platform("p")
    other = played.beside(platform="p")
    played.clock.jump(HOUR)
    other.make_due()
    forbid(played)
    played.clock.jump(HOUR)
    played.run(timedelta(minutes=1))
    before = played.row.attempt_count + other.row.attempt_count
    played.run(HOUR)
    assert 10 <= played.row.attempt_count + other.row.attempt_count - before <= 13, played.trail()
    assert played.told == ("address_blocked", "unreachable")


def pre_flights(scene: Scene) -> int:
    return sum("whattimeisit" in entry["path"] for entry in scene.log())


def test_a_look_that_our_own_pacing_kept_back_says_nothing_of_the_host(
    scene: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = scene("13.3")
    played.sugar.add_platform("p")
    other = played.beside(platform="p")
    played.sugar.block_ip()
    played.refresh_now()
    since = HostWait.objects.get().down_since
    kept_back = Answer(endpoint=Endpoint.API, fault=Fault.RATE_LIMITED, is_sent=False, retry_after=6)
    monkeypatch.setattr(wire.SugarClient, "ping", lambda *_args, **_options: kept_back)
    actions.repair(other.public_id, ANA)
    assert HostWait.objects.get().down_since == since, played.trail()


def test_what_one_look_found_out_about_a_host_the_others_need_not(scene: Open) -> None:
    """Nothing is due but looks at the warm: a dead host would cost each of them a time-out, every few minutes."""
    played = scene("13.3")
    others = five_beside(played)
    played.sugar.block_ip()
    is_asked_by_one_for_ten_minutes(played)
    played.sugar.unblock_ip()
    played.run(timedelta(seconds=70))
    assert {kept.row.status for kept in (*others, played.kept)} == {"healthy"}
