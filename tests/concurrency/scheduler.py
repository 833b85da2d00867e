"""Lets exactly one actor proceed, from checkpoint to checkpoint, in an order that a chooser decides.

Switches happen at checkpoints outside a transaction, while a grant is on its way, and while an actor sleeps. Inside a
transaction the database decides who waits, so there an actor can only die. Requests other than grants change nothing
that another one sees and are answered at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from django.db import connection

from connections.choices import OPEN_STATES
from connections.custody.checkpoints import Point
from connections.models import Attempt, Connection
from tests.concurrency import stored
from tests.concurrency.troupe import TROUPE
from tests.concurrency.virtual import TICK, VirtualClock
from tests.concurrency.voyage import Voyage

PATIENCE = 60.0  # real seconds: an actor that does not come back hangs on a lock
MOST_MOVES = 600
WAKE_AFTER = 5.0  # virtual seconds: who watches others looks again this much later

# Between each of these and the next point the code touches neither database nor network: a switch at one of the two
# is enough.
SILENT = frozenset({Point.PREFLIGHT_DONE, Point.ANSWERED, Point.SETTLED, Point.VERIFIED})


class Crash(BaseException):
    """The process dies here: nothing of its memory is left, its transaction rolls back."""


class Kind(StrEnum):
    RUN = "run"  # an actor, to its next point
    SERVE = "serve"  # Sugar, one step of one grant
    CRASH = "crash"  # an actor dies where it stands
    TEAR = "tear"  # an actor dies in its next transaction, before the commit
    LOSE = "lose"  # an answer gets lost on its way
    DEADLINE = "deadline"  # time passes: whoever listens to Sugar stops listening
    SEND_BY = "send_by"  # time passes: what is claimed may not be sent any more
    DRAIN = "drain"  # time passes: what is sent is drained; Sugar is done with it by then


FAULTS = frozenset(Kind) - {Kind.RUN, Kind.SERVE}
Role = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Move:
    kind: Kind
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip()


@dataclass(eq=False)
class Actor:
    """One process with one thread."""

    name: str
    role: Role
    state: str = "ready"  # ready | waiting | sleeping | idle | done
    point: str = "start"
    voyage: Voyage | None = None
    is_doomed: bool = False  # dies at once
    is_torn: bool = False  # dies in its next transaction
    is_crashed: bool = False
    result: object = None
    error: BaseException | None = None
    go: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.go.acquire()


class Scheduler:
    """One schedule: options, then a move, until nobody is left."""

    def __init__(self, clock: VirtualClock, roles: dict[str, Role], *, faults: int, is_fine: bool) -> None:
        self.clock = clock
        self.actors = {name: Actor(name, role) for name, role in roles.items()}
        self.voyages: list[Voyage] = []  # the sea's own list, once it is there
        self.faults = faults
        self.is_fine = is_fine
        self.line = ""  # whose turn it is: an actor and its grant at Sugar
        self.moves: list[Move] = []
        self.has_committed = False
        self._back = threading.Lock()
        self._back.acquire()
        self._current: Actor | None = None

    # --- what may happen next

    def options(self) -> list[Move]:
        quiet = [*self._runs(), *self._serves()]
        if not quiet:
            quiet = [Move(Kind.RUN, name) for name, one in self.actors.items() if one.state == "sleeping"]
        return [*quiet, *self._faults()] if quiet and self.faults > 0 else quiet

    def line_of(self, move: Move) -> str:
        if move.kind == Kind.SERVE:
            return self._voyage(move).traveller
        return move.subject if move.kind == Kind.RUN else ""

    def _runs(self) -> list[Move]:
        return [Move(Kind.RUN, name) for name, actor in self.actors.items() if self._may_run(actor)]

    def _may_run(self, actor: Actor) -> bool:
        if actor.state == "waiting" and actor.voyage is not None:
            return actor.voyage.is_over or actor.voyage.is_lost or self.clock() >= actor.voyage.ends_at
        if actor.state == "idle":
            return Connection.objects.due(self.clock.moment).exists()
        return actor.state == "ready"

    def _serves(self) -> list[Move]:
        return [Move(Kind.SERVE, str(one.number)) for one in self.voyages if not one.is_over]

    def _faults(self) -> list[Move]:
        found = []
        for name, actor in self.actors.items():
            if actor.state in ("done", "idle") or actor.point == "start":
                continue
            found.append(Move(Kind.CRASH, name))
            if actor.point in (Point.CLAIM_START, Point.SETTLE_START) and not actor.is_torn:
                found.append(Move(Kind.TEAR, name))
            if actor.state == "waiting" and actor.voyage is not None and not actor.voyage.is_lost:
                found.append(Move(Kind.LOSE, name))
                if self.clock() < actor.voyage.ends_at:
                    found.append(Move(Kind.DEADLINE, name))
        attempt = stored.open_attempt()
        if attempt is not None:
            found.append(Move(Kind.DRAIN if attempt["drain_until"] else Kind.SEND_BY))
        return found

    # --- one move

    def make(self, move: Move) -> None:
        self.moves.append(move)
        self.clock.advance(TICK)
        if move.kind in FAULTS:
            self.faults -= 1
        self.line = self.line_of(move)
        match move.kind:
            case Kind.RUN:
                self._run(self.actors[move.subject])
            case Kind.SERVE:
                voyage = self._voyage(move)
                voyage.step() if self.is_fine else voyage.finish()
            case Kind.CRASH:
                self.actors[move.subject].is_doomed = True
                self._run(self.actors[move.subject])
            case Kind.TEAR:
                self.actors[move.subject].is_torn = True
            case Kind.LOSE:
                voyage = self.actors[move.subject].voyage
                assert voyage is not None
                voyage.is_lost = True
            case Kind.DEADLINE:
                voyage = self.actors[move.subject].voyage
                assert voyage is not None
                self.clock.now = max(self.clock.now, voyage.ends_at)
            case Kind.SEND_BY | Kind.DRAIN:
                self._let_lapse()

    def end(self) -> None:
        """Whoever still stands somewhere dies there, unseen; Sugar finishes what it began."""
        for actor in self.actors.values():
            if actor.point != "start" and actor.state != "done":
                actor.is_doomed = True
                self._run(actor)
        self.finish_voyages()

    def _voyage(self, move: Move) -> Voyage:
        return self.voyages[int(move.subject) - 1]

    def _let_lapse(self) -> None:
        attempt = Attempt.objects.filter(state__in=OPEN_STATES).first()
        limit = (attempt.drain_until or attempt.send_by) if attempt else None
        if limit is None:
            return
        if attempt is not None and attempt.drain_until is not None:
            self.finish_voyages()
        self.clock.advance_to(limit)

    def finish_voyages(self) -> None:
        for voyage in self.voyages:
            voyage.finish()

    def _run(self, actor: Actor) -> None:
        if actor.state == "sleeping":
            self.clock.advance(WAKE_AFTER)
        self._current = actor
        if actor.point == "start" and actor.state == "ready" and not actor.is_doomed:
            actor.point = "running"
            TROUPE.play(actor.name, partial(self._perform, actor))
        else:
            actor.go.release()
        if not self._back.acquire(timeout=PATIENCE):
            raise AssertionError(f"{actor.name} does not come back from {actor.point}")
        self._current = None

    # --- inside an actor's thread

    def _perform(self, actor: Actor) -> None:
        try:
            actor.result = actor.role()
        except Crash:
            actor.is_crashed = True
            if actor.voyage is not None and actor.voyage.attempt is not None:
                actor.voyage.is_forgotten = True
        except BaseException as error:
            actor.error = error
        finally:
            actor.state = "done"
            self.has_committed = True
            self._back.release()

    @property
    def current(self) -> Actor | None:
        """The actor whose thread this is; None for the sweeper and the checks."""
        return self._current if threading.current_thread() in TROUPE else None

    def reached(self, point: Point, subject: str) -> None:
        actor = self.current
        if actor is None or actor.is_crashed:
            return
        if connection.in_atomic_block:
            if actor.is_torn and point in (Point.CLAIM_WRITTEN, Point.SETTLE_WRITTEN):
                self._die(actor)
            return
        self.has_committed = self.has_committed or point not in (Point.MARK_START, Point.SETTLE_START)
        if point == Point.SETTLED and actor.voyage is not None:
            actor.voyage.told_at = self.clock()
            actor.voyage = None
        if point in SILENT and not self.is_fine:
            return
        actor.point = point
        self._park(actor, "ready")

    def wait(self, voyage: Voyage) -> None:
        actor = self.current
        if actor is None:
            voyage.finish()
            return
        actor.voyage = voyage
        actor.point = "on its way"
        self._park(actor, "waiting")

    def idle(self) -> None:
        """Until the background has something to do, any time after that, or for ever."""
        actor = self.current
        if actor is not None:
            actor.point = "idle"
            self._park(actor, "idle")

    def sleep(self, seconds: float) -> None:
        actor = self.current
        if actor is None or seconds <= 0:
            return
        actor.point = "asleep"
        self._park(actor, "sleeping")

    def _park(self, actor: Actor, state: str) -> None:
        actor.state = state
        self._back.release()
        actor.go.acquire()
        actor.state = "ready"
        if actor.is_doomed:
            self._die(actor)

    @staticmethod
    def _die(actor: Actor) -> None:
        actor.is_crashed = True
        raise Crash
