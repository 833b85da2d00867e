"""A hard total deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

Monotonic = Callable[[], float]


def boottime() -> float:
    """Seconds of a clock that runs through suspend, where the system has one.

    A laptop or a paused machine that wakes up must find its deadlines over: the server's side of them is.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Wall:
    """Seconds left of a total deadline, counted from its making or its last restart."""

    __slots__ = ("_ends_at", "_monotonic", "_started_at")

    def __init__(self, monotonic: Monotonic, seconds: float) -> None:
        self._monotonic = monotonic
        self._started_at = monotonic()
        self._ends_at = self._started_at + seconds

    def left(self) -> float:
        """Seconds left; zero or negative when it is over."""
        return self._ends_at - self._monotonic()

    def restart(self, seconds: float) -> None:
        """Count anew, `seconds` from now."""
        self._ends_at = self._monotonic() + seconds

    def elapsed_ms(self, since: float | None = None) -> int:
        """Whole milliseconds since a `mark`, or since the start."""
        return round((self._monotonic() - (self._started_at if since is None else since)) * 1000)

    def mark(self) -> float:
        return self._monotonic()
