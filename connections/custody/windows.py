"""Counts by window of time, one window after the other, in the cache that all processes share."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from datetime import timedelta

from django.core.cache import cache


def count(subject: str, *, most: int, window: timedelta) -> int:
    """Counts one; 0 while there are at most `most` in this window, else the seconds until the next one."""
    key, length, left = _place(subject, window)
    cache.add(key, 0, timeout=length)
    try:
        counted = cache.incr(key)
    except ValueError:  # a full cache let go of it
        return 0
    return left if counted > most else 0


def give_back(subject: str, *, window: timedelta) -> None:
    """What was counted turned out not to count. Nothing is left to give back once its window is over."""
    with suppress(ValueError):
        cache.incr(_place(subject, window)[0], -1)


def _place(subject: str, window: timedelta) -> tuple[str, int, int]:
    """The key of this window, its length, and the seconds that are left of it. A subject may be any name: caches take
    neither spaces nor long keys."""
    name = hashlib.sha256(subject.encode()).hexdigest()[:32]
    length = int(window.total_seconds())
    number, passed = divmod(int(time.time()), length)
    return f"window:{name}:{number}", length, length - passed
