"""Prints what the model explored: `python -m tests.model [--large] [--traces]`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable

from tests.model.bounds import ASSUMPTIONS, GUARDS, Bounds
from tests.model.explorer import Exploration, explore
from tests.model.matrix import LARGE, MUTANT, SMALL


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description="Check the custody protocol.")
    parser.add_argument("--large", action="store_true", help="the bounds of make campaign as well")
    parser.add_argument("--traces", action="store_true", help="how each missing guard is found out")
    chosen = parser.parse_args()
    found = _print_matrix(SMALL + LARGE if chosen.large else SMALL)
    survived = _print_missing("guard removed", GUARDS, with_traces=chosen.traces)
    _print_missing("assumption dropped", ASSUMPTIONS, with_traces=chosen.traces)
    _say(f"guards whose removal is found out: {len(GUARDS) - survived} of {len(GUARDS)}")
    return 1 if found or survived else 0


def _print_matrix(matrix: Iterable[Bounds]) -> int:
    _say("| processes | faults | edits | claims | password | reuse revokes | states | steps | violations | seconds |")
    _say("|---|---|---|---|---|---|---|---|---|---|")
    states = found = 0
    for bounds in matrix:
        began = time.monotonic()
        exploration = explore(bounds)
        states += exploration.states
        found += bool(exploration.violation)
        _say(_row(bounds, exploration, time.monotonic() - began))
        if exploration.violation:
            _say(str(exploration))
    _say(f"\n{states:,} states, {found} violations of INV1–INV6\n")
    return found


def _row(bounds: Bounds, exploration: Exploration, seconds: float) -> str:
    cells = (
        *(str(count) for count in (bounds.processes, bounds.faults, bounds.edits, bounds.attempts)),
        "yes" if bounds.has_password else "no",
        "yes" if bounds.revokes_on_reuse else "no",
        f"{exploration.states:,}",
        f"{exploration.steps:,}",
        str(int(bool(exploration.violation))),
        f"{seconds:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def _print_missing(title: str, guards: Iterable[str], *, with_traces: bool) -> int:
    _say(f"| {title} | found after | steps of the trace | what breaks |")
    _say("|---|---|---|---|")
    found = {guard: explore(MUTANT.dropping(guard)) for guard in guards}
    for guard, exploration in found.items():
        what = exploration.violation or "nothing"
        _say(f"| {guard} | {exploration.states:,} states | {len(exploration.trace)} | {what} |")
    _say("")
    for guard, exploration in found.items():
        if with_traces:
            _say(f"{guard}: {exploration}\n")
    return sum(not exploration.violation for exploration in found.values())


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
