"""Token hand-out against a bare view that reads and decrypts one row; and a thousand workers at once."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from bench import load, site
from connections.simulator.control import Control, InstanceControl

SECONDS = 6.0
CONNECTIONS = 32
ROUNDS = 3


@contextmanager
def web() -> Iterator[int]:
    """The product's own web server on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "manage.py", "serve", "--only", "web", "--no-migrate", "--port", str(port)]
    child = subprocess.Popen(command, cwd=site.ROOT, env=dict(os.environ), stdout=subprocess.DEVNULL)
    try:
        _await(port)
        yield port
    finally:
        child.terminate()
        child.wait(60)


def _await(port: int) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the web server did not start")


def key() -> str:
    command = [sys.executable, "manage.py", "create_api_key", "--name", "bench", "--scope", "token:read", "--json"]
    done = subprocess.run(command, cwd=site.ROOT, env=dict(os.environ), check=True, capture_output=True, text=True)
    return str(json.loads(done.stdout)["key"])


def request(path: str, secret: str, body: dict[str, object] | None = None) -> bytes:
    content = json.dumps(body).encode() if body is not None else b""
    head = [
        f"{'POST' if content else 'GET'} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {secret}",
        *([f"Content-Type: application/json\r\nContent-Length: {len(content)}"] if content else []),
    ]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + content


def measure_handout(control: Control) -> dict[str, float]:
    """Alternating runs of both, so that a busy moment of the machine meets both."""
    _, ids = site.fleet(control, "handout", 20, threads=4)
    secret = key()
    ours, bare = [], []
    with web() as port:
        for _ in range(ROUNDS):
            paths = [request(f"/api/v1/connections/{one}/token", secret) for one in ids]
            ours.append(load.run(port, paths, connections=CONNECTIONS, seconds=SECONDS))
            paths = [request(f"/api/v1/bare/{one}", secret) for one in ids]
            bare.append(load.run(port, paths, connections=CONNECTIONS, seconds=SECONDS))
    assert all(set(tally.statuses) == {200} for tally in ours + bare), [tally.statuses for tally in ours + bare]
    best = max(tally.per_second for tally in ours)
    floor = max(tally.per_second for tally in bare)
    return {
        "ours_per_second": round(best),
        "bare_per_second": round(floor),
        "ratio": round(best / floor, 2),
        "ours_p50_ms": round(ours[-1].percentile(0.5), 1),
        "ours_p99_ms": round(ours[-1].percentile(0.99), 1),
    }


def measure_storm(control: Control, *, workers: int, latency: float) -> dict[str, float]:
    """Workers that all report the same dead version at the same moment."""
    sugar, ids = site.fleet(control, "storm", 1)
    secret = key()
    sugar.flush_sessions()
    sugar.chaos("slow_before", seconds=latency)
    control.clear_log()
    body = {"version": 1, "status": 401, "error": "invalid_grant"}
    path = f"/api/v1/connections/{ids[0]}/token/rejected?wait=30"
    with web() as port:
        tally = load.once(port, [request(path, secret, body)] * workers)
    return {
        "workers": workers,
        "seconds": round(tally.seconds, 2),
        "answered_200": tally.statuses.get(200, 0),
        "grants": control.count(instance=sugar.name, endpoint="token"),
        "pings_with_the_reported_token": _pings(control, sugar),
        "server_latency_seconds": latency,
    }


def _pings(control: Control, sugar: InstanceControl) -> int:
    log = control.log(instance=sugar.name)
    return sum(1 for one in log if one.get("path", "").endswith("/ping") and one.get("status") == 401)
