"""What is kept for how long, and how many rows are due: the page, the command, and what is then really deleted."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from connections import tasks
from connections.custody import pruning
from connections.models import Attempt, Event, database_now
from tests.custody.conftest import Connect
from tests.dashboard.people import signed_in

pytestmark = pytest.mark.django_db(transaction=True)
OLD = 7
"""Rows beyond the newest of a connection, which are always kept."""


@pytest.fixture
def aged(connect: Connect) -> None:
    """A connection with more events and attempts than are always kept, all of them long ago."""
    row = connect("13.3").row
    long_ago = database_now() - timedelta(days=200)
    for number in range(row.event_count + 1, pruning.NEWEST_KEPT + OLD + 1):
        Event.objects.create(connection=row, number=number, at=long_ago, kind="refreshed", status="healthy")
    for number in range(row.attempt_count + 1, pruning.NEWEST_KEPT + OLD + 1):
        Attempt.objects.create(
            connection=row, number=number, kind="test", trigger="staff", state="settled", generation=1,
            instance_url="u", username_key="u", platform_key="p", claimed_at=long_ago, send_by=long_ago,
            closed_at=long_ago,
        )  # fmt: skip
    Event.objects.filter(connection=row).update(at=long_ago)
    Attempt.objects.filter(connection=row).update(claimed_at=long_ago)
    kept = pruning.NEWEST_KEPT + OLD
    type(row).objects.filter(pk=row.pk).update(event_count=kept + 1, attempt_count=kept + 1)


def due() -> dict[str, int]:
    out = StringIO()
    call_command("prune_history", "--dry-run", "--json", stdout=out)
    found: dict[str, int] = json.loads(out.getvalue())
    return found


def shown() -> list[int]:
    page = signed_in("admin").get("/settings/history/").content.decode()
    assert "90 days" in page and "400 days" in page
    return [int(number) for number in re.findall(r'data-label="Due to go"><span>(\d+)</span>', page)]


def test_what_is_due_is_what_goes(aged: None) -> None:
    before = due()
    assert (before["events"], before["attempts"]) == (OLD, OLD)
    assert shown() == [before[name] for name in ("attempts", "events", "versions", "connections", "audit")]
    assert (Event.objects.count(), Attempt.objects.count()) == (pruning.NEWEST_KEPT + OLD,) * 2
    tasks.prune()
    assert (Event.objects.count(), Attempt.objects.count()) == (pruning.NEWEST_KEPT,) * 2
    assert (due()["events"], due()["attempts"]) == (0, 0)
