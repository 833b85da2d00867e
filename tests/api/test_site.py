"""What only real web processes show: one rate for all of them, bodies in chunks, answers a proxy can keep apart."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.serving.site import ROOT, RunningSite, environment, start

RATE = 2


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    data_dir = tmp_path_factory.mktemp("site") / "data"
    running = start(data_dir, "--only", "web", SUGARADMIN_KEY_RATE=str(RATE), SUGARADMIN_WEB_PROCESSES="3")
    try:
        running.url()
        yield running
    finally:
        running.end()


@pytest.fixture
def key(site: RunningSite) -> str:
    data_dir = site.log.parent / "data"
    command = ["create_api_key", "--name", "w", "--scope", "connections:read", "connections:write", "--json"]
    made = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *command], env=environment(data_dir), capture_output=True, check=True
    )
    return str(json.loads(made.stdout)["key"])


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_all_web_processes_count_one_rate(site: RunningSite, key: str) -> None:
    url = f"{site.url()}/api/v1/connections"

    def ask(_: int) -> int:
        return httpx.get(url, headers=headers(key), trust_env=False, timeout=20).status_code

    began = time.monotonic()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(ask, range(90)))
    spent = time.monotonic() - began
    assert set(answers) == {200, 429}
    assert 10 * RATE <= answers.count(200) <= 10 * RATE + RATE * spent + 1


def chunks(total: int) -> Iterator[bytes]:
    for _ in range(total // 65_536):
        yield b" " * 65_536


def test_a_body_in_chunks_is_read_and_limited(site: RunningSite, key: str) -> None:
    url = f"{site.url()}/api/v1/connections"
    with httpx.Client(headers=headers(key), trust_env=False, timeout=20) as client:
        read = client.post(url, content=iter([b'{"nonsense": ', b"7}"]))
        assert read.status_code == 422
        assert "nonsense" in read.json()["errors"]
        over = client.post(url, content=chunks(2 * 1_048_576))
        assert over.status_code == 413
        assert over.json()["code"] == "too_large"
        assert client.get(url).status_code == 200


def test_head_sends_no_body_that_would_be_taken_for_the_next_answer(site: RunningSite, key: str) -> None:
    with httpx.Client(headers=headers(key), trust_env=False, timeout=20) as client:
        for _ in range(2):
            head = client.head(f"{site.url()}/api/v1/connections")
            assert head.status_code == 200
            assert int(head.headers["Content-Length"]) > 0
            assert client.get(f"{site.url()}/api/v1/connections").json() == {"items": [], "next": None}


def test_a_lie_about_the_length_is_no_error_of_ours(site: RunningSite, key: str) -> None:
    host, port = site.url().removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as raw:
        raw.sendall(
            b"POST /api/v1/connections HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n"
            b"Authorization: Bearer " + key.encode() + b"\r\n\r\n{}"
        )
        assert raw.recv(200).startswith(b"HTTP/1.1 413")
