"""INV1–INV6 and INV8 asked after every move, INV7 and the server's verdict at the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from connections.choices import AttemptState, Trouble, VersionState
from connections.custody import handout, keys
from connections.custody.handout import HandedOut
from connections.models import Attempt
from connections.simulator import Instance
from tests.concurrency import stored
from tests.concurrency.scheduler import Actor, Scheduler
from tests.concurrency.stage import Stage

KEPT_STATES = frozenset({AttemptState.SETTLED, AttemptState.ANSWERED, AttemptState.DISCARDED, AttemptState.REFUSED})
DAILY = 23 * 3600.0  # seconds: the daily try of a dead token is fair
NEVER_CHANGES = (
    "number",
    "chain",
    "origin",
    "fingerprint",
    "refresh_fingerprint",
    "issued_at",
    "access_expires_at",
    "refresh_expires_at",
)


class Violation(AssertionError):
    """An invariant does not hold."""


@dataclass(eq=False)
class Watch:
    """Compares what is stored now with what was stored after the move before."""

    stage: Stage
    scheduler: Scheduler
    row: dict[str, Any] = field(default_factory=dict)
    attempts: dict[int, str] = field(default_factory=dict)
    versions: dict[int, dict[str, Any]] = field(default_factory=dict)
    handed_out: int = 0

    def __post_init__(self) -> None:
        self.row = stored.connection(self.stage.pk)
        self.attempts = self._states()
        self.versions = stored.versions(self.stage.pk)

    # --- after every move

    def look(self) -> None:
        self._one_grant_outstanding()
        if self.scheduler.has_committed:
            self.scheduler.has_committed = False
            self._compare()
        self._intent_is_on_disk()

    def _one_grant_outstanding(self) -> None:
        outstanding = Counter(one.triple for one in self.scheduler.voyages if not one.is_over)
        _require(max(outstanding.values(), default=0) <= 1, "INV1: two grants of one triple are outstanding")

    def _intent_is_on_disk(self) -> None:
        for voyage in self.scheduler.voyages:
            _require(voyage.attempt is not None, "INV4: a grant was sent before its intent was committed")

    def _compare(self) -> None:
        row, versions, attempts = stored.connection(self.stage.pk), stored.versions(self.stage.pk), self._states()
        _require(row["version_count"] >= self.row["version_count"], "INV2: the number of versions fell")
        _require(row["attempt_count"] >= self.row["attempt_count"], "INV2: the number of attempts fell")
        for number, before in self.versions.items():
            same = all(versions[number][name] == before[name] for name in NEVER_CHANGES)
            _require(same, f"INV2: version {number} was rewritten")
            is_back = before["state"] != VersionState.LIVE and versions[number]["state"] == VersionState.LIVE
            _require(not is_back, f"INV2: version {number} came back to life")
        for number in versions.keys() - self.versions.keys():
            self._settled_by_its_holder(versions[number], row)
        self._doubt_is_cleared_by_a_later_attempt(row, attempts)
        self.row, self.versions, self.attempts = row, versions, attempts
        self._no_silent_death(row, versions, attempts)

    def _settled_by_its_holder(self, version: dict[str, Any], row: dict[str, Any]) -> None:
        number, generation = version["attempt"], version["generation"]
        is_open = self.attempts.get(number) in (AttemptState.SENT, AttemptState.CLAIMED, None)
        _require(is_open, f"INV3: attempt {number} settled a version after it was {self.attempts.get(number)}")
        _require(generation == row["generation"], f"INV3: attempt {number} of an older generation was settled")

    def _doubt_is_cleared_by_a_later_attempt(self, row: dict[str, Any], attempts: dict[int, str]) -> None:
        doubt = self.row["doubt_after"]
        is_gone = doubt is not None and row["doubt_after"] is None and row["deleted_at"] is None
        if not is_gone or row["generation"] != self.row["generation"]:
            return
        later = [state for number, state in attempts.items() if number > doubt]
        is_told = any(state in (AttemptState.SETTLED, AttemptState.REFUSED) for state in later)
        _require(is_told, f"INV5: the doubt after attempt {doubt} was cleared by an older one")

    def _no_silent_death(self, row: dict[str, Any], versions: dict[int, Any], attempts: dict[int, str]) -> None:
        live = next((one for one in versions.values() if one["state"] == VersionState.LIVE), None)
        if live is None or live["refresh_fingerprint"] in alive(self.stage.sugar):
            return
        is_known = row["doubt_after"] is not None or row["trouble"] != Trouble.NONE or row["is_new_chain_wanted"]
        is_open = AttemptState.SENT in attempts.values()
        _require(is_known or is_open, "INV5: the stored refresh token is dead and nobody knows")

    def _states(self) -> dict[int, str]:
        return {one["number"]: one["state"] for one in stored.attempts(self.stage.pk)}

    # --- when the actors are gone

    def every_answer_is_kept(self) -> None:
        """An edit that made it worthless may have won."""
        generation = stored.connection(self.stage.pk)["generation"]
        found = stored.attempts(self.stage.pk)
        attempts = {one["number"]: one["state"] for one in found if one["generation"] == generation}
        for voyage in self.scheduler.voyages:
            actor = self.scheduler.actors.get(voyage.traveller)
            if not voyage.is_read or voyage.is_forgotten or actor is None or actor.is_crashed:
                continue
            state = attempts.get(voyage.attempt or 0, AttemptState.DISCARDED)
            _require(state in KEPT_STATES, f"INV6: the answer to attempt {voyage.attempt} was kept nowhere ({state})")

    def nobody_ended_in_an_error(self) -> None:
        for actor in self.scheduler.actors.values():
            if actor.error is not None:
                raise Violation(f"{actor.name} ended in {actor.error!r}") from actor.error

    def note_result(self, actor: Actor) -> None:
        """INV8, over all readers: one move at a time makes their order plain."""
        if isinstance(actor.result, HandedOut):
            _require(actor.result.version >= self.handed_out, "INV8: a reader got a lower version than was handed out")
            self.handed_out = actor.result.version

    # --- when the sweeper is done

    def all_is_well(self, seconds: float, *, has_password: bool) -> None:
        self.stage.sea.settle_journal()  # type: ignore[union-attr]
        self._nothing_presented_again()
        row = self.stage.row if stored.connection(self.stage.pk)["deleted_at"] is None else None
        if row is None or row.held_at is not None:
            return
        status = row.status
        versions = stored.versions(self.stage.pk).values()
        live = next((one for one in versions if one["state"] == VersionState.LIVE), None)
        if status in ("down", "dying") and row.is_new_chain_wanted:
            return  # an edit left the chain, and no password came with it
        if status in ("down", "dying"):
            _require(not has_password, f"INV7: {status} ({row.diagnosis_code}) in spite of a good password")
            _require(bool(row.diagnosis_code), f"{status} without a cause")
            is_dead = live is None or live["refresh_fingerprint"] not in alive(self.stage.sugar)
            _require(is_dead, f"{status} although the stored refresh token lives")
            return
        _require(status == "healthy", f"INV7: {status} ({row.diagnosis_code}) {seconds:.0f} s after the faults stopped")
        _require(self.stage.is_settled(), f"INV7: unproven {seconds:.0f} s after the faults stopped")
        assert live is not None
        _require(live["refresh_fingerprint"] in alive(self.stage.sugar), "INV5: healthy with a dead refresh token")
        given = handout.token(self.stage.public_id, tenants=None, actor="worker")
        answer = self.stage.sugar.call("GET", "/i/s1/rest/v10/ping", token=given.access_token)
        _require(answer.status == 200, "INV7: Sugar refuses the token that is handed out")

    def _nothing_presented_again(self) -> None:
        """Decided after we were told: what is marked as sent cannot be called back by what is learned then."""
        sent_at = dict(Attempt.objects.filter(connection_id=self.stage.pk).values_list("number", "sent_at"))
        voyages = {voyage.request.number: voyage for voyage in self.stage.sea.voyages}  # type: ignore[union-attr]
        for one in self.stage.world.journal.presented_again():
            decided_at = sent_at[voyages[one.number].attempt].timestamp()
            is_fair = decided_at <= one.told_at or decided_at - one.told_at > DAILY
            _require(is_fair, f"presented again after a definite answer: {one.fingerprint}, told {one.told_status}")
        _require(not self.stage.world.journal.without_platform(), "a grant went out without its platform")


def alive(sugar: Instance) -> set[str]:
    """Fingerprints of the refresh tokens that this server would still take."""
    tokens = [*sugar.tables.rows]
    tokens += [one.refresh for one in sugar.idm.values() if one.refresh and one.active and not one.rotated]
    return {keys.fingerprint(token) for token in tokens}


def _require(condition: bool, words: str) -> None:
    if not condition:
        raise Violation(words)
