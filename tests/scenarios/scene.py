"""One connection, the Sugar on the other side, and a clock that can be moved: what a scenario plays with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from connections.choices import Confidence, EventKind, FixBy
from connections.custody import actions, handout, reports
from connections.custody.actions import Report
from connections.custody.handout import HandedOut
from connections.custody.problems import CustodyProblem
from connections.models import Connection, Event
from connections.onboarding import registry
from connections.simulator.control import InstanceControl
from tests.custody.clock import Clock
from tests.custody.conftest import ANA, Kept, rest

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WITHOUT_PASSWORD = {"store_password": False}


@dataclass
class Scene:
    kept: Kept
    clock: Clock
    configured: Callable[..., None] = field(repr=False)
    password: str = "secret"

    @property
    def sugar(self) -> InstanceControl:
        return self.kept.sugar

    @property
    def row(self) -> Connection:
        return self.kept.row

    @property
    def told(self) -> tuple[str, str]:
        row = self.row
        return row.diagnosis_code, row.status

    # -- what time, workers and staff do

    def run(self, span: timedelta, until: Callable[[], bool] | None = None) -> list[str]:
        return self.clock.run(span, until=until)

    def configured_look(self, every: timedelta) -> None:
        """Fewer looks at the warm, so that days pass faster."""
        self.configured(look=every)

    def refresh_now(self) -> None:
        """As if its refresh were due a minute from now; until then what was seen lately is forgotten."""
        self.clock.jump(MINUTE)
        self.kept.make_due()
        self.clock.run(timedelta(seconds=1))

    def sign_in(self, password: str | None = None) -> Report:
        return actions.sign_in(self.kept.public_id, ANA, password=password)

    def report(self, words: dict[str, object]) -> HandedOut:
        """A worker was refused with the present version."""
        public_id, version = self.kept.public_id, self.row.version_count
        given = reports.rejected(public_id, tenants=None, version=version, wait=5, actor="worker", report=words)
        rest()
        return given

    def edit(self, **fields: object) -> None:
        registry.edit(self.kept.public_id, fields, ANA)

    def beside(self, **fields: object) -> Kept:
        """Another connection to the same instance."""
        own = {"label": "beside", "instance_url": self.row.instance_url, "platform": "intg", "username": "svc"}
        row = registry.create("acme", own | {"password": self.password} | fields, ANA)
        assert actions.sign_in(row.public_id, ANA).outcome == "done"
        return Kept(public_id=row.public_id, sugar=self.sugar, simulator=self.kept.simulator)

    def user(self, **changes: object) -> None:
        """Change the user's record in Sugar."""
        world, username = self.kept.simulator.world, self.row.username

        def change() -> None:
            found = world[self.sugar.name].find_user(username)
            for name, value in changes.items():
                setattr(found, name, value)

        self.kept.simulator.run(change)

    # -- what happened

    def codes(self, kind: EventKind = EventKind.DIAGNOSED) -> list[str]:
        return list(self.row.events.filter(kind=kind).order_by("number").values_list("code", flat=True))

    def trail(self) -> str:
        rows = Event.objects.filter(connection__public_id=self.kept.public_id).order_by("number")
        return "\n".join(f"{e.number} {e.at:%d %H:%M:%S} {e.kind} {e.code} {e.summary}" for e in rows)

    def pings(self) -> int:
        """Requests that carried one of our access tokens."""
        return sum(1 for entry in self.log() if entry["access_token"])

    def log(self, **filters: str | int) -> list[dict[str, Any]]:
        return self.kept.simulator.control.log(instance=self.sugar.name, **filters)  # type: ignore[return-value]


Play = Callable[[Scene], object]


def _nothing(scene: Scene) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Case:
    """A label, what is done to a signed-in connection, and what must be said about it."""

    label: str
    code: str
    status: str
    event: Play
    preset: str = "13.3"
    own: dict[str, Any] = field(default_factory=dict)  # parameters of the instance
    fields: dict[str, Any] = field(default_factory=dict)  # of the connection
    confidence: str = Confidence.CERTAIN
    fix_by: str = FixBy.NOBODY
    evidence: str = ""  # words that must stand in it
    within: timedelta = HOUR
    cure: Play | None = None
    heals_within: timedelta = timedelta(minutes=6)
    heals_alone: bool = True  # False: the cure itself is what a person does in the product

    def __str__(self) -> str:
        return self.label


def play(case: Case, scene: Scene) -> None:
    """Event, background, diagnosis; then the cure, and health by itself."""
    scene.kept.simulator.control.clear_log()
    case.event(scene)
    scene.run(case.within, until=lambda: scene.told == (case.code, case.status))
    assert scene.told == (case.code, case.status), f"{scene.told}\n{scene.trail()}"
    _check_words(case, scene)
    _check_worker(case, scene)
    if case.cure is not None:
        _check_cure(case, scene, case.cure)


def _check_words(case: Case, scene: Scene) -> None:
    diagnosis = scene.row.diagnosis
    assert diagnosis is not None
    assert diagnosis["code"] == case.code
    assert (diagnosis["confidence"], diagnosis["fix_by"]) == (case.confidence, case.fix_by), diagnosis
    assert diagnosis["evidence"], "a diagnosis without evidence"
    assert diagnosis["fix"], "a diagnosis without a next step"
    assert case.evidence in " ".join(item["text"] for item in diagnosis["evidence"]), diagnosis["evidence"]
    assert case.code in scene.codes(), f"no event says so\n{scene.trail()}"


def _check_worker(case: Case, scene: Scene) -> None:
    """A living token is served in every status, with the code as its warning; else 409 or 503 by the status."""
    row = scene.row
    lives = row.access_dead_at is None and row.access_expires_at is not None and row.access_expires_at > scene.clock.now
    try:
        given = handout.token(row.public_id, tenants=None, min_ttl=0, wait=0, actor="worker")
    except CustodyProblem as problem:
        assert not lives or case.code == "encryption_key_missing", problem
        is_persons = case.status in ("down", "draft", "paused", "dying")
        assert problem.http_status == (409 if is_persons else 503), problem
        assert problem.code == case.code
    else:
        assert lives and case.status != "down"
        assert given.warning == case.code
    rest()


def _check_cure(case: Case, scene: Scene, cure: Play) -> None:
    cure(scene)
    scene.run(case.heals_within, until=lambda: scene.row.status == "healthy" and not scene.row.trouble)
    row = scene.row
    assert (row.status, row.trouble) == ("healthy", ""), f"{scene.told}\n{scene.trail()}"
    if case.status not in ("healthy", "draft"):
        assert EventKind.RECOVERED in row.events.values_list("kind", flat=True)
    scene.run(timedelta(minutes=3))
    given = handout.token(row.public_id, tenants=None, actor="worker")
    assert scene.kept.accepts(given.access_token), "healthy, and Sugar does not accept its token"
