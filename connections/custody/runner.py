"""Grants of the web processes: on threads of their own, so that a caller may leave before Sugar answers."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from django.conf import settings
from django.db import connection

from connections.custody import wire
from connections.custody.sending import Climb, climb
from connections.custody.values import Decline, Outcome, Want
from connections.models import Connection

logger = logging.getLogger(__name__)

LOOK_AGAIN = (0.05, 0.1, 0.2)  # seconds: for the one thread per process that watches somebody else's grant
WATCH_FOR = 30.0


class HostBusy(Exception):
    """Enough threads of this process are taken by one host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pursuit:
    """A climb that callers wait for. `settled`: it has stored a version, or is over; `ended`: it is over.

    A version that is stored is in use before it is proven: whoever wants one need not wait for a ping.
    """

    settled: Future[None]
    ended: Future[Climb]


class _Runner:
    """One per process, made on first use: a fork must not inherit its threads."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.threads = settings.SUGARADMIN.pool_threads
        self.pool = ThreadPoolExecutor(self.threads, thread_name_prefix="grant")
        self.lock = threading.Lock()
        self.running: dict[int, Pursuit] = {}
        self.asking: dict[int, Future[bool]] = {}
        self.by_host: Counter[str] = Counter()


_made: _Runner | None = None
_making = threading.Lock()


def _runner() -> _Runner:
    global _made
    with _making:
        if _made is None or _made.pid != os.getpid():
            _made = _Runner()
        return _made


def pursue(pk: int, host: str, want: Want) -> Pursuit:
    """Starts, or joins what this process already does for this connection. Raises HostBusy."""
    runner = _runner()
    with runner.lock:
        joined = runner.running.get(pk)
        if joined is not None:
            return joined
        if runner.by_host[host] >= max(2, runner.threads // 4):
            raise HostBusy
        runner.by_host[host] += 1
        settled: Future[None] = Future()
        tell = partial(_tell, settled)
        begun = Pursuit(settled=settled, ended=runner.pool.submit(_pursue, pk, want, tell))
        runner.running[pk] = begun
    begun.ended.add_done_callback(lambda _: _forget(runner, pk, host))
    begun.ended.add_done_callback(lambda _: tell())
    return begun


def _tell(settled: Future[None]) -> None:
    """Called by the one thread that climbs, and once more when it has ended."""
    if not settled.done():
        settled.set_result(None)


def under_way(pk: int) -> Pursuit | None:
    """What this process already does for this connection."""
    runner = _runner()
    with runner.lock:
        return runner.running.get(pk)


def ask_once(key: int, ask: Callable[[], bool], seconds: float) -> bool:
    """One caller of this process asks; who comes meanwhile has its answer, or its error. Raises TimeoutError."""
    runner = _runner()
    with runner.lock:
        future = runner.asking.get(key)
        is_mine = future is None
        if future is None:
            runner.asking[key] = future = Future()
    if is_mine:
        _answer(runner, key, future, ask)
    else:
        wire.release_database()
    return future.result(max(seconds, 0))


def _answer(runner: _Runner, key: int, future: Future[bool], ask: Callable[[], bool]) -> None:
    try:
        future.set_result(ask())
    except BaseException as error:
        future.set_exception(error)
    finally:
        with runner.lock:
            del runner.asking[key]


def start(pk: int, want: Want, *, ended: Callable[[Climb | None], None]) -> Future[Climb]:
    """A person's action: its own attempt, never joined to another's wish.

    `ended` hears what came of it before the caller does, also of one who has left; None: an error of ours.
    """
    return _runner().pool.submit(_act, pk, want, ended)


def _act(pk: int, want: Want, ended: Callable[[Climb | None], None]) -> Climb:
    try:
        try:
            done = _pursue(pk, want, lambda: None)
        except Exception:
            ended(None)
            raise
        ended(done)
        return done
    finally:
        connection.close()


def _forget(runner: _Runner, pk: int, host: str) -> None:
    with runner.lock:
        runner.running.pop(pk, None)
        runner.by_host[host] -= 1
        if runner.by_host[host] <= 0:
            del runner.by_host[host]


def _pursue(pk: int, want: Want, settled: Callable[[], None]) -> Climb:
    """Climb; while somebody else's attempt is open, watch for what it brings."""
    try:
        until = time.monotonic() + WATCH_FOR
        made: tuple[Outcome, ...] = ()
        for turn in range(10_000):
            done = climb(pk, want, settled=settled)
            made += done.outcomes
            is_busy = done.declined is not None and done.declined.reason == Decline.BUSY
            if _is_only_kept_back(want, done) and time.monotonic() < until:
                time.sleep(random.uniform(0.5, 1.5))  # noqa: S311  # spread
                continue
            # Between two rungs another process may have taken the next one: what it brings is ours too.
            if not is_busy or not _watch(pk, turn, until):
                return replace(done, outcomes=made)
        return done
    except Exception:
        logger.exception("A grant ended in an error of ours.", extra={"action": "grant"})
        raise
    finally:
        connection.close()


def _is_only_kept_back(want: Want, done: Climb) -> bool:
    """A person's wish that found no turn at its host: nobody else would make it again, a draft's least of all."""
    return want.is_deliberate and done.last is not None and done.last.is_kept_back


def _watch(pk: int, turn: int, until: float) -> bool:
    """Waits until the open attempt is closed; False when it takes too long."""
    seen = Connection.objects.filter(pk=pk).values_list("version_count", flat=True).first()
    while time.monotonic() < until:
        time.sleep(LOOK_AGAIN[min(turn, len(LOOK_AGAIN) - 1)])
        row = Connection.objects.filter(pk=pk).only("version_count", "answer_lost_at", "deleted_at").first()
        if row is None or row.deleted_at is not None or row.answer_lost_at is not None:
            return False
        if row.version_count != seen or not row.attempts.filter(closed_at__isnull=True).exists():
            return True
    return False
