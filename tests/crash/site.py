"""A database, a data directory, the keeper and the victims' parent, with every wait scaled down by settings."""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from connections.simulator import SimulatorServer
from connections.simulator.control import InstanceControl
from tests.crash.dialogue import Partner
from tests.serving.site import migrated

DEADLINE, SERVER, SEND_BY = 1.0, 0.5, 1.0  # seconds; as shipped: 25, 30 and 15
DRAIN = DEADLINE + SERVER
SCALED = {
    "SUGARADMIN_GRANT_DEADLINE_SECONDS": str(DEADLINE),
    "SUGARADMIN_SERVER_SECONDS": str(SERVER),
    "SUGARADMIN_SEND_BY_SECONDS": str(SEND_BY),
    "SUGARADMIN_PREFLIGHT_SECONDS": "1",
    "SUGARADMIN_SESSION_CHECK_SECONDS": "2",
    "SUGARADMIN_RETRY_SECONDS": "0.3",
    "SUGARADMIN_LOOK_SECONDS": "20",
    "SUGARADMIN_HOST_PROBE_SECONDS": "0.5",
    "SUGARADMIN_TICK_SECONDS": "0.1",
    "SUGARADMIN_INSTANCE_RATE": "0",
    "SUGARADMIN_POOL_THREADS": "6",
    "SUGARADMIN_ALLOW_HTTP": "yes",
    "SUGARADMIN_LOG_LEVEL": "error",
}
_numbers = itertools.count(1)


@dataclass
class Site:
    keeper: Partner
    victims: Partner
    data_dir: Path

    def kill(self, public_id: str, deed: str, point: str, *, nth: int = 1) -> float:
        """Returns when it died; fails when it never came to that point."""
        self.victims.ask("run", public_id=public_id, deed=deed, point=point, nth=nth)
        assert self.victims.hear()["is_killed"], f"{deed} never came to {point}"
        return time.time()

    def kill_in_flight(self, public_id: str, deed: str, sugar: InstanceControl, step: str) -> float:
        """Dies while Sugar stands before `step`; Sugar then finishes what it began."""
        sugar.hold(step)
        pid = self.victims.ask("run", public_id=public_id, deed=deed, point="")["pid"]
        sugar.wait_standing()
        os.kill(pid, 9)
        died_at = time.time()
        assert self.victims.hear()["is_killed"]
        sugar.release()
        return died_at


@contextmanager
def site(tmp_path: Path, database_url: str, **variables: str) -> Iterator[Site]:
    environment = _environment(tmp_path / "data", database_url) | variables
    keeper = Partner("tests.crash.keeper", environment)
    try:
        assert keeper.ask("prepare") == "ready"
        victims = Partner("tests.crash.victim", environment)
        try:
            yield Site(keeper, victims, tmp_path / "data")
        finally:
            victims.end()
    finally:
        keeper.end()


def _environment(data_dir: Path, database_url: str) -> dict[str, str]:
    data_dir.mkdir(mode=0o700, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUGARADMIN_", "DATABASE_"))}
    return kept | SCALED | {
        "DJANGO_SETTINGS_MODULE": "sugaradmin.settings",
        "DATABASE_URL": database_url,
        "SUGARADMIN_ENV": "development",
        "SUGARADMIN_DATA_DIR": str(data_dir),
    }  # fmt: skip


@contextmanager
def database(kind: str, tmp_path: Path, postgres_url: str) -> Iterator[str]:
    """The address of a fresh database of this kind."""
    if kind == "sqlite":
        file = shutil.copy(migrated(), tmp_path / "crash.sqlite3")
        yield f"sqlite:///{file}"
        return
    name = f"crash_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    try:
        yield urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
    finally:
        with suppress(psycopg.Error), psycopg.connect(postgres_url, autocommit=True) as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


def new_instance(simulator: SimulatorServer, preset: str, users: list[str]) -> tuple[InstanceControl, str]:
    name = f"k{next(_numbers)}"
    sugar = simulator.control.add_instance(name, preset, cleanup_probability=0)
    for user in users:
        sugar.user(user, "secret")
    return sugar, simulator.instance_url(name)
