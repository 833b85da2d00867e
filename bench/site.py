"""A database, a simulator and connections for one measurement; everything is taken down at its end."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection

from connections.simulator.control import Control, InstanceControl
from tests import postgres

ROOT = Path(__file__).resolve().parent.parent


def prepare() -> None:
    """Must run before Django is set up: a fresh data directory, PostgreSQL from its wheel, pacing off."""
    folder = tempfile.mkdtemp(prefix="sugaradmin-bench-")
    os.environ |= {
        "SUGARADMIN_ENV": "development",
        "SUGARADMIN_DATA_DIR": folder,
        "SUGARADMIN_ALLOW_HTTP": "yes",
        "SUGARADMIN_INSTANCE_RATE": "0",
        "SUGARADMIN_LOG_LEVEL": "warning",
        "SUGARADMIN_KEY_RATE": "1000000",
        "SUGARADMIN_DATABASE_POOL": "34",
        "DATABASE_URL": postgres.start(),
        "DJANGO_SETTINGS_MODULE": "bench.settings",
    }


def set_up() -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)


def cores() -> int:
    return len(os.sched_getaffinity(0))


def database_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0])


@contextmanager
def simulator() -> Iterator[Control]:
    """In a process of its own, as Sugar would be."""
    command = [sys.executable, "-m", "connections.simulator", "--port", "0"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdout is not None
    try:
        yield Control(child.stdout.readline().split()[-1], timeout=30)
    finally:
        child.terminate()
        child.wait(10)


def fleet(control: Control, name: str, size: int, *, threads: int = 16) -> tuple[InstanceControl, list[str]]:
    """`size` signed-in connections, each on a platform of its own: no pre-flight of one serves another."""
    from connections.custody import actions  # models load only once Django is set up
    from connections.custody.audit import Actor
    from connections.onboarding import registry

    actor = Actor(kind="command", name="bench")
    sugar = control.add_instance(name, "13.3", strict_platforms=False, cleanup_probability=0)

    def one(number: int) -> str:
        sugar.user(f"u{number}", "secret")
        fields = {
            "label": f"{name} {number}",
            "instance_url": sugar.url,
            "platform": f"p{number}",
            "username": f"u{number}",
            "password": "secret",
        }
        row = registry.create("bench", fields, actor)
        report = actions.sign_in(row.public_id, actor)
        connection.close()
        assert report.outcome == "done", report
        return row.public_id

    one_id = one(0)
    with ThreadPoolExecutor(threads) as pool:
        return sugar, [one_id, *pool.map(one, range(1, size))]
