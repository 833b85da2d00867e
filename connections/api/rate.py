"""How fast one key may ask: a token bucket that all web processes of this node share.

The memory and the lock are made when this module is imported, which is before the web server forks. The lock is a
semaphore that a killed process cannot give back, so each holder leaves its pid and a successor looks after it.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import RawArray
from typing import Any

SLOTS = 4096
BURST_SECONDS = 10
LOOK_AFTER = 0.05  # seconds: a critical section lasts microseconds
_NUMBERS = 3  # per slot: key, tokens left, when that was counted


@dataclass(slots=True)
class Buckets:
    """`take(key, rate)` is 0 when a request may pass, else the whole seconds to wait."""

    slots: int = SLOTS
    _numbers: Any = field(init=False, repr=False)
    _holder: Any = field(init=False, repr=False)
    _lock: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._numbers = RawArray("d", self.slots * _NUMBERS)
        self._holder = RawArray("l", 1)
        self._lock = multiprocessing.get_context("fork").Lock()

    def take(self, key: int, rate: float) -> int:
        with self._held():
            # Read under the lock: a clock read before a wait would run backwards for the bucket.
            now = time.monotonic()
            at = self._slot(key, rate, now)
            _, tokens, counted = self._numbers[at : at + _NUMBERS]
            tokens = min(tokens + (now - counted) * rate, rate * BURST_SECONDS)
            is_passing = tokens >= 1
            self._numbers[at : at + _NUMBERS] = [key, tokens - is_passing, now]
        return 0 if is_passing else max(1, math.ceil((1 - tokens) / rate))

    def _slot(self, key: int, rate: float, now: float) -> int:
        """The key's own slot; else an unused one, or one of a bucket that has long been full, filled to the brim."""
        free = None
        for step in range(self.slots):
            at = (key + step) % self.slots * _NUMBERS
            if self._numbers[at] == key:
                return at
            is_unused = not self._numbers[at]
            if free is None and (is_unused or now - self._numbers[at + 2] > BURST_SECONDS):
                free = at
            if is_unused:
                break
        # Each slot in use within ten seconds: the key's own place is taken over, which is generous, not wrong.
        chosen = key % self.slots * _NUMBERS if free is None else free
        self._numbers[chosen : chosen + _NUMBERS] = [key, rate * BURST_SECONDS, now]
        return chosen

    @contextmanager
    def _held(self) -> Iterator[None]:
        while not self._lock.acquire(timeout=LOOK_AFTER):
            self._free_of_the_dead()
        self._holder[0] = os.getpid()
        try:
            yield
        finally:
            self._holder[0] = 0
            self._lock.release()

    def _free_of_the_dead(self) -> None:
        pid = self._holder[0]
        if pid and not _lives(pid):
            self._holder[0] = 0
            self._lock.release()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


buckets = Buckets()
