"""Real custody against a real (simulated) Sugar server over HTTP, on a real database, with times scaled down."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from connections.custody import actions, checkpoints, guard, rounds, runner, wire
from connections.custody.audit import Actor
from connections.custody.handout import find
from connections.custody.ledger import upkeep
from connections.models import Connection, HostWait
from connections.onboarding import registry
from connections.simulator import SimulatorServer
from connections.simulator.control import InstanceControl
from tests.custody.clock import Clock, movable

ANA = Actor(kind="staff", name="ana")
SCALED = {
    "allow_http": True,
    "grant_deadline": timedelta(seconds=1.5),
    "server_time": timedelta(seconds=0.5),
    "send_by": timedelta(seconds=3),
    "preflight": timedelta(seconds=1),
    "session_check": timedelta(seconds=2),
    "retry": timedelta(seconds=0.3),
    "look": timedelta(seconds=1),
    "host_probe": timedelta(seconds=0.5),
    "tick": timedelta(seconds=0.1),
    "instance_rate": 0.0,
    "pool_threads": 8,
}


@pytest.fixture(scope="session")
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer() as running:
        yield running


@dataclass
class Kept:
    """One connection and the instance on the other side."""

    public_id: str
    sugar: InstanceControl
    simulator: SimulatorServer

    @property
    def row(self) -> Connection:
        return find(self.public_id, None)

    def grants(self, grant: str = "refresh") -> int:
        return self.simulator.control.count(instance=self.sugar.name, endpoint="token", grant=grant)

    def live_row(self) -> dict[str, object] | None:
        rows = [one for one in self.sugar.rows() if one["user"] == "svc" and one["platform"] == "intg"]
        return rows[-1] if rows else None

    def accepts(self, access_token: str) -> bool:
        """Whether Sugar takes this access token, asked as a worker would."""
        url = f"{self.sugar.url}/rest/v10/ping"
        return (
            httpx.get(
                url, headers={"OAuth-Token": access_token, "User-Agent": wire.USER_AGENT}, trust_env=False
            ).status_code
            == 200
        )

    def make_due(self) -> None:
        """As if its refresh were due now."""
        Connection.objects.filter(public_id=self.public_id).update(
            next_refresh_at=self.row.created_at, due_at=self.row.created_at
        )

    def tend(self) -> str:
        """One look of the background at this connection."""
        wire.forget_preflights()
        return rounds.tend(self.row.pk)

    def lapse(self) -> None:
        """As if every wait were over: back-off, due time, host probe."""
        HostWait.objects.all().delete()
        past = self.row.created_at
        Connection.objects.filter(public_id=self.public_id).update(due_at=past)
        Connection.objects.filter(public_id=self.public_id, retry_at__isnull=False).update(retry_at=past)


Connect = Callable[..., Kept]
_names = itertools.count(1)


@pytest.fixture
def connect(simulator: SimulatorServer, transactional_db: None, configured: Callable[..., None]) -> Iterator[Connect]:
    """`connect("13.3")` gives a signed-in connection; keywords go to the instance, `fields` to the connection."""
    configured(**SCALED)
    guard.forget()
    wire.forget_preflights()

    def make(
        preset: str = "13.3",
        *,
        sign_in: bool = True,
        fields: dict[str, object] | None = None,
        keys: Sequence[tuple[str, str]] = (),
        **own: object,
    ) -> Kept:
        name = f"s{next(_names)}"
        sugar = simulator.control.add_instance(name, preset, cleanup_probability=0, **own)
        for c_key, secret in keys:
            sugar.key(c_key, secret)
        values = {
            "label": name,
            "instance_url": simulator.instance_url(name),
            "platform": "intg",
            "username": "svc",
            "password": "secret",
        } | (fields or {})
        row = registry.create("acme", values, ANA)
        kept = Kept(public_id=row.public_id, sugar=sugar, simulator=simulator)
        if sign_in:
            report = actions.sign_in(row.public_id, ANA, password=str(values.get("password")))
            assert report.outcome == "done", report
        return kept

    yield make
    rest()
    HostWait.objects.all().delete()


def rest() -> None:
    """Wait for what web threads still do behind a caller's back."""
    made = runner._made
    while made is not None and made.running:
        time.sleep(0.01)


@pytest.fixture
def clock(simulator: SimulatorServer, transactional_db: None) -> Iterator[Clock]:
    """A clock that can be moved, for the database and for Sugar alike."""
    with movable(simulator) as moved:
        yield moved


@pytest.fixture
def due() -> Callable[[], int]:
    return upkeep.count_due


class Killed(BaseException):
    """The process ends here: nothing catches it, nothing is written after it."""


@pytest.fixture
def crash(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`crash("answered")`: whoever reaches this point next dies there; the one after him lives."""

    def at(point: str) -> None:
        def watch(reached: checkpoints.Point, subject: str) -> None:
            if reached == point:
                checkpoints.watcher = None
                raise Killed

        monkeypatch.setattr(checkpoints, "watcher", watch if point else None)

    return at
