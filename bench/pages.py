"""Server time, queries and bytes of the pages at ten thousand connections, beside a view that only reads."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import urls
from connections.choices import Role
from connections.custody import audit
from connections.custody.audit import Actor
from connections.demo import seeding
from connections.models import Connection, Staff, database_now
from tests.dashboard.scale import pages

RUNS = 4
TIMES = 25  # in one run
AUDIT_ROWS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one page. Milliseconds of the quietest run, `kilobytes` as they are sent; `bare_p95`: only the rows read."""

    p50: float
    p95: float
    bare_p95: float
    queries: int
    kilobytes: float

    def __str__(self) -> str:
        ratio = self.p95 / self.bare_p95
        return (
            f"p50 {self.p50:.0f} ms, p95 {self.p95:.0f} ms, {ratio:.1f} × bare ({self.bare_p95:.0f} ms), "
            f"{self.queries} queries, {self.kilobytes:.0f} kB"
        )


def measure(*, size: int) -> str:
    """Writes `size` connections with their past, and walks the pages."""
    print("written:", seeding.seed(size, Actor(kind="command", name="bench")), flush=True)
    _write_audit()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as PostgreSQL would have done by itself by then
    return "".join(f"\n  {name}: {cost}" for name, cost in costs())


def costs() -> Iterator[tuple[str, Cost]]:
    gc.collect()
    gc.freeze()  # as the web server does when it has loaded; here the seeding has left much more behind
    user = User.objects.create_user("bench")
    Staff.objects.create(user=user, role=Role.ADMIN)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    for name, path in pages():
        yield name, _cost(client, path)


def _cost(client: Client, path: str) -> Cost:
    client.get(path)
    asked, response = min((_asked(client, path) for _ in range(3)), key=lambda found: len(found[0]))
    urls.STATEMENTS[:] = asked
    ours: list[list[float]] = [[] for _ in range(RUNS)]
    bare: list[list[float]] = [[] for _ in range(RUNS)]
    for run in range(RUNS):
        for _ in range(TIMES):
            ours[run].append(_timed(client, path))
            bare[run].append(_timed(client, "/bare/"))
    return Cost(
        p50=min(map(statistics.median, ours)),
        p95=min(map(_p95, ours)),
        bare_p95=min(map(_p95, bare)),
        queries=len(asked),
        kilobytes=len(response.content) / 1000,
    )


def _asked(client: Client, path: str) -> tuple[list[str], HttpResponse]:
    """Once in five seconds a process looks at the installation itself: of some requests the least is the page's own."""
    with CaptureQueriesContext(connection) as spent:
        response = client.get(path)
    assert response.status_code == 200, (path, response.status_code)
    return [str(query["sql"]) for query in spent.captured_queries], response


def _timed(client: Client, path: str) -> float:
    began = time.perf_counter()
    client.get(path)
    return (time.perf_counter() - began) * 1000


def _p95(found: list[float]) -> float:
    return statistics.quantiles(found, n=20)[-1]


def _write_audit() -> None:
    """As many rows as staff who work on such a fleet leave in some months."""
    now, actor = database_now(), Actor(kind="staff", name="bench", address="192.0.2.7")
    with transaction.atomic():
        for row in Connection.objects.select_related("tenant")[:AUDIT_ROWS]:
            audit.record_on(row, actor, "pause", at=now, difference={"version": row.version_count})
