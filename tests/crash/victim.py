"""Forks a process for every kill. Each does what production does, and kills itself at one point."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial

import django

django.setup()

import psycopg  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import DatabaseError  # noqa: E402

from connections.custody import actions, checkpoints, handout, rounds, spool  # noqa: E402
from connections.custody.audit import Actor  # noqa: E402
from connections.models import Connection  # noqa: E402
from tests.crash.dialogue import answer, say  # noqa: E402

BEHIND = 5.0  # seconds: more than a refresh takes
DATABASE_LOST = 4
ANA = Actor(kind="staff", name="ana")


def tend(public_id: str) -> None:
    rounds.tend(Connection.objects.values_list("pk", flat=True).get(public_id=public_id))


def hand_out(public_id: str) -> None:
    """A web hand-out inside the lead: the caller gets the old token at once, the refresh goes on behind it."""
    handout.token(public_id, tenants=None, actor="worker")
    time.sleep(BEHIND)


def rotate(public_id: str) -> None:
    actions.rotate(public_id, ANA)


DEEDS: dict[str, Callable[[str], None]] = {"tend": tend, "hand_out": hand_out, "rotate": rotate}


def run(public_id: str, deed: str, point: str, nth: int = 1, admin_url: str = "") -> dict[str, object]:
    """One process; says its pid at once, and how it ended. An empty `point`: whoever started us kills it.

    With `admin_url` it is not the process that dies at the point, but every session of its database.
    """
    pid = os.fork()
    if pid == 0:
        _at(point, nth, partial(_end_sessions, admin_url) if admin_url else _die)
        try:
            DEEDS[deed](public_id)
            _wait_for_the_spool()
        except Exception as error:
            if not isinstance(error, DatabaseError):
                logging.getLogger("victim").exception("It ended in an error of ours.")
            os._exit(DATABASE_LOST if isinstance(error, DatabaseError) else 3)
        os._exit(0)
    say({"pid": pid})
    _, status = os.waitpid(pid, 0)
    is_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return {"is_killed": is_killed, "code": os.waitstatus_to_exitcode(status)}


def _wait_for_the_spool() -> None:
    """A process that spooled an answer lives on and replays it as soon as the database is back."""
    until = time.monotonic() + 60
    while spool.files() and time.monotonic() < until:
        time.sleep(0.05)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _end_sessions(admin_url: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as server:
        name = settings.DATABASES["default"]["NAME"]
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


def _at(point: str, nth: int, blow: Callable[[], None]) -> None:
    left = [nth]

    def watch(reached: checkpoints.Point, subject: str) -> None:
        if reached == point:
            left[0] -= 1
            if left[0] == 0:
                blow()

    checkpoints.watcher = watch


if __name__ == "__main__":
    sys.setrecursionlimit(5000)
    answer({"run": run})
