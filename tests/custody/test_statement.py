"""Writes that go to the database in one message: the same rows in the same order, and the same complaints."""

from __future__ import annotations

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection, transaction

from connections.choices import EventKind
from connections.custody import journal, reads, statement
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


def test_a_transaction_that_begins_with_a_read_is_one(connect: Connect) -> None:
    row = connect("13.3").row
    before = row.label
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        locked = reads.locked(row.pk)
        locked.label = "renamed"
        statement.write(locked, ["label"])
        _ = 1 / 0
    assert Connection.objects.get(pk=row.pk).label == before
    with transaction.atomic():
        locked = reads.locked(row.pk)
        locked.label = "renamed"
        statement.write(locked, ["label"])
    assert reads.due(row.pk) is not None  # outside, it begins nothing that would have to be ended
    Connection.objects.filter(pk=row.pk).update(external_id="erp-1")
    connection.close()
    kept = Connection.objects.get(pk=row.pk)
    assert (kept.label, kept.external_id) == ("renamed", "erp-1")


def test_the_lock_of_a_read_that_begins_a_transaction_lasts_to_its_end(connect: Connect) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite locks the database, not a row")
    row = connect("13.3").row
    other = connection.copy()
    tries = "SELECT id FROM connections_connection WHERE id = %s FOR UPDATE NOWAIT"
    try:
        with transaction.atomic():
            reads.locked(row.pk)
            with pytest.raises(DatabaseError, match="could not obtain lock"), other.cursor() as cursor:
                cursor.execute(tries, [row.pk])
        with other.cursor() as cursor:
            cursor.execute(tries, [row.pk])
            assert cursor.fetchone() == (row.pk,)
    finally:
        other.close()
