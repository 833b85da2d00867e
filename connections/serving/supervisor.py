"""Keeps a few processes alive, and ends them in order.

Signals go to the pid of a part, never to its group: django-q2 deadlocks when its workers are told to stop before it
told them itself. For the same reason every part has a session of its own, where a Ctrl-C at our terminal does not reach
it. Only what a dead part leaves behind is removed by its group.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
STEADY_SECONDS = 60.0
"""A part that lived this long starts again with the first wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process to keep alive."""

    name: str
    command: tuple[str, ...]
    descriptors: tuple[int, ...] = ()
    """File descriptors it inherits: its leash, a listening socket."""


@dataclass(slots=True, kw_only=True)
class _Run:
    """A part and its present process."""

    part: Part
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    wait: float = field(default=FIRST_WAIT)


class Supervisor:
    """Runs parts until a signal says stop; times are of the monotonic clock."""

    def __init__(self, parts: Sequence[Part], *, drain_seconds: float, each_look: Callable[[], None]) -> None:
        self._runs = [_Run(part=part) for part in parts]
        self._drain_seconds = drain_seconds
        self._each_look = each_look
        self._stopping = False
        self._impatient = False

    def run(self, *, on_stop: Callable[[], None]) -> bool:
        """Block until all parts have ended; says whether they all ended by themselves. `on_stop` comes first."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        while not self._stopping:
            for run in self._runs:
                self._keep_alive(run)
            self._each_look()
            time.sleep(LOOK_SECONDS)
        on_stop()
        return self._drain()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """A second Ctrl-C means now; a second SIGTERM means nothing, supervisors of supervisors send several."""
        self._impatient = self._stopping and number == signal.SIGINT
        self._stopping = True

    def _keep_alive(self, run: _Run) -> None:
        now = time.monotonic()
        if run.process is not None and (code := run.process.poll()) is not None:
            self._mourn(run, code, now)
        if run.process is None and now >= run.start_at:
            run.process = subprocess.Popen(  # noqa: S603  our own interpreter and manage.py
                run.part.command, pass_fds=run.part.descriptors, start_new_session=True, stdin=subprocess.DEVNULL
            )
            run.started_at = now

    def _mourn(self, run: _Run, code: int, now: float) -> None:
        _remove_orphans(run)
        run.wait = FIRST_WAIT if now - run.started_at >= STEADY_SECONDS else run.wait
        run.process, run.start_at = None, now + run.wait
        logger.error(
            "The %s process ended (%s); it starts again in %.0f s.",
            run.part.name, _how(code), run.wait,
            extra={"action": "restart", "part": run.part.name},
        )  # fmt: skip
        run.wait = min(run.wait * 2, LONGEST_WAIT)

    def _drain(self) -> bool:
        """SIGTERM to each, wait for all, then remove by force who is late."""
        for run in self._living():
            run.process.terminate()  # type: ignore[union-attr]  # _living has only runs with one
        deadline = time.monotonic() + self._drain_seconds
        while self._living() and time.monotonic() < deadline and not self._impatient:
            time.sleep(LOOK_SECONDS)
        late = self._living()
        for run in late:
            logger.error("The %s process did not stop in time.", run.part.name, extra={"part": run.part.name})
        for run in self._runs:
            _remove_orphans(run)
            if run.process is not None:
                run.process.wait()
        return not late

    def _living(self) -> list[_Run]:
        return [run for run in self._runs if run.process is not None and run.process.poll() is None]


def _remove_orphans(run: _Run) -> None:
    """End the part, if it lives, and what it forked: they share the session that began with it."""
    if run.process is None:
        return
    try:
        os.killpg(run.process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # nobody left; macOS says the second of a group of zombies
        return


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"
