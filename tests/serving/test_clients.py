"""Clients who are slow, silent or broken, at a real server: they cost nobody but themselves."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connections.serving import patience
from tests.serving.site import RunningSite, start
from tests.serving.test_serve import manage

THREADS = 8
CLOSES = "Host: localhost\r\nConnection: close\r\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    threads = {"SUGARADMIN_WEB_PROCESSES": "2", "SUGARADMIN_WEB_THREADS": str(THREADS)}
    running = start(tmp_path_factory.mktemp("clients") / "site", "--only", "web", **threads)
    try:
        running.url()
        yield running
    finally:
        running.end()


@pytest.fixture(scope="module")
def key(site: RunningSite) -> str:
    data_dir = Path(site.log).with_suffix("")
    made = manage("create_api_key", "--name", "raw", "--scope", "connections:write", "--json", data_dir=data_dir)
    return str(json.loads(made.stdout)["key"])


def dial(site: RunningSite, request: str) -> socket.socket:
    address = urlsplit(site.url())
    client = socket.create_connection((address.hostname, address.port), timeout=10)
    client.sendall(request.encode())
    return client


def said(client: socket.socket) -> tuple[int, str]:
    with client, client.makefile("rb") as answer:
        head, _, body = answer.read().partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def test_clients_who_do_not_close_keep_nobody_waiting(site: RunningSite) -> None:
    lingering = [dial(site, f"GET /healthz HTTP/1.1\r\n{CLOSES}\r\n") for _ in range(20)]
    began = time.monotonic()
    assert site.get("/healthz").status_code == 200
    assert time.monotonic() - began < 8, "each of them would have held a listener for two seconds"
    assert {said(client)[0] for client in lingering} == {200}


def test_a_process_whose_threads_are_all_busy_leaves_visitors_to_the_other(site: RunningSite, key: str) -> None:
    unfinished = (
        f"POST /api/v1/connections HTTP/1.1\r\n{CLOSES}Authorization: Bearer {key}\r\nContent-Length: 20\r\n\r\n{{"
    )
    holding = [dial(site, unfinished) for _ in range(2 * THREADS - 1)]
    try:
        for _ in range(10):
            began = time.monotonic()
            assert said(dial(site, f"GET /healthz HTTP/1.1\r\n{CLOSES}\r\n"))[0] == 200
            assert time.monotonic() - began < 5, "it waited for a thread, and one was free all the time"
    finally:
        for client in holding:
            client.close()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Transfer-Encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "5\r\n{}\r\n0\r\n\r\n"),
        ("Content-Length: 20", "{}"),
        ("Content-Length: 20", ""),
    ],
    ids=["no chunk", "wrong chunk", "cut short", "nothing came"],
)
def test_a_body_that_does_not_all_come_is_bad_input(site: RunningSite, key: str, headers: str, body: str) -> None:
    """What came may be JSON by itself, and would do something else than was asked."""
    begin = f"POST /api/v1/connections HTTP/1.1\r\n{CLOSES}Authorization: Bearer {key}\r\n{headers}\r\n\r\n{body}"
    client = dial(site, begin)
    client.shutdown(socket.SHUT_WR)
    status, told = said(client)
    assert status == 422
    assert json.loads(told)["errors"] == {"body": ["This broke off, or is not as long as its headers say."]}


def test_a_silent_client_does_not_keep_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "STALLED_SECONDS", 1)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        patience.limit(ours)
        try:
            ours.recv(1)
        except OSError:
            assert patience.is_stalled()
        else:
            pytest.fail("It went on waiting.")
