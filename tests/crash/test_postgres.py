"""PostgreSQL ends our sessions in the middle of a grant, or lets nobody in while an answer waits to be stored."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from connections.custody.checkpoints import Point
from connections.simulator import SimulatorServer
from tests.concurrency.figures import show
from tests.crash.matrix import ON_THE_WAY
from tests.crash.site import Site, database, new_instance, site

LONGEST = 30.0
AWAY = 12.0  # seconds: longer than settle tries again


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer() as running:
        yield running


def test_sessions_ended_at_any_point_cost_no_chain(
    tmp_path: Path, postgres_url: str, simulator: SimulatorServer
) -> None:
    """The process lives, and so does the answer it holds."""
    with database("postgres", tmp_path, postgres_url) as url, site(tmp_path, url) as running:
        users = [f"u{place}" for place in range(len(ON_THE_WAY))]
        _, address = new_instance(simulator, "13.3", users)
        ids = running.keeper.ask("connect", url=address, users=users, has_password=True)
        ended_at = {
            ids[user]: end_sessions(running, postgres_url, ids[user], point)
            for user, point in zip(users, ON_THE_WAY, strict=True)
        }
        stories = running.keeper.ask("sweep", killed_at=ended_at, most=LONGEST)
    for user, point in zip(users, ON_THE_WAY, strict=True):
        story = stories[ids[user]]
        assert story["status"] == "healthy", (point, story)
        assert story["sign_ins"] == 1, (point, story)
        assert story["version"] == 2, (point, story)
    slowest = max(one["seconds"] for one in stories.values())
    show(f"sessions ended at {len(users)} points: slowest recovery {slowest:.1f} s")


def end_sessions(running: Site, postgres_url: str, public_id: str, point: Point) -> float:
    running.keeper.ask("make_due", public_id=public_id)
    running.victims.ask("run", public_id=public_id, deed="tend", point=point, admin_url=postgres_url)
    assert running.victims.hear()["code"] in (0, 4), point
    return time.time()


def test_an_answer_waits_on_disk_until_the_database_lets_us_in(
    tmp_path: Path, postgres_url: str, simulator: SimulatorServer
) -> None:
    with database("postgres", tmp_path, postgres_url) as url, site(tmp_path, url) as running:
        name = urlsplit(url).path.lstrip("/")
        sugar, address = new_instance(simulator, "13.3", ["u1"])
        public_id = running.keeper.ask("connect", url=address, users=["u1"], has_password=True)["u1"]
        running.keeper.ask("make_due", public_id=public_id)
        simulator.control.clear_log()
        sugar.hold("respond")
        running.victims.ask("run", public_id=public_id, deed="tend", point="never")
        sugar.wait_standing()
        let_in(postgres_url, name, False)
        began = time.monotonic()
        sugar.release()
        spooled = wait_for_file(running.data_dir / "spool")
        took = time.monotonic() - began
        time.sleep(max(0.0, AWAY - took))
        let_in(postgres_url, name, True)
        assert running.victims.hear()["code"] == 0
        assert not spooled.exists()
        story = running.keeper.ask("sweep", killed_at={public_id: time.time()}, most=LONGEST)[public_id]
    assert (story["status"], story["version"], story["sign_ins"]) == ("healthy", 2, 1)
    assert simulator.control.count(instance=sugar.name, endpoint="token") == 1
    assert took < 15, "ten seconds for the pool, four for more tries"
    show(f"an answer was on disk {took:.1f} s after it came, and stored when the database was back")


def let_in(postgres_url: str, name: str, anybody: bool) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {anybody}")  # type: ignore[arg-type]
        if not anybody:
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


def wait_for_file(folder: Path) -> Path:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        found = list(folder.glob("*.json"))
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError("nothing was spooled")
