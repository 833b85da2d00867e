"""Background refresh of many due connections, against a bare script that sends the same three requests."""

from __future__ import annotations

import dataclasses
import ssl
import statistics
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
from django.conf import settings

from bench import site
from connections.custody import checkpoints, rounds, wire
from connections.models import Connection, database_now
from connections.simulator.control import Control

THREADS = 32


def measure(control: Control, *, size: int, latency: float) -> dict[str, float]:
    sugar, _ = site.fleet(control, "fleet", size)
    sugar.chaos("slow_before", seconds=latency)
    ours, settle = run_due(control, "fleet", size)
    bare = _bare(control, sugar.url, size)
    return {
        "connections": size,
        "ours_seconds": round(ours, 1),
        "bare_seconds": round(bare, 1),
        "ratio": round(ours / bare, 2),
        **percentiles("answer_to_commit", settle),
    }


def percentiles(name: str, milliseconds: list[float]) -> dict[str, float]:
    return {
        f"{name}_p50_ms": round(statistics.median(milliseconds), 1),
        f"{name}_p99_ms": round(sorted(milliseconds)[int(len(milliseconds) * 0.99)], 1),
    }


def run_due(control: Control, name: str, size: int, *, at_once: int = THREADS) -> tuple[float, list[float]]:
    """Seconds it took the background to renew all whose label begins so, and for each the milliseconds from the last
    byte of Sugar's answer to our commit."""
    settings.SUGARADMIN = dataclasses.replace(settings.SUGARADMIN, pool_threads=at_once)
    now = database_now()
    fleet = Connection.objects.filter(label__startswith=name)
    before = Counter(fleet.values_list("version_count", flat=True))
    Connection.objects.update(due_at=None)
    fleet.update(next_refresh_at=now, due_at=now)
    wire.forget_preflights()
    control.clear_log()
    settle: list[float] = []
    answered = threading.local()

    def watch(point: checkpoints.Point, _: str) -> None:
        if point == checkpoints.Point.ANSWERED:
            answered.at = time.perf_counter()
        elif point == checkpoints.Point.SETTLED:
            settle.append((time.perf_counter() - answered.at) * 1000)

    checkpoints.watcher = watch
    began = time.perf_counter()
    done = 0
    while done < size:
        done += rounds.tend_due()
    took = time.perf_counter() - began
    checkpoints.watcher = None
    assert control.count(endpoint="token", grant="refresh") == size
    assert Counter(fleet.values_list("version_count", flat=True)) == {n + 1: of for n, of in before.items()}
    return took, settle


def _bare(control: Control, url: str, size: int) -> float:
    """The same three requests, a client each as ours does, nothing kept."""
    context = ssl.create_default_context()  # one for all, as ours has: making one costs 50 ms
    with ThreadPoolExecutor(THREADS) as pool:
        tokens = list(pool.map(lambda number: _sign_in(url, context, number), range(size)))

    def one(item: tuple[int, str]) -> None:
        number, refresh_token = item
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": "sugar",
            "client_secret": "",
            "platform": f"b{number}",
        }
        with httpx.Client(trust_env=False, verify=context) as client:
            client.get(f"{url}/rest/v10/ping/whattimeisit?platform=b{number}")
        with httpx.Client(trust_env=False, verify=context) as client:
            answer = client.post(f"{url}/rest/v10/oauth2/token", data=form)
            access = answer.json()["access_token"]
        with httpx.Client(trust_env=False, verify=context) as client:
            assert client.get(f"{url}/rest/v10/ping", headers={"OAuth-Token": access}).status_code == 200

    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, enumerate(tokens)))
    return time.perf_counter() - began


def _sign_in(url: str, context: ssl.SSLContext, number: int) -> str:
    form = {
        "grant_type": "password",
        "username": "svc",
        "password": "secret",
        "client_id": "sugar",
        "client_secret": "",
        "platform": f"b{number}",
    }
    with httpx.Client(trust_env=False, verify=context, timeout=30) as client:
        return str(client.post(f"{url}/rest/v10/oauth2/token", data=form).json()["refresh_token"])
