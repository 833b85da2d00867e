"""One signed-in connection and its instance, brought back to the same moment before every schedule."""

from __future__ import annotations

import copy
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from django.db import transaction
from django.db.backends.signals import connection_created

from connections.custody import actions, checkpoints, guard, handout, rounds, runner, wire
from connections.custody.audit import Actor
from connections.custody.handout import find
from connections.custody.ledger import upkeep
from connections.models import Attempt, Connection, Event, HostWait, TokenVersion
from connections.onboarding import registry
from connections.simulator import Instance, World
from connections.sugar import SugarClient
from tests.concurrency import stored
from tests.concurrency.inline import processes_of_one_thread
from tests.concurrency.scheduler import Scheduler
from tests.concurrency.virtual import VirtualClock, hurry, virtual_time
from tests.concurrency.voyage import Sea, Voyage

ANA = Actor(kind="staff", name="ana")
ROWS = (Attempt, TokenVersion, Event)
AS_IN_PRODUCTION = {"allow_http": True, "instance_rate": 0.0}  # all times as they are shipped: the clock is virtual
ROUNDS = 60
LONGEST = 3600.0 * 26  # virtual seconds: longer than any back-off, a day's budget included


@dataclass(eq=False)
class Stage:
    """`prepare()` once, `reset()` before every schedule."""

    clock: VirtualClock
    world: World
    sugar: Instance
    public_id: str
    pk: int
    scheduler: Scheduler | None = None
    sea: Sea | None = None
    _rows: dict[type, list[dict[str, Any]]] = field(default_factory=dict)
    _row: dict[str, Any] = field(default_factory=dict)
    _began: float = 0.0
    _server: Any = None

    @property
    def row(self) -> Connection:
        return find(self.public_id, None)

    def remember(self) -> None:
        self._began = self.clock.now
        self._row = Connection.objects.filter(pk=self.pk).values().get()
        self._rows = {model: list(model.objects.filter(connection_id=self.pk).values()) for model in ROWS}
        one = self.sugar
        kept = (one.tables, one.sessions, one.idm, one.idm_by_refresh, one.random.getstate())
        self._server = copy.deepcopy(kept)

    def reset(self) -> None:
        with transaction.atomic():
            for model in (TokenVersion, Event, Attempt):
                model.objects.filter(connection_id=self.pk).delete()
            HostWait.objects.all().delete()
            Connection.objects.filter(pk=self.pk).update(**{k: v for k, v in self._row.items() if k != "id"})
            for model in ROWS:
                model.objects.bulk_create([model(**values) for values in self._rows[model]])
        tables, sessions, idm, by_refresh, state = copy.deepcopy(self._server)
        one = self.sugar
        one.tables, one.sessions, one.idm, one.idm_by_refresh = tables, sessions, idm, by_refresh
        one.random.setstate(state)
        one.in_flight = 0
        self.world.journal.clear()
        self.clock.now = self._began
        wire.forget_preflights()
        handout._noted, handout._behind = handout._Turns(), handout._Turns()
        runner_of_this_schedule.clear()

    # --- what the network is, while a schedule runs and while nobody watches

    def set_sail(self, scheduler: Scheduler | None) -> None:
        self.scheduler = scheduler
        self.sea = Sea(
            self.sugar,
            self.clock,
            traveller=lambda: scheduler.current.name if scheduler and scheduler.current else "sweeper",
            wait=scheduler.wait if scheduler else Voyage.finish,
        )
        if scheduler is not None:
            scheduler.voyages = self.sea.voyages
            runner_of_this_schedule.clear()

    # --- the sweeper: a healthy process comes along once the schedule is over

    def sweep(self) -> float:
        """Rounds of the background, time jumping to whatever is due next; virtual seconds until all is well."""
        began = self.clock.now
        for _ in range(ROUNDS):
            if self.is_settled() or self.clock.now - began > LONGEST:
                break
            for pk in upkeep.take_due(8, lease=rounds._lease()):
                rounds.tend(pk)
            self._wait_for_the_next_turn()
        return self.clock.now - began

    def _wait_for_the_next_turn(self) -> None:
        due_at = Connection.objects.filter(pk=self.pk).values_list("due_at", flat=True).first()
        if due_at is not None and due_at > self.clock.moment and not self.is_settled():
            self.clock.advance_to(due_at)
        else:
            self.clock.advance(1.0)

    def is_settled(self) -> bool:
        """Nothing is open and nothing is unproven: healthy, or a person's turn, or out of service."""
        if stored.open_attempt() is not None:
            return False
        row = Connection.objects.with_status().get(pk=self.pk)
        if row.deleted_at is not None or row.held_at is not None or row.status in ("down", "dying"):
            return True
        if row.next_refresh_at is not None and row.next_refresh_at <= self.clock.moment:
            return False
        is_unproven = TokenVersion.objects.filter(connection_id=self.pk, state="live", verified_at=None).exists()
        return row.status == "healthy" and row.doubt_after is None and not is_unproven and not row.is_new_chain_wanted


runner_of_this_schedule = processes_of_one_thread()


@contextmanager
def staged(preset: str = "13.3", *, has_password: bool = True, **own: object) -> Iterator[Stage]:
    """A stage with everything in its place; the clocks are virtual inside."""
    clock = VirtualClock()
    world = World(clock=clock, seed=7)
    sugar = world.add_instance("s1", preset, cleanup_probability=0, subfolder="/i/s1", **own)
    sugar.tables.platforms.add("other")
    sugar.key("second")
    stage = Stage(clock=clock, world=world, sugar=sugar, public_id="", pk=0)
    with ExitStack() as stack:
        stack.callback(_quieten())
        connection_created.connect(hurry)
        stack.callback(connection_created.disconnect, hurry)
        hurry()
        stack.enter_context(virtual_time(clock, lambda seconds: _sleep(stage, seconds)))
        stack.enter_context(mock.patch.object(wire, "egress", lambda: stage.sea))
        stack.enter_context(mock.patch.object(wire, "client", lambda: SugarClient(stage.sea, now=clock)))  # type: ignore[arg-type]
        stack.enter_context(mock.patch.object(runner, "_runner", runner_of_this_schedule.mine))
        stack.enter_context(mock.patch.object(checkpoints, "watcher", lambda point, who: _reached(stage, point, who)))
        guard.forget()
        wire.forget_preflights()
        random.seed(7)
        stage.set_sail(None)
        _sign_in(stage, has_password=has_password)
        stage.remember()
        yield stage


def _quieten() -> Callable[[], None]:
    """A line for every grant of thousands of schedules tells nobody anything."""
    logger = logging.getLogger("connections")
    before = logger.level
    logger.setLevel(logging.ERROR)
    return lambda: logger.setLevel(before)


def _sleep(stage: Stage, seconds: float) -> None:
    if stage.scheduler is not None:
        stage.scheduler.sleep(seconds)


def _reached(stage: Stage, point: checkpoints.Point, who: str) -> None:
    if stage.scheduler is not None:
        stage.scheduler.reached(point, who)


def _sign_in(stage: Stage, *, has_password: bool) -> None:
    fields = {
        "label": "s1",
        "instance_url": "http://127.0.0.1:9/i/s1",
        "platform": "intg",
        "username": "svc",
        "password": "secret",
        "store_password": has_password,
    }
    row = registry.create("acme", fields, ANA)
    stage.public_id, stage.pk = row.public_id, row.pk
    report = actions.sign_in(row.public_id, ANA, password="secret")
    assert report.outcome == "done", report
    for _ in range(10):
        if stage.is_settled():
            break
        stage.sweep()
    stage.clock.advance(1200.0)  # a person's last click is long ago
    Connection.objects.filter(pk=stage.pk).update(
        next_refresh_at=stage.clock.moment, due_at=stage.clock.moment, last_used_at=stage.clock.moment
    )
