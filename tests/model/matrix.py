"""Which bounds are explored: by `make test` every time, by `make campaign` when there are hours."""

from __future__ import annotations

from itertools import product

from tests.model.bounds import Bounds

SMALL = tuple(
    Bounds(verifies=True, has_password=has_password, revokes_on_reuse=revokes_on_reuse, **counts)
    for counts in (
        {"processes": 2, "faults": 0, "edits": 1, "attempts": 4},
        {"processes": 2, "faults": 1, "edits": 1, "attempts": 3},
        {"processes": 2, "faults": 2, "edits": 0, "attempts": 3},
        {"processes": 3, "faults": 2, "edits": 0, "attempts": 3},
    )
    for has_password, revokes_on_reuse in product((True, False), repeat=2)
)

LARGE = tuple(
    Bounds(verifies=True, has_password=has_password, revokes_on_reuse=revokes_on_reuse, **counts)
    for counts in (
        {"processes": 2, "faults": 2, "edits": 1, "attempts": 3},
        {"processes": 3, "faults": 2, "edits": 0, "attempts": 5},
        {"processes": 2, "faults": 1, "edits": 2, "attempts": 4},
    )
    for has_password, revokes_on_reuse in product((True, False), repeat=2)
)

# A guard is removed here: big enough that each of them is missed.
MUTANT = Bounds(processes=2, faults=2, edits=1, attempts=3, verifies=True)
