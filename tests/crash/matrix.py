"""Every point × one connection: kills, one sweep, and a verdict on each."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connections.custody.checkpoints import Point
from connections.simulator import SimulatorServer
from connections.simulator.control import InstanceControl
from tests.crash.site import DRAIN, Site, new_instance

LONGEST_SWEEP = 65.0
DEEDS = {Point.CLAIMED: "hand_out", Point.ANSWERED: "rotate", Point.VERIFY_START: "hand_out", Point.MARKED: "rotate"}
ON_THE_WAY = (
    Point.CLAIM_START,
    Point.CLAIM_WRITTEN,
    Point.CLAIMED,
    Point.PREFLIGHT_DONE,
    Point.MARK_START,
    Point.MARKED,
    Point.ANSWERED,
    Point.SETTLE_START,
    Point.SETTLE_WRITTEN,
    Point.SETTLED,
    Point.VERIFY_START,
    Point.VERIFY_ANSWERED,
    Point.VERIFIED,
)
# From the first byte to the commit a kill loses the new refresh token: it is nowhere but on the way or in the process.
LOSS_WINDOW = frozenset(
    {"in flight", "in flight, rotated", "answered", "settle_start", "settle_written", "lost_noted", "doubt_raised"}
)

Blow = Callable[[Site, InstanceControl, str], float]


def at_point(point: Point) -> Blow:
    return lambda site, sugar, who: site.kill(who, DEEDS.get(point, "tend"), point)


def in_flight(step: str) -> Blow:
    return lambda site, sugar, who: site.kill_in_flight(who, "tend", sugar, step)


def noting_a_lost_answer(site: Site, sugar: InstanceControl, who: str) -> float:
    sugar.chaos("lost", endpoint="token", grant="refresh", count=1)
    return site.kill(who, "tend", Point.LOST_NOTED)


def raising_a_doubt(site: Site, sugar: InstanceControl, who: str) -> float:
    """The second process dies too, while it takes over from the first."""
    site.kill(who, "tend", Point.ANSWERED)
    time.sleep(DRAIN + 0.1)
    return site.kill(who, "tend", Point.DOUBT_RAISED)


BLOWS: dict[str, Blow] = {
    **{str(point): at_point(point) for point in ON_THE_WAY},
    "in flight": in_flight("arrived"),
    "in flight, rotated": in_flight("respond"),
    "lost_noted": noting_a_lost_answer,
    "doubt_raised": raising_a_doubt,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of one connection whose process was killed."""

    blow: str
    status: str
    code: str
    cause: str
    version: int
    is_alive: bool  # Sugar still takes the stored refresh token
    is_chain_lost: bool  # a sign-in was needed, or would have been
    seconds: float | None
    attempts: tuple[str, ...]

    @property
    def is_silently_dead(self) -> bool:
        return not self.is_alive and self.status == "healthy"

    @property
    def needs_person(self) -> bool:
        return self.status in ("down", "dying")


@dataclass
class Batch:
    """All blows on one generation, one database, with or without a password."""

    preset: str
    has_password: bool
    fates: list[Fate] = field(default_factory=list)
    presented_again: list[Any] = field(default_factory=list)


def run_batch(site: Site, simulator: SimulatorServer, preset: str, *, has_password: bool, rounds: int = 1) -> Batch:
    blows = [
        (name, blow, f"u{place}x{turn}") for turn in range(rounds) for place, (name, blow) in enumerate(BLOWS.items())
    ]
    sugar, url = new_instance(simulator, preset, [user for _, _, user in blows])
    ids = site.keeper.ask("connect", url=url, users=[user for _, _, user in blows], has_password=has_password)
    killed_at = {}
    for _, blow, user in blows:
        site.keeper.ask("make_due", public_id=ids[user])
        killed_at[ids[user]] = blow(site, sugar, ids[user])
    stories = site.keeper.ask("sweep", killed_at=killed_at, most=LONGEST_SWEEP)
    site.keeper.ask("retire", ids=list(killed_at))
    alive = _alive(simulator, sugar.name)
    batch = Batch(preset, has_password)
    for name, _, user in blows:
        batch.fates.append(_fate(name, stories[ids[user]], alive))
    verdict = simulator.control.verdict()
    batch.presented_again = [one for one in verdict["presented_again"] if one["instance"] == sugar.name]  # type: ignore[union-attr, attr-defined]
    return batch


def _fate(blow: str, story: dict[str, Any], alive: set[str]) -> Fate:
    is_lost = story["sign_ins"] > 1 or story["status"] in ("down", "dying")
    return Fate(
        blow=blow,
        status=story["status"],
        code=story["code"],
        cause=story["cause"],
        version=story["version"],
        is_alive=story["digest"] in alive,
        is_chain_lost=is_lost,
        seconds=story["seconds"],
        attempts=tuple(story["attempts"]),
    )


def _alive(simulator: SimulatorServer, name: str) -> set[str]:
    """Digests of the refresh tokens that this server would still take."""

    def tokens() -> list[str]:
        instance = simulator.world[name]
        pairs = [one.refresh for one in instance.idm.values() if one.refresh and one.active and not one.rotated]
        return [*instance.tables.rows, *pairs]

    return {hashlib.sha256(token.encode()).hexdigest() for token in simulator.run(tokens)}
