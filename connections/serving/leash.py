"""Nothing outlives the parent, however it ends.

The parent keeps the only write end of a pipe; every child and, through fork, every child's child keeps the read end.
When the parent is gone, `kill -9` included, the kernel closes the write end, and whoever reads wakes up and ends
itself. Unlike a parent-death signal this reaches grandchildren whose own parent still lives, and knows no race at the
start.
"""

from __future__ import annotations

import os
import signal
import threading
from functools import partial


def make() -> tuple[int, int]:
    """The two ends of a leash: (to give to children, to keep)."""
    return os.pipe()


def wear(descriptor: int) -> None:
    """End this process, and all it will ever fork, with whoever keeps the other end."""
    os.set_inheritable(descriptor, False)  # programs we run are not ours to watch; forks keep it anyway
    os.register_at_fork(after_in_child=partial(_watch, descriptor))
    _watch(descriptor)


def _watch(descriptor: int) -> None:
    # A thread does not survive a fork: each process needs its own.
    threading.Thread(target=_end_with_parent, args=(descriptor,), name="leash", daemon=True).start()


def _end_with_parent(descriptor: int) -> None:
    os.read(descriptor, 1)  # nobody ever writes: it returns when the last write end is closed
    os.kill(os.getpid(), signal.SIGKILL)
