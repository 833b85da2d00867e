"""How fast one host may hear from this node."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from connections.egress.errors import Paced
from connections.egress.node import Node
from connections.egress.wall import Monotonic, Wall, boottime

HOSTS_REMEMBERED = 2048
PLACE_POLL = 0.02  # seconds: a grant takes ten times as long


class _Host:
    """A token bucket that may go into debt (each debtor sleeps its own debt off), and the places for grants."""

    __slots__ = ("at", "key", "places", "tokens", "users")

    def __init__(self, key: tuple[str, int], tokens: float, at: float, places: int) -> None:
        self.key = key
        self.tokens = tokens
        self.at = at
        self.places = threading.BoundedSemaphore(places)
        self.users = 0


class Pacer:
    """At most `rate_per_second` requests (bursts of `burst`) and `grants_at_once` grants to one host and port.

    The burst lets one refresh (pre-flight, grant, verify) go without a wait. A rate of 0 lifts both limits. All
    processes that are given the same `folder` count together: to the host they are one caller.
    """

    def __init__(
        self,
        rate_per_second: float = 5,
        grants_at_once: int = 2,
        *,
        burst: int = 10,
        monotonic: Monotonic = boottime,
        sleep: Callable[[float], None] = time.sleep,
        folder: Path | None = None,
    ) -> None:
        self._rate = rate_per_second
        self._grants_at_once = grants_at_once
        self._burst = burst
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = threading.Lock()
        self._hosts: dict[tuple[str, int], _Host] = {}
        self._node = Node(folder) if folder is not None and rate_per_second > 0 else None

    @contextlib.contextmanager
    def turn(self, host: str, port: int, wall: Wall, *, is_grant: bool) -> Iterator[None]:
        """Wait for a turn and hold it; Paced when there is none before the wall."""
        if self._rate <= 0:
            yield
            return
        entry = self._enter((host, port))
        try:
            with self._place(entry, wall) if is_grant else contextlib.nullcontext():
                self._take_token(entry, wall)
                yield
        finally:
            with self._lock:
                entry.users -= 1

    @contextlib.contextmanager
    def _place(self, entry: _Host, wall: Wall) -> Iterator[None]:
        if not entry.places.acquire(timeout=max(wall.left(), 0)):
            raise Paced("Other grants to this host are still under way.")
        try:
            file = self._place_of_node(entry, wall)
            try:
                yield
            finally:
                if file is not None:
                    os.close(file)
        finally:
            entry.places.release()

    def _place_of_node(self, entry: _Host, wall: Wall) -> int | None:
        """What to close afterwards; None where this process counts for itself."""
        if self._node is None:
            return None
        while True:
            try:
                file = self._node.take_place(entry.key, self._grants_at_once)
            except OSError:
                return None
            if file is not None:
                return file
            if wall.left() <= PLACE_POLL:
                raise Paced("Other grants to this host are still under way.")
            self._sleep(PLACE_POLL)

    def _take_token(self, entry: _Host, wall: Wall) -> None:
        with self._lock, self._counted(entry):
            debt = (1 - entry.tokens) / self._rate
            if debt > wall.left():
                raise Paced("This host gets no more requests from us right now.", retry_after=debt)
            entry.tokens -= 1
        if debt > 0:
            self._sleep(debt)

    @contextlib.contextmanager
    def _counted(self, entry: _Host) -> Iterator[None]:
        """The bucket filled up to now, as all processes of this node know it."""
        with self._node.bucket(entry.key) if self._node else contextlib.nullcontext() as shared:
            known = shared.read() if shared is not None else None
            if known is not None and known[1] <= self._monotonic():  # else it is from before a restart of the machine
                entry.tokens, entry.at = known
            self._refill(entry)
            try:
                yield
            finally:
                if shared is not None:
                    shared.write(entry.tokens, entry.at)

    def _refill(self, entry: _Host) -> None:
        now = self._monotonic()
        entry.tokens = min(self._burst, entry.tokens + (now - entry.at) * self._rate)
        entry.at = now

    def _enter(self, key: tuple[str, int]) -> _Host:
        with self._lock:
            if key not in self._hosts and len(self._hosts) >= HOSTS_REMEMBERED:
                self._forget_rested()
            fresh = _Host(key, self._burst, self._monotonic(), self._grants_at_once)
            entry = self._hosts.setdefault(key, fresh)
            entry.users += 1
            return entry

    def _forget_rested(self) -> None:
        for key, entry in list(self._hosts.items()):
            self._refill(entry)
            if entry.users == 0 and entry.tokens >= self._burst:
                del self._hosts[key]
