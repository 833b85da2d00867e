"""python -m connections.simulator: serve instances until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from connections.simulator.archive import load, save
from connections.simulator.presets import PRESETS
from connections.simulator.server import SimulatorServer

_SAVE_EVERY = 5.0  # seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free port (the default)")
    parser.add_argument(
        "--instance",
        action="append",
        default=[],
        metavar="NAME=PRESET",
        help=f"an instance to begin with, any number of times; presets: {', '.join(PRESETS)}",
    )
    parser.add_argument("--port-per-instance", action="store_true", help="give each instance a port of its own as well")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep users and tokens here between two runs")
    parser.add_argument("--tls-cert", metavar="FILE", help="serve https with this certificate chain")
    parser.add_argument("--tls-key", metavar="FILE")


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse and serve; 2 when the arguments make no sense."""
    parser = argparse.ArgumentParser(prog="simulator", description="A simulated Sugar server.")
    add_arguments(parser)
    return serve(parser.parse_args(arguments))


def serve(options: argparse.Namespace) -> int:
    """Serve what the options ask for until a signal comes."""
    tls = (options.tls_cert, options.tls_key) if options.tls_cert else None
    server = SimulatorServer(host=options.host, port=options.port, port_per_instance=options.port_per_instance, tls=tls)
    try:
        if options.state is not None:
            load(server.world, options.state)
        for wanted in options.instance:
            name, _, preset = wanted.partition("=")
            if name not in server.world.instances:
                server.world.add_instance(name, preset or "13.3")
        asyncio.run(_until_signalled(server, options.state))
    except (ValueError, OSError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    return 0


async def _until_signalled(server: SimulatorServer, state: Path | None) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await server.open()
    sys.stdout.write(f"listening on {server.url}\n")
    sys.stdout.flush()
    while not stopping.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), _SAVE_EVERY)
        if state is not None:
            save(server.world, state)
    await server.close()


if __name__ == "__main__":
    sys.exit(main())
