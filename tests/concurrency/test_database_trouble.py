"""The database goes away, or says nothing after COMMIT: an answer in hand is neither lost nor stored twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from connections.choices import AttemptState, EventKind
from connections.custody import checkpoints, resolution, rounds, spool
from connections.custody.checkpoints import Point
from connections.models import Attempt, Event, TokenVersion
from tests.concurrency.invariants import alive
from tests.concurrency.stage import AS_IN_PRODUCTION, Stage, staged

GONE = "server closed the connection unexpectedly"
Reaction = Callable[[], None]


@pytest.fixture(params=["13.3", "cloud"])
def stage(request: pytest.FixtureRequest, transactional_db: None, configured: Callable[..., None]) -> Iterator[Stage]:
    configured(**AS_IN_PRODUCTION)
    with staged(request.param) as prepared, mock.patch.object(spool, "replay_soon"):
        prepared.reset()
        prepared.set_sail(None)
        yield prepared
        for path in spool.files():
            path.unlink()


@contextmanager
def once_at(point: Point, react: Reaction) -> Iterator[list[Point]]:
    """The first time a grant comes to this point."""
    reached: list[Point] = []

    def watch(now: Point, who: str) -> None:
        if now == point and point not in reached:
            reached.append(now)
            react()

    with mock.patch.object(checkpoints, "watcher", watch):
        yield reached


@contextmanager
def database_away() -> Iterator[Callable[[bool], None]]:
    """Switched off and on; off, nothing reaches the database and nothing comes from it."""
    is_away = [False]
    real = BaseDatabaseWrapper.cursor

    def cursor(self: BaseDatabaseWrapper) -> Any:
        if is_away[0]:
            raise OperationalError(GONE)
        return real(self)

    def switch(away: bool) -> None:
        is_away[0] = away
        if away:
            connection.close()

    with mock.patch.object(BaseDatabaseWrapper, "cursor", cursor):
        yield switch


@contextmanager
def silent_commit(point: Point) -> Iterator[list[Point]]:
    """The next COMMIT after this point is carried out, and the connection dies before it can say so."""
    armed = [False]
    real = BaseDatabaseWrapper._commit

    def commit(self: BaseDatabaseWrapper) -> None:
        real(self)
        if armed[0]:
            armed[0] = False
            raise OperationalError(GONE)

    def arm() -> None:
        armed[0] = True

    with mock.patch.object(BaseDatabaseWrapper, "_commit", commit), once_at(point, arm) as reached:
        yield reached


def refreshes(stage: Stage) -> int:
    return len(stage.world.journal.entries(endpoint="token", grant="refresh"))


def is_well(stage: Stage) -> bool:
    live = TokenVersion.objects.get(connection_id=stage.pk, state="live")
    return bool(stage.row.status == "healthy" and live.refresh_fingerprint in alive(stage.sugar))


def test_a_commit_whose_fate_is_unknown_is_found_and_not_repeated(stage: Stage) -> None:
    with silent_commit(Point.SETTLE_WRITTEN) as reached:
        assert rounds.tend(stage.pk) == "version"
    assert reached
    assert stage.row.version_count == 2
    assert refreshes(stage) == 1
    assert Event.objects.filter(connection_id=stage.pk, kind=EventKind.REFRESHED).count() == 1
    assert is_well(stage)


@pytest.mark.parametrize("point", [Point.CLAIM_WRITTEN, Point.VERIFY_ANSWERED])
def test_a_silent_commit_elsewhere_costs_time_and_nothing_else(stage: Stage, point: Point) -> None:
    with silent_commit(point) as reached, pytest.raises(OperationalError):
        rounds.tend(stage.pk)
    assert reached
    stage.sweep()
    assert is_well(stage)
    assert refreshes(stage) == 1
    assert stage.world.journal.presented_again() == []


@pytest.mark.parametrize(
    "point", [Point.CLAIM_START, Point.CLAIMED, Point.PREFLIGHT_DONE, Point.MARK_START, Point.VERIFY_START]
)
def test_a_database_that_goes_away_before_or_after_loses_nothing(stage: Stage, point: Point) -> None:
    with database_away() as switch:
        with once_at(point, lambda: switch(True)) as reached, pytest.raises(OperationalError):
            rounds.tend(stage.pk)
        assert reached
        switch(False)
        stage.sweep()
    assert is_well(stage)
    assert refreshes(stage) == 1


def test_an_answer_is_spooled_while_the_database_is_away_and_replayed(stage: Stage) -> None:
    with database_away() as switch:
        with once_at(Point.ANSWERED, lambda: switch(True)):
            assert rounds_end(stage) == "spooled"
        assert len(spool.files()) == 1
        switch(False)
        assert spool.replay() == 1
    assert spool.files() == []
    assert stage.row.version_count == 2
    stage.sweep()
    assert refreshes(stage) == 1
    assert is_well(stage)


def test_a_spool_file_shows_nothing_of_the_tokens(stage: Stage) -> None:
    with database_away() as switch:
        with once_at(Point.ANSWERED, lambda: switch(True)):
            rounds_end(stage)
        content = spool.files()[0].read_text()
        switch(False)
    secrets = [*stage.sugar.tables.rows, *stage.sugar.sessions, *stage.sugar.idm, *stage.sugar.idm_by_refresh]
    assert secrets and not [secret for secret in secrets if secret in content]
    assert spool.files()[0].stat().st_mode & 0o077 == 0


def replayed_after_the_take_over(stage: Stage, *, is_whole: bool = True) -> None:
    with database_away() as switch:
        with once_at(Point.ANSWERED, lambda: switch(True)):
            rounds_end(stage)
        switch(False)
    attempt = Attempt.objects.get(connection_id=stage.pk, state=AttemptState.SENT)
    stage.clock.advance_to(attempt.drain_until)
    with mock.patch.object(spool, "replay", return_value=0), once_at(Point.DOUBT_RAISED, lambda: None) as reached:
        stage.sugar.events.maintenance(True)  # so that no rung can be climbed yet
        rounds.tend(stage.pk)
        stage.sugar.events.maintenance(False)
    assert reached
    (path,) = spool.files()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"is_definite": is_whole}))
    assert spool.replay() == 1


def test_an_answer_replayed_after_the_take_over_is_a_candidate_and_proven_by_use(stage: Stage) -> None:
    """The sweeper has taken the grant over and may not say that the chain is lost: it lies on our own disk."""
    replayed_after_the_take_over(stage)
    stage.sweep()
    assert is_well(stage)
    origins = list(TokenVersion.objects.filter(connection_id=stage.pk).values_list("origin", flat=True))
    assert "password" not in origins[1:], "the kept answer was alive; nobody had to sign in"


def test_what_was_exchanged_for_a_kept_answer_is_not_presented_again_when_that_is_refused(stage: Stage) -> None:
    """Sugar gave the kept answer for the old token, which was spent by then."""
    replayed_after_the_take_over(stage)
    stage.sugar.events.delete_rows()
    stage.sweep()
    rungs = list(Attempt.objects.filter(connection_id=stage.pk).order_by("number").values_list("rung", "state"))
    assert ("candidate", "refused") in rungs
    assert stage.world.journal.presented_again() == []
    assert is_well(stage), "by the stored password"


def test_a_cut_answer_that_is_refused_says_nothing_of_what_it_was_given_for(stage: Stage) -> None:
    replayed_after_the_take_over(stage, is_whole=False)
    stage.sugar.events.delete_rows()
    with mock.patch.object(resolution, "_may_present_old", return_value=True):  # on the cloud, the password comes first
        stage.sweep()
    rungs = list(Attempt.objects.filter(connection_id=stage.pk).order_by("number").values_list("rung", flat=True))
    assert "old_refresh" in rungs[rungs.index("candidate") :]
    assert is_well(stage)


def test_a_file_replayed_twice_changes_nothing(stage: Stage) -> None:
    with database_away() as switch:
        with once_at(Point.ANSWERED, lambda: switch(True)):
            rounds_end(stage)
        switch(False)
    path = spool.files()[0]
    content = path.read_text()
    spool.replay()
    before = (stage.row.version_count, stage.row.event_count)
    path.write_text(content)
    assert spool.replay() == 1
    assert (stage.row.version_count, stage.row.event_count) == before


def rounds_end(stage: Stage) -> str:
    """The word of one round that ends in the spool; what comes after it has no database either."""
    try:
        return rounds.tend(stage.pk)
    except OperationalError:
        return "spooled" if spool.files() else "lost"
