"""The ticker part: a steady look at what is due, and the sign of life of the background."""

from __future__ import annotations

import logging
import signal
import time
from types import FrameType

from django.conf import settings
from django.db import close_old_connections

from connections import tasks

logger = logging.getLogger(__name__)

NAP_SECONDS = 0.2
CHECK_SECONDS = 60.0


class Ticker:
    """Calls tasks.check_database(), tasks.beat() and tasks.tick() each at its own pace until told to stop."""

    def __init__(self) -> None:
        self._stopping = False
        self._next_tick = 0.0
        self._next_beat = 0.0
        self._next_check = 0.0

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        while not self._stopping:
            self.look(time.monotonic())
            time.sleep(NAP_SECONDS)

    def look(self, now: float) -> None:
        """Do what is due at this moment of the monotonic clock. No trouble of one round ends the next."""
        config = settings.SUGARADMIN
        if now >= self._next_check:
            self._next_check = now + CHECK_SECONDS
            self._safely("check_database")
        if now >= self._next_beat:
            self._next_beat = now + config.heartbeat.total_seconds()
            self._safely("beat")
        if now >= self._next_tick:
            self._next_tick = now + config.tick.total_seconds()
            self._safely("tick")

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _safely(self, action: str) -> None:
        close_old_connections()
        try:
            getattr(tasks, action)()
        except Exception:
            logger.exception(
                "The %s of the background failed; the next one tries again.", action, extra={"action": action}
            )
        finally:
            close_old_connections()


def run() -> None:
    Ticker().run()
