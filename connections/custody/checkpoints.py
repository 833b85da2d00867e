"""Named points of the protocol, for the scheduler and the kill matrix; no-ops otherwise.

A test sets `watcher` to stop, reorder or kill at a point. Production never does.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    CLAIM_START = "claim_start"
    CLAIM_WRITTEN = "claim_written"  # not yet committed
    CLAIMED = "claimed"
    PREFLIGHT_DONE = "preflight_done"
    MARK_START = "mark_start"  # connected, about to write `sent`
    MARKED = "marked"  # intent on disk, no byte out
    ANSWERED = "answered"  # last byte in, nothing on disk
    SETTLE_START = "settle_start"
    SETTLE_WRITTEN = "settle_written"  # not yet committed
    SETTLED = "settled"
    VERIFY_START = "verify_start"
    VERIFY_ANSWERED = "verify_answered"
    VERIFIED = "verified"
    LOST_NOTED = "lost_noted"
    DOUBT_RAISED = "doubt_raised"
    SPOOLED = "spooled"
    REPLAYED = "replayed"


watcher: Callable[[Point, str], None] | None = None


def reach(point: Point, subject: str = "") -> None:
    """`subject` is the public id of the connection or attempt at this point."""
    if watcher is not None:
        watcher(point, subject)
