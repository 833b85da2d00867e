"""Which schedules are run: random ones by seed, or every one within bounds; and how one is shown when it fails."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from connections.custody.checkpoints import Point
from connections.custody.ledger.edits import EditRefused
from connections.custody.problems import CustodyProblem, Unchanged
from connections.models import Attempt, Connection
from tests.concurrency.invariants import Violation, Watch
from tests.concurrency.scheduler import FAULTS, MOST_MOVES, Kind, Move, Role, Scheduler
from tests.concurrency.stage import Stage

Cast = Callable[[Stage], dict[str, Role]]
EXPECTED = (CustodyProblem, Unchanged, EditRefused, Connection.DoesNotExist)
FAULT_WEIGHT = 0.1
HOLDING_AN_ANSWER = frozenset({Point.ANSWERED, Point.SETTLE_START})
STAY_WEIGHT = 2.0
SUSPENDED_WEIGHT = 0.02


class Chooser:
    """Decides which of the options comes next."""

    def choose(self, scheduler: Scheduler, options: list[Move]) -> Move:
        raise NotImplementedError


class Dice(Chooser):
    """Random, and the same again for the same seed. Whoever loses time stands still: others get their turn first.

    Every second seed looks for late answers: time passes most likely while somebody holds one.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._seeks_late_answers = seed % 2 == 1
        self._suspended = ""
        self._moves_left = 0

    def choose(self, scheduler: Scheduler, options: list[Move]) -> Move:
        self._moves_left -= 1
        move = self._random.choices(options, [self._weight(scheduler, one) for one in options])[0]
        if move.kind in (Kind.SEND_BY, Kind.DRAIN):
            self._suspended, self._moves_left = scheduler.line, self._random.randrange(25)
        return move

    def _weight(self, scheduler: Scheduler, move: Move) -> float:
        if move.kind in FAULTS:
            return self._fault_weight(scheduler, move)
        line = scheduler.line_of(move)
        if line == self._suspended and self._moves_left > 0:
            return SUSPENDED_WEIGHT
        return STAY_WEIGHT if line == scheduler.line else 1.0

    def _fault_weight(self, scheduler: Scheduler, move: Move) -> float:
        if not self._seeks_late_answers:
            return FAULT_WEIGHT
        is_answer_held = any(actor.point in HOLDING_AN_ANSWER for actor in scheduler.actors.values())
        return 4.0 if is_answer_held and move.kind == Kind.DRAIN else FAULT_WEIGHT / 5


class Opening(Dice):
    """First the actor `a` alone, up to a point; there it stands while time passes, if it does; then the dice."""

    def __init__(self, seed: int, *, up_to: Point, jump: Kind | None = None) -> None:
        super().__init__(seed)
        self._up_to = up_to
        self._jump = jump
        self._is_over = False

    def choose(self, scheduler: Scheduler, options: list[Move]) -> Move:
        if not self._is_over and scheduler.actors["a"].point != self._up_to:
            mine = [move for move in options if move.kind not in FAULTS and scheduler.line_of(move) == "a"]
            return mine[0]
        if not self._is_over:
            self._is_over = True
            self._suspended, self._moves_left = "a", self._random.randrange(40)
            if self._jump is not None:
                return next(move for move in options if move.kind == self._jump)
        return super().choose(scheduler, options)


@dataclass
class Script(Chooser):
    """Follows a prefix of choices, then always takes the first; notes how many there were."""

    prefix: list[int]
    most_preemptions: int
    taken: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    preemptions: int = 0

    def choose(self, scheduler: Scheduler, options: list[Move]) -> Move:
        allowed = self._allowed(scheduler, options)
        place = len(self.taken)
        choice = self.prefix[place] if place < len(self.prefix) else 0
        self.taken.append(choice)
        self.widths.append(len(allowed))
        move = allowed[choice]
        self.preemptions += self._cost(scheduler, move, options)
        return move

    def _allowed(self, scheduler: Scheduler, options: list[Move]) -> list[Move]:
        """The line that has the turn first; others while preemptions are left; faults last."""
        left = self.most_preemptions - self.preemptions
        affordable = [move for move in options if self._cost(scheduler, move, options) <= left]
        return sorted(affordable, key=lambda move: (move.kind in FAULTS, scheduler.line_of(move) != scheduler.line))

    @staticmethod
    def _cost(scheduler: Scheduler, move: Move, options: list[Move]) -> int:
        """Leaving a line that could go on is a preemption; a fault, or a line that waits or has ended, is none."""
        if move.kind in FAULTS or not scheduler.line or scheduler.line_of(move) == scheduler.line:
            return 0
        return int(any(one.kind not in FAULTS and scheduler.line_of(one) == scheduler.line for one in options))

    def next_prefix(self) -> list[int] | None:
        """The next one in depth-first order; None when all have been."""
        for place in range(len(self.taken) - 1, -1, -1):
            if self.taken[place] + 1 < self.widths[place]:
                return [*self.taken[:place], self.taken[place] + 1]
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One schedule that held."""

    moves: tuple[str, ...]
    seconds: float  # virtual, from the last fault or move until healthy
    status: str


def run(stage: Stage, cast: Cast, chooser: Chooser, *, faults: int, is_fine: bool, has_password: bool = True) -> Ran:
    """Raises Violation, with the schedule in its words."""
    stage.reset()
    random.seed(len(stage.world.journal))
    scheduler = Scheduler(stage.clock, cast(stage), faults=faults, is_fine=is_fine)
    stage.set_sail(scheduler)
    try:
        watch = Watch(stage, scheduler)
        _play(scheduler, chooser, watch)
        watch.every_answer_is_kept()
        watch.nobody_ended_in_an_error()
        sea = stage.sea
        stage.scheduler = None
        seconds = stage.sweep()
        assert stage.sea is sea
        watch.all_is_well(seconds, has_password=has_password)
        return Ran(moves=tuple(map(str, scheduler.moves)), seconds=seconds, status=_status(stage))
    except Violation as violation:
        raise Violation("\n  ".join([str(violation), *_story(stage, scheduler)])) from violation
    finally:
        stage.scheduler = scheduler
        scheduler.end()
        stage.scheduler = None


def _story(stage: Stage, scheduler: Scheduler) -> list[str]:
    """What a person needs to see why: the moves, the attempts as they are stored, the grants as Sugar saw them."""
    attempts = Attempt.objects.filter(connection_id=stage.pk).order_by("number")
    grants = stage.world.journal.entries(endpoint="token")
    return [
        "moves: " + ", ".join(map(str, scheduler.moves)),
        *(f"attempt {one.number}: {one.kind} {one.rung} by {one.trigger}, {one.state} {one.fault}" for one in attempts),
        *(f"Sugar: {one.grant} {one.fingerprint} {one.status} {one.delivery}" for one in grants),
    ]


def _play(scheduler: Scheduler, chooser: Chooser, watch: Watch) -> None:
    while options := scheduler.options():
        if len(scheduler.moves) > MOST_MOVES:
            raise Violation(f"no end after {MOST_MOVES} moves")
        move = chooser.choose(scheduler, options)
        scheduler.make(move)
        actor = scheduler.actors.get(move.subject) if move.kind == Kind.RUN else None
        if actor is not None and actor.state == "done":
            if isinstance(actor.error, EXPECTED):
                actor.result, actor.error = actor.error, None
            watch.note_result(actor)
        watch.look()


def _status(stage: Stage) -> str:
    return str(Connection.objects.with_status().get(pk=stage.pk).status)


def everything(most_preemptions: int, most: int | None = None) -> Iterator[Script]:
    """Every schedule within the bound, depth first; the caller runs each before it asks for the next."""
    prefix: list[int] | None = []
    count = 0
    while prefix is not None and (most is None or count < most):
        script = Script(prefix, most_preemptions)
        yield script
        count += 1
        prefix = script.next_prefix()
