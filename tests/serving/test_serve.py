"""`serve` with real processes: it starts, stops, mends itself, and leaves nobody behind."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
import pytest

from sugaradmin.keys import new_encryption_keys, new_instance_id
from tests.serving.site import ROOT, RunningSite, environment, gone, start, tell_group, until

Start = Callable[..., RunningSite]
QUEUE_PROCESSES = 7
"""The cluster, its sentinel, four workers, monitor and pusher."""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Start]:
    running: list[RunningSite] = []

    def begin(*arguments: str, is_empty: bool = False, **variables: str) -> RunningSite:
        running.append(start(tmp_path / f"site{len(running)}", *arguments, is_empty=is_empty, **variables))
        return running[-1]

    yield begin
    for site in running:
        site.end()


def whole_queue(site: RunningSite) -> list[psutil.Process]:
    """The queue part with all it forked, once it is complete."""

    def complete() -> list[psutil.Process] | None:
        try:
            parent = site.part("queue")
            family = [parent, *parent.children(recursive=True)] if parent else []
        except psutil.NoSuchProcess:  # ended while we looked
            return None
        return family if len(family) > QUEUE_PROCESSES else None

    found: list[psutil.Process] = until(complete)
    return found


def manage(*arguments: str, data_dir: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        capture_output=True, text=True, check=False, timeout=60, env=environment(data_dir, **variables),
    )  # fmt: skip


@pytest.mark.parametrize("tell", ["pid", "group"])
def test_it_answers_and_stops_cleanly_when_told(serve: Start, tell: str) -> None:
    site = serve(is_empty=tell == "pid")
    assert site.get("/healthz").text == "ok\n"
    whole_queue(site)
    family = site.family()
    site.process.terminate() if tell == "pid" else tell_group(site, signal.SIGTERM)
    assert site.code(seconds=30) == 0
    assert gone(family, seconds=1)
    assert "did not stop in time" not in site.text


def test_ctrl_c_at_a_terminal_stops_it_cleanly(serve: Start) -> None:
    site = serve("--only", "web")
    site.url()
    tell_group(site, signal.SIGINT)
    assert site.code(seconds=30) == 0


def test_nothing_survives_a_kill_of_the_parent(serve: Start) -> None:
    site = serve()
    site.url()
    whole_queue(site)
    family = site.family()
    assert len(family) > QUEUE_PROCESSES + 2
    site.process.kill()
    assert gone(family, seconds=5)


def cluster(family: list[psutil.Process]) -> list[psutil.Process]:
    return family[:1]


def sentinel(family: list[psutil.Process]) -> list[psutil.Process]:
    return family[1:2]


def idle_workers(family: list[psutil.Process]) -> list[psutil.Process]:
    return _in_order(family)[:4]


def monitor(family: list[psutil.Process]) -> list[psutil.Process]:
    return _in_order(family)[4:5]


def pusher(family: list[psutil.Process]) -> list[psutil.Process]:
    return _in_order(family)[5:6]


def _in_order(family: list[psutil.Process]) -> list[psutil.Process]:
    """What the sentinel has begun, the first first."""
    return sorted(family[1].children(), key=lambda one: one.pid)


def test_whatever_of_the_queue_is_killed_it_is_started_again_and_works_on(serve: Start, tmp_path: Path) -> None:
    site = serve("--only", "worker")
    family = whole_queue(site)
    for deaths, victims in enumerate([cluster, sentinel, idle_workers, monitor, pusher], start=1):
        for one in victims(family):
            one.kill()
        until(lambda deaths=deaths: site.text.count("The queue process ended") == deaths)
        assert gone(family), victims.__name__
        family = whole_queue(site)
    # What the dead had taken out comes back only after `retry`.
    left = waiting(tmp_path / "site0")
    enqueue(tmp_path / "site0", count=10)
    until(lambda: waiting(tmp_path / "site0") <= left, seconds=15)


def enqueue(data_dir: Path, *, count: int) -> None:
    script = (
        "import django; django.setup(); from django_q.tasks import async_task\n"
        f"for _ in range({count}): async_task('time.time')"
    )
    subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True,
        env=environment(data_dir, DJANGO_SETTINGS_MODULE="sugaradmin.settings"),
    )  # fmt: skip


def waiting(data_dir: Path) -> int:
    """Tasks that were enqueued and not acknowledged."""
    with closing(sqlite3.connect(data_dir / "sugaradmin.sqlite3")) as database:
        return int(database.execute("SELECT count(*) FROM django_q_ormq").fetchone()[0])


def test_while_the_web_restarts_visitors_wait_instead_of_being_refused(serve: Start) -> None:
    site = serve("--only", "web")
    site.url()
    web = site.part("web")
    assert web is not None
    web.kill()
    until(lambda: "The web process ended (signal 9)" in site.text)
    assert site.get("/healthz").text == "ok\n"


def test_a_visitor_in_the_middle_of_a_request_is_served_before_it_stops(serve: Start) -> None:
    site = serve("--only", "web")
    host, port = site.url().removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as visitor:
        visitor.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        site.process.terminate()
        until(lambda: "Stopping" in site.text)
        visitor.sendall(b"Connection: close\r\n\r\n")
        assert visitor.recv(4096).startswith(b"HTTP/1.1 200")
    assert site.code(seconds=40) == 0


def test_each_half_starts_alone(serve: Start) -> None:
    web, worker = serve("--only", "web"), serve("--only", "worker")
    web.url()
    assert web.part("queue") is None
    assert web.part("ticker") is None
    whole_queue(worker)
    assert worker.part("web") is None
    assert "background worker" in worker.text


def test_a_second_start_on_the_same_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = manage("serve", "--port", port, data_dir=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in ended.stderr


def test_a_database_that_is_away_is_one_clear_line_without_its_password(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ended = manage("serve", "--port", "0", data_dir=tmp_path, DATABASE_URL=f"postgresql://u:canary@127.0.0.1:{port}/x")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "The database does not serve" in ended.stderr
    assert "canary" not in ended.stderr


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SUGARADMIN_KEY_RATE": "many"}, "SUGARADMIN_KEY_RATE='many' is not a whole number"),
        ({"SUGARADMIN_KEYRATE": "5"}, "did you mean SUGARADMIN_KEY_RATE?"),
        ({"SUGARADMIN_ENV": "production"}, "SUGARADMIN_SECRET_KEY is not set"),
        ({"SUGARADMIN_ENV": "staging"}, "SUGARADMIN_ENV='staging' is not one of"),
    ],
)
def test_a_bad_setting_stops_the_start_with_one_line(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    ended = manage("serve", data_dir=tmp_path, **variables)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert sentence in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_two_nodes_that_start_together_migrate_once_and_both_serve(serve: Start, postgres_url: str) -> None:
    name = f"nodes_{os.getpid()}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]  # a name of ours
    url = postgres_url.replace("/postgres?", f"/{name}?")
    keys = {"SUGARADMIN_ENCRYPTION_KEYS": new_encryption_keys(), "SUGARADMIN_INSTANCE_ID": new_instance_id()}
    nodes = [serve("--only", "web", DATABASE_URL=url, **keys) for _ in range(2)]
    assert {node.get("/readyz").status_code for node in nodes} == {200}
