from __future__ import annotations

import re
import threading

import pytest
from django.db import connection, transaction

from connections.choices import EventKind
from connections.custody import journal
from connections.models import Connection, Event, database_now
from tests.api.conftest import Caller, Connect, MakeCaller, problem
from tests.serving.site import until

FIELDS = ["id", "at", "connection", "kind", "code", "summary", "attempt", "version", "actor"]


def write(public_id: str, words: str) -> None:
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(public_id=public_id)
        journal.write_event(row, EventKind.TESTED, words, at=database_now(), actor="ana")
        row.save(update_fields=["event_count"])


def read(worker: Caller, after: str = "", path: str = "events") -> tuple[list[str], str]:
    page = worker.get(f"{path}?after={after}" if after else path).json()
    return [item["summary"] for item in page["items"]], page["next"]


def test_events_show_exactly_this_and_oldest_first(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    items = caller("events:read").events(f"connections/{kept.public_id}/events")
    assert all(list(item) == FIELDS for item in items)
    assert [item["id"] for item in items] == sorted(item["id"] for item in items)
    assert items[0]["kind"] == "created"
    assert {item["connection"] for item in items} == {kept.public_id}
    assert {item["kind"] for item in items} <= set(EventKind.values)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", item["at"]) for item in items)
    signed_in = next(item for item in items if item["kind"] == "signed_in")
    assert (signed_in["attempt"], signed_in["version"], signed_in["code"]) == (1, 1, None)
    assert signed_in["actor"] == "ana"


def test_a_reader_can_tail(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    worker.events()
    _, after = read(worker)
    assert read(worker, after) == ([], after)
    write(kept.public_id, "one")
    assert until(lambda: read(worker, after)[0]) == ["one"]
    after = read(worker, after)[1]
    write(kept.public_id, "two")
    assert until(lambda: read(worker, after)[0]) == ["two"]


def test_a_tail_can_begin_before_there_is_anything(caller: MakeCaller) -> None:
    worker = caller()
    words, after = read(worker)
    assert words == [] and isinstance(after, str) and after
    assert read(worker, after) == ([], after)


def test_pages_follow_each_other(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    for number in range(5):
        write(kept.public_id, f"n{number}")
    worker = caller()
    worker.events()
    seen: list[int] = []
    after = ""
    while True:
        page = worker.get(f"events?limit=2{f'&after={after}' if after else ''}").json()
        if not page["items"]:
            break
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
    assert seen == list(Event.objects.order_by("pk").values_list("pk", flat=True))


def test_a_limited_key_reads_its_own_tenants_alone(connect: Connect, caller: MakeCaller) -> None:
    connect("13.3")
    assert read(caller(tenants=["other"]))[0] == []
    assert caller(tenants=["acme"]).events()


def test_the_end_of_a_connection_is_part_of_the_whole_history(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3")
    worker = caller()
    worker.delete(f"connections/{kept.public_id}")
    kinds = [item["kind"] for item in worker.events()]
    assert kinds[-1] == "deleted"
    problem(worker.get(f"connections/{kept.public_id}/events"), 404, "not_found")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "after=x", "after=MQ==", "after=LTE", "kind=created"])
def test_a_query_that_is_none_is_named(caller: MakeCaller, query: str) -> None:
    told = problem(caller().get(f"events?{query}"), 422, "invalid")
    assert list(told["errors"]) == [query.partition("=")[0]]


def test_no_event_is_passed_by_whose_transaction_is_still_open(
    connect: Connect, caller: MakeCaller, on_postgres: bool
) -> None:
    """Ids in one order, commits in the other: a reader who tails sees both, in order."""
    if not on_postgres:
        return  # SQLite has one writer at a time: this order cannot be
    slow, quick = connect("13.3"), connect("13.3")
    worker = caller()
    worker.events()
    _, after = read(worker)
    is_written, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        try:
            with transaction.atomic():
                row = Connection.objects.select_for_update().get(public_id=slow.public_id)
                journal.write_event(row, EventKind.TESTED, "older", at=database_now(), actor="ana")
                row.save(update_fields=["event_count"])
                is_written.set()
                may_commit.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=write_slowly)
    thread.start()
    assert is_written.wait(10)
    try:
        write(quick.public_id, "newer")
        assert read(worker, after) == ([], after)
    finally:
        may_commit.set()
        thread.join()
    # Tests that run beside this one have transactions too, on the same server.
    assert until(lambda: read(worker, after)[0]) == ["older", "newer"]
