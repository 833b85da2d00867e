"""Threads that outlive a schedule, so that the next one finds their database connections open."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection

Performance = Callable[[], None]


class Troupe:
    """Threads that play one schedule after the other, each with its own database connection."""

    def __init__(self) -> None:
        self._players: dict[str, _Player] = {}

    def __contains__(self, thread: object) -> bool:
        return thread in self._players.values()

    def play(self, name: str, performance: Performance) -> None:
        if name not in self._players:
            self._players[name] = _Player()
        self._players[name].play(performance)

    def dismiss(self) -> None:
        for player in self._players.values():
            player.dismiss()
        self._players.clear()


class _Player(threading.Thread):
    def __init__(self) -> None:
        super().__init__(daemon=True, name="actor")
        self._part: Performance | None = None
        self._call = threading.Lock()
        self._call.acquire()
        self.start()

    def run(self) -> None:
        while True:
            self._call.acquire()
            if self._part is None:
                connection.close()
                return
            self._part()

    def play(self, performance: Performance) -> None:
        self._part = performance
        self._call.release()

    def dismiss(self) -> None:
        self._part = None
        self._call.release()
        self.join(10)


TROUPE = Troupe()
