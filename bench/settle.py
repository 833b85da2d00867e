"""From the last byte of Sugar's answer to our commit, and the same rows written by a bare script."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from psycopg import sql

from bench import refresh, site
from connections.models import Connection
from connections.simulator.control import Control

THREADS = 2
REQUESTS = 3  # a look, the grant, its proof


def measure(control: Control, *, size: int, latency: float) -> dict[str, float]:
    """Ours at the pace of 10,000 connections that are renewed each hour (two threads and servers of some `latency` make
    three refreshes a second), then as fast as both cores can; and the bare script at the first pace."""
    servers = [site.fleet(control, f"settle-{name}", size // 2, threads=4)[0] for name in ("a", "b")]
    for server, share in zip(servers, (0.75, 1.25), strict=True):  # alike, they would answer both threads at once
        server.chaos("slow_before", seconds=latency * share)
    took, ours = refresh.run_due(control, "settle", size, at_once=THREADS)
    for server in servers:
        server.calm()
    _, hurried = refresh.run_due(control, "settle", size, at_once=THREADS)
    bare = _bare(size, pause=latency * REQUESTS)  # last: what it writes no key opens
    return {
        "refreshes": size,
        "per_second": round(size / took, 1),
        **refresh.percentiles("answer_to_commit", ours),
        **refresh.percentiles("bare", bare),
        **refresh.percentiles("hurried", hurried),
    }


def _bare(size: int, *, pause: float) -> list[float]:
    """The rows of a settle read and written by the driver alone, in three messages like ours: no rule, nothing sealed.
    The newest event is read too, to have one to write."""
    keys = list(Connection.objects.filter(label__startswith="settle").values_list("pk", flat=True)[:size])
    mine = threading.local()

    def one(key: int) -> float:
        if not hasattr(mine, "database"):
            mine.database = psycopg.connect(
                os.environ["DATABASE_URL"], autocommit=True, cursor_factory=psycopg.ClientCursor
            )
        time.sleep(pause)
        began = time.perf_counter()
        _settle(mine.database, key)
        return (time.perf_counter() - began) * 1000

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, keys))


_READ = """
    BEGIN;
    SELECT c.*, t.* FROM connections_connection c JOIN connections_tenant t ON c.tenant_id = t.id
        WHERE c.id = %(key)s FOR UPDATE OF c;
    SELECT * FROM connections_attempt WHERE connection_id = %(key)s ORDER BY number DESC LIMIT 1;
    SELECT * FROM connections_tokenversion WHERE connection_id = %(key)s AND state = 'live';
    SELECT * FROM connections_event WHERE connection_id = %(key)s ORDER BY number DESC LIMIT 1
"""
_WRITE = sql.SQL("""
    UPDATE connections_tokenversion SET state = 'superseded', ended_at = clock_timestamp() WHERE id = {version};
    INSERT INTO connections_tokenversion ({version_columns}) VALUES ({version_values}) RETURNING id;
    UPDATE connections_attempt SET closed_at = clock_timestamp(), version = {number} WHERE id = {attempt};
    INSERT INTO connections_event ({event_columns}) VALUES ({event_values}) RETURNING id;
    UPDATE connections_connection SET version_count = {number}, event_count = {event}, due_at = clock_timestamp(),
        next_refresh_at = clock_timestamp(), last_success_at = clock_timestamp(), access_expires_at = clock_timestamp()
        WHERE id = {key}
""")


def _settle(database: psycopg.Connection[Any], key: int) -> None:
    cursor = database.execute(_READ, {"key": key})
    rows = []
    while cursor.nextset():
        names = [column.name for column in cursor.description or ()]
        rows.append(dict(zip(names, cursor.fetchone() or (), strict=True)))
    _, attempt, version, event = rows
    newer = {**version, "number": version["number"] + 1}
    told = {**event, "number": event["number"] + 1}
    for row in (newer, told):
        del row["id"]
    write = _WRITE.format(
        version=version["id"], attempt=attempt["id"], key=key, number=newer["number"], event=told["number"],
        version_columns=_names(newer), version_values=_values(newer),
        event_columns=_names(told), event_values=_values(told),
    )  # fmt: skip
    database.execute(write)
    database.execute("COMMIT")


def _names(row: dict[str, Any]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, row))


def _values(row: dict[str, Any]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Literal, row.values()))
