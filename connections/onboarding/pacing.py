"""How often one person may have us look at an address: nobody scans a network with us."""

from __future__ import annotations

import time
from datetime import timedelta

from django.core.cache import cache

from connections.custody.audit import Actor

LOOKS = 30
WINDOW = timedelta(minutes=10)


class TooManyLooks(Exception):
    """`retry_after`: seconds until this person may have us look again."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"At most {LOOKS} looks in {WINDOW.seconds // 60} minutes.")
        self.retry_after = retry_after


def take_turn(actor: Actor) -> None:
    """Counts one look at an instance. Raises TooManyLooks.

    One window after the other, in the cache that all processes share: who straddles two gets twice as many, once.
    """
    waiting = count(f"looks:{actor.kind}:{actor.name}", most=LOOKS, window=WINDOW)
    if waiting:
        raise TooManyLooks(waiting)


def count(subject: str, *, most: int, window: timedelta) -> int:
    """Counts one; 0 while there are at most `most` in this window, else the seconds until the next one."""
    length = int(window.total_seconds())
    number, passed = divmod(int(time.time()), length)
    key = f"{subject}:{number}"
    cache.add(key, 0, timeout=length)
    try:
        counted = cache.incr(key)
    except ValueError:  # a full cache let go of it
        return 0
    return length - passed if counted > most else 0
