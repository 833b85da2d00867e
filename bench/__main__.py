"""`make bench`: every figure of docs/performance.md, ours and the bare thing side by side in one run."""

from __future__ import annotations

import argparse
import platform

from bench import site


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m bench")
    arguments.add_argument("--connections", type=int, default=2000, help="due connections in the refresh run")
    arguments.add_argument("--latency", type=float, default=0.2, help="seconds the server takes per request")
    arguments.add_argument("--only", choices=("handout", "storm", "refresh", "settle", "pages"), default=None)
    chosen = arguments.parse_args()
    site.prepare()
    site.set_up()
    from bench import handout, pages, refresh, settle

    measures = {
        "handout": lambda control: handout.measure_handout(control),
        "storm": lambda control: handout.measure_storm(control, workers=1000, latency=chosen.latency),
        "settle": lambda control: settle.measure(control, size=200, latency=chosen.latency),
        "refresh": lambda control: refresh.measure(control, size=chosen.connections, latency=chosen.latency),
        "pages": lambda control: pages.measure(size=10_000),  # last: it leaves a great fleet behind
    }
    print(f"Python {platform.python_version()}, {site.cores()} cores, PostgreSQL {site.database_version()}")
    with site.simulator() as control:
        for name, measure in measures.items():
            if chosen.only in (None, name):
                print(name, measure(control), flush=True)


main()
