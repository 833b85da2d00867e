"""A small load generator: keep-alive connections, one request after the other on each."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field


@dataclass
class Tally:
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000


def run(port: int, requests: list[bytes], *, connections: int, seconds: float) -> Tally:
    """Sends `requests` in turn over `connections` connections for `seconds`."""
    return asyncio.run(_run(port, requests, connections, seconds))


def once(port: int, requests: list[bytes]) -> Tally:
    """Sends every request at the same moment, each on a connection of its own."""
    return asyncio.run(_once(port, requests))


async def _run(port: int, requests: list[bytes], connections: int, seconds: float) -> Tally:
    tally = Tally()
    until = time.perf_counter() + seconds
    began = time.perf_counter()
    await asyncio.gather(*(_stay(port, requests, number, until, tally) for number in range(connections)))
    tally.seconds = time.perf_counter() - began
    return tally


async def _once(port: int, requests: list[bytes]) -> Tally:
    tally = Tally()
    began = time.perf_counter()
    await asyncio.gather(*(_stay(port, [request], 0, None, tally) for request in requests))
    tally.seconds = time.perf_counter() - began
    return tally


async def _stay(port: int, requests: list[bytes], number: int, until: float | None, tally: Tally) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    turn = number
    while True:
        began = time.perf_counter()
        writer.write(requests[turn % len(requests)])
        status = await _answer(reader)
        tally.latencies.append(time.perf_counter() - began)
        tally.statuses[status] = tally.statuses.get(status, 0) + 1
        turn += 1
        if until is None or time.perf_counter() >= until:
            writer.close()
            return


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"), 0)
    if length:
        await reader.readexactly(length)
    return int(head[9:12])
