"""Many workers at once, through the real web server: one ping, one grant, and everybody ends with the new token."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from connections.simulator import SimulatorServer
from connections.simulator.control import InstanceControl
from tests.concurrency.figures import show
from tests.crash import crowd
from tests.crash.site import SCALED, Site, database, new_instance, site
from tests.serving import site as serving

DATABASES = ("sqlite", "postgres")
POSTGRES_FIRST = (pytest.param("sqlite", marks=pytest.mark.campaign), "postgres")
"""Each storm takes a site of its own: on SQLite the greatest in `make test`, all of them in the campaign."""
REPORT: dict[str, object] = {
    "version": 1,
    "status": 401,
    "error": "invalid_grant",
    "error_message": "The access token provided is invalid.",
}
WEB = {"SUGARADMIN_KEY_RATE": "100000", "SUGARADMIN_WEB_THREADS": "16"}
PATIENT = {
    **WEB,
    "SUGARADMIN_GRANT_DEADLINE_SECONDS": "25",
    "SUGARADMIN_SERVER_SECONDS": "30",
    "SUGARADMIN_SEND_BY_SECONDS": "15",
    "SUGARADMIN_PREFLIGHT_SECONDS": "5",
}


@dataclass
class Front:
    """The web server of a site, one instance with one connection, and a key to ask for its token."""

    site: Site
    url: str
    key: str
    sugar: InstanceControl
    public_id: str

    @property
    def path(self) -> str:
        return f"/api/v1/connections/{self.public_id}/token"


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer() as running:
        yield running


@contextmanager
def front(
    kind: str, tmp_path: Path, postgres_url: str, simulator: SimulatorServer, settings: dict[str, str], **own: object
) -> Iterator[Front]:
    with database(kind, tmp_path, postgres_url) as url, site(tmp_path, url, **settings) as running:
        variables = {**SCALED, **settings, "DATABASE_URL": url}
        key = _key(running.data_dir, variables)
        sugar, instance_url = new_instance(simulator, "13.3", ["u1"])
        sugar.configure(**own)
        ids = running.keeper.ask("connect", url=instance_url, users=["u1"], has_password=True)
        web = serving.start(running.data_dir, "--only", "web", "--no-migrate", **variables)
        try:
            yield Front(running, web.url(), key, sugar, ids["u1"])
        finally:
            web.end()


def _key(data_dir: Path, variables: dict[str, str]) -> str:
    command = [sys.executable, "manage.py", "create_api_key", "--name", "storm", "--scope", "token:read", "--json"]
    done = subprocess.run(
        command, cwd=serving.ROOT, env=serving.environment(data_dir, **variables),
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return str(json.loads(done.stdout)["key"])


def grants(front: Front, simulator: SimulatorServer) -> list[str]:
    log = simulator.control.log(instance=front.sugar.name, endpoint="token")
    return [str(entry["grant"]) for entry in log]


def pings_with(front: Front, simulator: SimulatorServer, token: object) -> int:
    log = simulator.control.log(instance=front.sugar.name, endpoint="api")
    return sum(1 for entry in log if entry["access_token"] == token and entry["route"] == "ping")


def report_at_once(front: Front, simulator: SimulatorServer, workers: int) -> None:
    first = crowd.send(front.url, front.key, front.path, 1).answers[0]
    front.sugar.flush_sessions()
    simulator.control.clear_log()
    said = crowd.send(front.url, front.key, f"{front.path}/rejected?wait=30", workers, body=REPORT)
    token = first.body["access_token"]
    show(f"{workers} reports: {said.seconds:.1f} s, {grants(front, simulator)}")
    assert said.statuses == {200}
    assert said.all_of("version") == {2}
    assert len(said.all_of("access_token")) == 1
    assert grants(front, simulator) == ["refresh"]
    assert pings_with(front, simulator, token) == 1


@pytest.mark.parametrize("kind", DATABASES)
def test_a_thousand_reports_are_one_ping_and_one_grant(
    tmp_path: Path, postgres_url: str, simulator: SimulatorServer, kind: str
) -> None:
    with front(kind, tmp_path, postgres_url, simulator, PATIENT) as running:
        report_at_once(running, simulator, 1000)


@pytest.mark.parametrize("kind", POSTGRES_FIRST)
def test_sixty_four_callers_with_an_expired_token_are_one_grant(
    tmp_path: Path, postgres_url: str, simulator: SimulatorServer, kind: str
) -> None:
    with front(kind, tmp_path, postgres_url, simulator, PATIENT, access_token_lifetime=2) as running:
        running.sugar.configure(access_token_lifetime=3600)
        time.sleep(2.1)
        simulator.control.clear_log()
        got = crowd.send(running.url, running.key, f"{running.path}?wait=20", 64, tries=3)
        assert got.statuses == {200}
        assert got.all_of("version") == {2}
        assert grants(running, simulator) == ["refresh"]


def come_again_until_it_is_there(front: Front, simulator: SimulatorServer, seconds: float, wait: int) -> crowd.Crowd:
    front.sugar.configure(access_token_lifetime=3600)
    time.sleep(2.1)
    front.sugar.chaos("slow_before", endpoint="token", seconds=seconds)
    simulator.control.clear_log()
    got = crowd.send(front.url, front.key, f"{front.path}?wait={wait}", 64, tries=60)
    show(f"a {seconds:.1f} s endpoint: {got.seconds:.1f} s, {len(got.refusals)} told to come again")
    assert got.statuses == {200}
    assert got.all_of("version") == {2}
    assert grants(front, simulator) == ["refresh"]
    return got


@pytest.mark.parametrize("kind", POSTGRES_FIRST)
def test_a_slow_token_endpoint_refuses_nobody_for_good(
    tmp_path: Path, postgres_url: str, simulator: SimulatorServer, kind: str
) -> None:
    """As slow for its deadline as 14 s are for 25."""
    settings = {**WEB, "SUGARADMIN_GRANT_DEADLINE_SECONDS": "6"}
    with front(kind, tmp_path, postgres_url, simulator, settings, access_token_lifetime=2) as running:
        got = come_again_until_it_is_there(running, simulator, 3.4, wait=1)
        assert {refusal.status for refusal in got.refusals} <= {503}


@pytest.mark.campaign
@pytest.mark.parametrize("kind", DATABASES)
def test_a_token_endpoint_of_fourteen_seconds(
    tmp_path: Path, postgres_url: str, simulator: SimulatorServer, kind: str
) -> None:
    with front(kind, tmp_path, postgres_url, simulator, PATIENT, access_token_lifetime=2) as running:
        come_again_until_it_is_there(running, simulator, 14.0, wait=10)


@pytest.mark.campaign
def test_four_thousand_reports(tmp_path: Path, postgres_url: str, simulator: SimulatorServer) -> None:
    with front("postgres", tmp_path, postgres_url, simulator, PATIENT) as running:
        report_at_once(running, simulator, 4000)
