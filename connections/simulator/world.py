"""All instances of one simulator, one clock, one journal."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

from connections.simulator.instance import Instance
from connections.simulator.journal import Journal
from connections.simulator.presets import parameters_of

__all__ = ["Instance", "World"]


class World:
    """`clock` gives seconds since 1970; `advance` moves it for everybody, an instance's `skew` for one server."""

    def __init__(self, *, clock: Callable[[], float] = time.time, seed: int | None = None) -> None:
        self._clock = clock
        self.offset = 0.0  # seconds by which `advance` has moved the clock
        self._random = random.Random(seed)
        self.instances: dict[str, Instance] = {}
        self.journal = Journal()

    def __getitem__(self, name: str) -> Instance:
        return self.instances[name]

    def __iter__(self) -> Iterator[Instance]:
        return iter(list(self.instances.values()))

    def clock(self) -> float:
        return self._clock() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds

    def add_instance(self, name: str, preset: str = "13.3", **parameters: object) -> Instance:
        """A fresh server with the users `admin`/`admin` and `svc`/`secret`, the key `sugar`, the platform `intg`."""
        if name in self.instances or not name.replace("-", "").replace(".", "").isalnum():
            raise ValueError(f"instance {name!r} exists or is no name")
        rng = random.Random(self._random.getrandbits(64))
        own = parameters_of(preset, **parameters)
        instance = Instance(name, own, clock=self.clock, rng=rng, journal=self.journal)
        instance.user("admin", "admin", admin=True)
        instance.user("svc", "secret")
        instance.tables.platforms.add("intg")
        self.instances[name] = instance
        return instance

    def remove_instance(self, name: str) -> None:
        self.instances.pop(name).holds.release()

    def violations(self) -> list[str]:
        """What must never be true of a faithful server: see SUGAR.md section 8, invariants."""
        return [violation for instance in self for violation in instance.violations()]
