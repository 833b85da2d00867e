"""The queue part: django-q2's cluster. Stopped by SIGTERM to its own pid alone, which makes it drain."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from typing import Any

from django_q import cluster
from django_q.conf import Conf

logger = logging.getLogger(__name__)

RECYCLED, TIMED_OUT = -2, 0
"""What django-q2 writes into a worker's timer when it ended by itself; above zero it died over a task."""


class WatchfulSentinel(cluster.Sentinel):  # type: ignore[misc]  # django-q2 has no types
    """Ends the part when one of its processes died where it may have held the lock of a shared queue.

    An idle worker waits for its next task with that lock in hand, as the monitor does for results and the pusher while
    it writes. Killed there, by the kernel when memory is short for one, it leaves the lock taken for ever: django-q2
    starts a new process, which waits behind the dead one, and nothing is worked on any more.
    """

    def reincarnate(self, process: Any) -> None:
        if process in self.pool and _ended_without_the_lock(process):
            super().reincarnate(process)
            return
        logger.error("A process of the queue was killed; the queue starts anew.", extra={"action": "restart"})
        self._let_others_finish(process)
        os._exit(1)

    def _let_others_finish(self, dead: Any) -> None:
        deadline = time.monotonic() + Conf.TIMEOUT
        while time.monotonic() < deadline and any(_is_busy(one) for one in self.pool if one is not dead):
            time.sleep(0.1)


def _ended_without_the_lock(worker: Any) -> bool:
    return bool(worker.timer.value in {RECYCLED, TIMED_OUT} or worker.timer.value > 0)


def _is_busy(worker: Any) -> bool:
    return bool(worker.is_alive() and worker.timer.value > 0)


def run() -> None:
    """Work until SIGTERM. A cluster whose sentinel died has nobody to guard it: that ends the part, to be restarted."""
    cluster.Sentinel = WatchfulSentinel  # the cluster offers no other way to choose it
    cluster.Cluster().start()
    for child in multiprocessing.active_children():
        child.join()
