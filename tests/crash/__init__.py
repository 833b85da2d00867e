"""Real processes, real databases, kill -9: at every named point of a grant, and what a healthy process makes of it.

`keeper` is a process that stays: it prepares, connects, and later sweeps. `victim` forks a process for every kill, so
that a kill does not cost a start of Django. Sugar is the simulator, in the test's own process.
"""

from __future__ import annotations
