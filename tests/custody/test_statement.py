"""Writes that go to the database in one message: the same rows in the same order, and the same complaints."""

from __future__ import annotations

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from connections.choices import EventKind
from connections.custody import journal, statement
from connections.models import Connection, database_now
from tests.custody.conftest import Connect

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_is_written_in_its_order_and_each_new_row_has_its_key(connect: Connect) -> None:
    row = connect("13.3").row
    row.label = "renamed"
    with transaction.atomic(), statement.together():
        first = journal.write_event(row, EventKind.EDITED, "one", at=database_now(), actor="ana")
        statement.write(row, ["label", "event_count"])
        second = journal.write_event(row, EventKind.EDITED, "two: 100 %s; done", at=database_now(), actor="ana")
        statement.write(row, ["event_count"])
    told = row.events.filter(pk__in=(first.pk, second.pk)).order_by("pk")
    assert [event.summary for event in told] == ["one", "two: 100 %s; done"]
    assert first.pk < second.pk
    assert Connection.objects.get(pk=row.pk).label == "renamed"
    assert Connection.objects.get(pk=row.pk).event_count == second.number


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_row_that_is_gone_is_noticed_among_others_and_nothing_is_kept(connect: Connect, place: int) -> None:
    row = connect("13.3").row
    row.label = "renamed"
    rows = [row, row, row]
    rows[place] = Connection(pk=row.pk + 1_000_000, label="nobody")
    with pytest.raises(ObjectDoesNotExist), transaction.atomic(), statement.together():
        for one in rows:
            statement.write(one, ["label"])
    assert Connection.objects.get(pk=row.pk).label != "renamed"


def test_what_breaks_off_sends_nothing_and_leaves_nothing_behind(connect: Connect) -> None:
    row = connect("13.3").row
    before, row.label = row.label, "renamed"
    with pytest.raises(ZeroDivisionError), transaction.atomic(), statement.together():
        statement.write(row, ["label"])
        _ = 1 / 0
    row.external_id = "erp-1"
    with transaction.atomic():
        statement.write(row, ["external_id"])
    kept = Connection.objects.get(pk=row.pk)
    assert (kept.label, kept.external_id) == (before, "erp-1")
