"""How often one person may have us look at an address: nobody scans a network with us."""

from __future__ import annotations

from datetime import timedelta

from connections.custody import windows
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
    waiting = windows.count(f"looks:{actor.kind}:{actor.name}", most=LOOKS, window=WINDOW)
    if waiting:
        raise TooManyLooks(waiting)
