"""Forks a process for every kill. Each does what production does, and kills itself at one point."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable

import django

django.setup()

from connections.custody import actions, checkpoints, handout, rounds  # noqa: E402
from connections.custody.audit import Actor  # noqa: E402
from connections.models import Connection  # noqa: E402
from tests.crash.dialogue import answer, say  # noqa: E402

BEHIND = 5.0  # seconds: more than a refresh takes
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


def run(public_id: str, deed: str, point: str, nth: int = 1) -> dict[str, object]:
    """One process; says its pid at once, and how it ended. An empty `point`: whoever started us kills it."""
    pid = os.fork()
    if pid == 0:
        _die_at(point, nth)
        try:
            DEEDS[deed](public_id)
        except Exception:
            logging.getLogger("victim").exception("It ended before it could be killed.")
            os._exit(3)
        os._exit(0)
    say({"pid": pid})
    _, status = os.waitpid(pid, 0)
    return {"is_killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL}


def _die_at(point: str, nth: int) -> None:
    left = [nth]

    def watch(reached: checkpoints.Point, subject: str) -> None:
        if reached == point:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    checkpoints.watcher = watch


if __name__ == "__main__":
    sys.setrecursionlimit(5000)
    answer({"run": run})
