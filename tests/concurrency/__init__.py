"""The real custody code under a scheduler: one process moves at a time, from checkpoint to checkpoint, in chosen order.

What is real: claim, send, settle, resolve, prove, sweep, hand-out, reports, staff actions, the client, its parser and
the database. What is replaced: the clocks, the socket (the simulator's exchange is driven step by step) and the thread
pool (each actor plays one process with one thread).
"""

from __future__ import annotations
