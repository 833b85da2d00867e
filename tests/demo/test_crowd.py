"""A crowd is written as custody would have left it, and nothing ever touches it by itself."""

from __future__ import annotations

import pytest
from django.db.models import Count, F, Max, Min, Q

from connections.choices import Status, Trouble, VersionState
from connections.custody import audit_proof, columns, journal, keys
from connections.custody.audit import Actor
from connections.custody.ledger import upkeep
from connections.demo import seeding
from connections.diagnosis import status_of
from connections.models import Attempt, Connection, Event, TokenVersion, database_now

pytestmark = pytest.mark.django_db
STAFF = Actor(kind="staff", name="demo")
SIZE, GRANTS = 400, 12


def test_a_crowd_is_what_custody_would_have_left() -> None:
    """One world for all: to write it is what takes the time."""
    written = seeding.seed(SIZE, STAFF, grants_each=GRANTS)
    told = (written.connections, written.attempts, written.versions, written.events)
    assert told == tuple(model.objects.count() for model in (Connection, Attempt, TokenVersion, Event))
    _every_status_is_there_and_is_what_the_journal_says()
    _numbers_have_no_gaps()
    _secrets_open()
    _keys_follow_the_times(written)
    _nothing_is_ever_due()


def _every_status_is_there_and_is_what_the_journal_says() -> None:
    rows = list(Connection.objects.with_status())
    now = database_now()
    assert {row.status for row in rows} == set(Status)  # type: ignore[attr-defined]  # annotated
    for row in rows:
        assert row.status == status_of(journal.state_of(row), now)  # type: ignore[attr-defined]
        assert (row.trouble == Trouble.NONE) is (row.diagnosis_code == "")


def _numbers_have_no_gaps() -> None:
    for kind, count in (("attempts", "attempt_count"), ("versions", "version_count"), ("events", "event_count")):
        found = Connection.objects.annotate(rows=Count(kind), first=Min(f"{kind}__number"), last=Max(f"{kind}__number"))
        assert not found.exclude(rows=F(count)), kind
        assert not found.filter(rows__gt=0).exclude(Q(first=1) & Q(last=F(count))), kind


def _secrets_open() -> None:
    live = TokenVersion.objects.filter(state=VersionState.LIVE).select_related("connection__tenant", "attempt")
    assert live.count() == Connection.objects.filter(version_count__gt=0).count()
    for version in live[:5]:
        assert version.number == version.connection.version_count
        assert version.attempt is not None
        assert version.attempt.version == version.number
        assert len(keys.opened_access(version.connection, version)) == 40
    assert not columns.counts()[columns.UNREADABLE]
    assert audit_proof.verify().is_whole


def _keys_follow_the_times(written: seeding.Seeded) -> None:
    claimed = list(Attempt.objects.order_by("pk").values_list("claimed_at", flat=True))
    assert claimed == sorted(claimed)
    assert claimed[-1] <= database_now()
    before = Attempt.objects.latest("pk")
    before.pk, before.public_id, before.number = None, "a_another", 10_000
    before.save(force_insert=True)
    assert before.pk == written.attempts + 1, "the sequence has moved along"


def _nothing_is_ever_due() -> None:
    """Else the background would knock at hosts that do not exist."""
    assert not upkeep.is_anything_due()
    assert not Connection.objects.exclude(due_at=None).exists()
    assert not Connection.objects.exclude(host__endswith=".example:443").exists()
