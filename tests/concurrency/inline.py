"""Each actor is a process with one thread: what the product would hand to its pool runs at once, in the actor."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class _Inline:
    """The shape of a thread pool; a process that dies takes its work with it."""

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


class _Process:
    """What `custody.runner` keeps for each process."""

    def __init__(self) -> None:
        self.threads = 8
        self.pool = _Inline()
        self.lock = threading.RLock()
        self.running: dict[int, Future[Any]] = {}
        self.asking: dict[int, Future[bool]] = {}
        self.by_host: Counter[str] = Counter()


class Processes:
    def __init__(self) -> None:
        self._by_thread: dict[int, _Process] = {}

    def mine(self) -> _Process:
        return self._by_thread.setdefault(threading.get_ident(), _Process())

    def clear(self) -> None:
        self._by_thread.clear()


def processes_of_one_thread() -> Processes:
    return Processes()
