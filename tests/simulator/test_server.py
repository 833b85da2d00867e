"""The server as a program: start, stop, many connections, plain HTTP manners."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connections.simulator import Control, SimulatorServer
from tests.simulator.wires import grant, raw, send

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sim() -> Iterator[SimulatorServer]:
    with SimulatorServer() as server:
        server.add_instance("acme")
        yield server


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_says_where_it_listens_and_stops_cleanly(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "connections.simulator", "--port", "0", "--instance", "acme=14.0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None and program.stderr is not None
        word, _, url = program.stdout.readline().strip().rpartition(" ")
        assert word == "listening on"
        assert Control(url).instances() == {"acme": f"{url}/i/acme"}
        assert grant(f"{url}/i/acme")[0] == 200
        program.send_signal(number)
        assert program.wait(5) == 0
        assert program.stderr.read() == ""


def test_bad_arguments_end_with_one_line() -> None:
    command = [sys.executable, "-m", "connections.simulator", "--instance", "acme=99"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("unknown preset '99'")


def test_a_connection_is_kept_for_many_requests(sim: SimulatorServer) -> None:
    parts = urlsplit(sim.instance_url("acme"))
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    connection.connect()
    first = connection.sock
    for _ in range(20):
        connection.request("GET", f"{parts.path}/rest/v10/ping")
        assert connection.getresponse().read()
    assert connection.sock is first
    connection.close()


def test_chunked_bodies_and_expect_are_understood(sim: SimulatorServer) -> None:
    body = json.dumps({"grant_type": "password", "client_id": "sugar", "username": "svc", "password": "secret"})
    head = "POST /i/acme/rest/v10/oauth2/token?platform=intg HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n{body}\r\n0\r\n\r\n"
    assert raw(sim.url, chunked).startswith(b"HTTP/1.1 200 OK")
    expecting = f"{head}Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    assert raw(sim.url, expecting).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


@pytest.mark.parametrize("text", ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "A" * 70_000])
def test_what_is_no_http_is_hung_up_on(sim: SimulatorServer, text: str) -> None:
    try:
        assert raw(sim.url, text) == b""
    except ConnectionResetError:
        pass  # hung up before everything was read
    assert send(sim.url, "GET", "/i/acme/rest/v10/ping")[0] == 401


def test_the_date_header_is_the_servers_own_clock(sim: SimulatorServer) -> None:
    sim.run(lambda: sim.world["acme"].configure(skew=-86400 * 365))
    head = raw(sim.url, "GET /i/acme/rest/v10/ping HTTP/1.1\r\nConnection: close\r\n\r\n").decode()
    year = time.gmtime(time.time() - 86400 * 365).tm_year
    assert f" {year} " in next(line for line in head.splitlines() if line.startswith("Date:"))


def test_hundreds_of_slow_connections_delay_nobody(sim: SimulatorServer) -> None:
    sim.run(lambda: sim.world["acme"].chaos.set("slow_before", endpoint="api", path="ping/whattimeisit", seconds=30))
    parts = urlsplit(sim.url)
    slow = [socket.create_connection((parts.hostname, parts.port)) for _ in range(400)]
    for sock in slow:
        sock.sendall(b"GET /i/acme/rest/v10/ping/whattimeisit HTTP/1.1\r\nHost: x\r\n\r\n")
    started = time.monotonic()
    assert grant(sim.instance_url("acme"))[0] == 200
    assert time.monotonic() - started < 1
    for sock in slow:
        sock.close()


def test_what_sugar_began_it_finishes_though_the_client_hangs_up(sim: SimulatorServer) -> None:
    acme = sim.world["acme"]
    sim.control.instance("acme").hold("insert_row")
    with pytest.raises(TimeoutError):
        grant(sim.instance_url("acme"), timeout=0.2)
    assert acme.tables.rows == {}
    sim.control.instance("acme").release()
    deadline = time.monotonic() + 2
    while not acme.tables.rows and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(acme.tables.rows) == 1


def test_two_servers_in_one_process_know_nothing_of_each_other(sim: SimulatorServer) -> None:
    with SimulatorServer() as other:
        assert other.control.instances() == {}
        assert threading.active_count() >= 3
    assert sim.control.instances() != {}


def test_an_unknown_instance_is_not_found(sim: SimulatorServer) -> None:
    assert send(sim.url, "GET", "/i/nobody/rest/v10/ping")[0] == 404
    assert send(sim.url, "GET", "/")[0] == 404
