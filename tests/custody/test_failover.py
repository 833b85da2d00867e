"""A standby took over: what may have been lost is in doubt, everything else goes on, nobody is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connections.custody import copies, spool
from connections.models import Attempt, Installation, database_now
from tests.custody.clock import Clock
from tests.custody.conftest import Connect
from tests.custody.copying import grants, look, node, pretend

__all__ = ["node"]  # fixture


def test_a_new_timeline_doubts_recent_grants_and_asks_nobody(connect: Connect) -> None:
    recent, older = connect("12.0"), connect("12.0")
    Attempt.objects.filter(connection=older.row).update(claimed_at=database_now() - timedelta(minutes=40))
    failed_over()
    assert look() == ""
    assert [kept.row.status for kept in (recent, older)] == ["in_doubt", "healthy"]
    assert recent.tend() == "version"
    assert recent.row.status == "healthy"
    assert look() == ""
    assert recent.row.doubt_after is None


def failed_over(**more: object) -> None:
    """As on PostgreSQL when a standby takes over; SQLite has no timelines, so one is made up for it."""
    timeline = (Installation.objects.get().fingerprint["timeline"] or 1) + 7
    pretend(timeline=timeline, **more)


@pytest.fixture(autouse=True)
def timelines(monkeypatch: pytest.MonkeyPatch, on_postgres: bool) -> None:
    if not on_postgres:
        state = copies.identity.state
        monkeypatch.setattr(copies.identity, "state", lambda: replace(state(), timeline=1))


def test_the_quarter_of_an_hour_counts_from_when_the_old_primary_was_last_seen(connect: Connect, clock: Clock) -> None:
    kept = connect("12.0")
    look()
    clock.jump(timedelta(hours=3))
    failed_over()
    look()
    assert kept.row.doubt_after is not None


def test_after_a_fail_over_a_ping_decides_where_it_can(connect: Connect) -> None:
    kept = connect("13.3")
    failed_over()
    look()
    before = grants(kept)
    assert kept.row.status == "in_doubt"
    assert kept.tend() == "looked"
    assert kept.row.status == "healthy"
    assert grants(kept) == before


def test_spooled_answers_come_first(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = connect("12.0")
    seen: list[object] = []
    monkeypatch.setattr(spool, "replay", lambda: seen.append(kept.row.doubt_after) or 0)
    failed_over()
    look()
    assert seen == [None]


def test_a_fail_over_that_lost_tokens_asks_an_operator(connect: Connect) -> None:
    connect("13.3")
    failed_over()
    mark = copies.identity.read_mark()
    assert mark is not None
    copies.identity.write_mark(replace(mark, versions=mark.versions + 10_000))
    assert "older state" in look()
