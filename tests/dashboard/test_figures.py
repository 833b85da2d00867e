"""The numbers behind the plots, against the same counted by hand; each plot says them in its table too."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connections.choices import AttemptKind, AttemptState, EventKind, Status, Trigger
from connections.custody import actions
from connections.dashboard import figures, history
from connections.models import Attempt, Connection, Event, TokenVersion, database_now
from tests.custody.conftest import ANA, Connect
from tests.dashboard.conftest import Draft
from tests.dashboard.people import signed_in

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def journal(row: Connection, at: datetime, *, state: str = AttemptState.SETTLED, ms: int | None = None) -> Attempt:
    """One closed grant of then, as the ledger writes it."""
    row.attempt_count += 1
    sent: dict[str, Any] = {"sent_at": at, "drain_until": at + MINUTE, "http_status": 200 if ms is not None else None}
    return Attempt.objects.create(
        connection=row, number=row.attempt_count, kind=AttemptKind.REFRESH, trigger=Trigger.BACKGROUND, state=state,
        generation=1, instance_url=row.instance_url, username_key="svc", platform_key="intg", claimed_at=at,
        closed_at=at + MINUTE, answer="v1:k:n:c" if state == AttemptState.ANSWERED else None,
        timings={} if ms is None else {"grant": {"total_ms": ms}}, **sent,
    )  # fmt: skip


def test_grants_are_counted_by_the_hour_and_by_what_they_came_to(draft: Draft) -> None:
    row, now = draft(), database_now()
    chance = random.Random(7)
    expected: Counter[tuple[int, str]] = Counter()
    start = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    state_of = {"good": "settled", "refused": "refused", "unknown": "in_doubt", "unsent": "abandoned"}
    for _ in range(120):
        at = now - timedelta(seconds=chance.randrange(30 * 3600))
        outcome = chance.choice([*state_of])
        journal(row, at, state=state_of[outcome])
        expected[math.floor((at - start).total_seconds() / 3600), outcome] += 1
    for _ in range(2):  # once counted, once with the hours that are over remembered
        series = figures.grants_by_hour(None, now)
        found = {(slot, name): series.counts[name][slot] for name in state_of for slot in range(24)}
        assert {key: count for key, count in found.items() if count} == {
            key: count for key, count in expected.items() if key[0] >= 0
        }


def test_the_running_hour_is_counted_each_time_and_the_ones_before_are_not(draft: Draft) -> None:
    row, now = draft(), database_now()
    assert figures.grants_by_hour(None, now).totals["good"] == 0
    journal(row, now)
    assert figures.grants_by_hour(None, now).totals["good"] == 1
    with CaptureQueriesContext(connection) as spent:
        figures.grants_by_hour(None, now)
    counting = [query["sql"] for query in spent if "connections_attempt" in query["sql"]]
    assert len(counting) == 1
    remembered = figures.HOUR * 23 - figures.LATEST_CLOSE
    journal(row, now - remembered)
    assert figures.grants_by_hour(None, now).totals["good"] == 1


def test_staff_of_one_tenant_see_figures_of_that_tenant_alone(draft: Draft) -> None:
    ours, foreign, now = draft("Ours", tenant="ours"), draft("Foreign", tenant="foreign"), database_now()
    journal(ours, now)
    journal(foreign, now)
    assert figures.grants_by_hour(frozenset({ours.tenant_id}), now).totals["good"] == 1
    assert figures.grants_by_hour(None, now).totals["good"] == 2
    for row in (ours, foreign):
        Connection.objects.filter(pk=row.pk).update(access_expires_at=now + MINUTE)
    assert figures.expiry_horizon(frozenset({ours.tenant_id}), now).totals["ending"] == 1
    Connection.objects.update(due_at=now)
    for tenants, told in (((), b"2 connections due"), (("ours",), b"1 connection due")):
        assert told in signed_in("viewer", tenants=tenants).get("/system/").content


def test_the_expiry_horizon_counts_what_ends_in_each_five_minutes(draft: Draft) -> None:
    now = database_now()
    ends = {"Soon": MINUTE, "Same": 4 * MINUTE, "Later": 62 * MINUTE, "Past": -MINUTE, "Far": 121 * MINUTE}
    for label, span in ends.items():
        Connection.objects.filter(pk=draft(label).pk).update(access_expires_at=now + span)
    dead = draft("Dead")
    Connection.objects.filter(pk=dead.pk).update(access_expires_at=now + MINUTE, access_dead_at=now)
    counts = figures.expiry_horizon(None, now).counts["ending"]
    assert {slot: count for slot, count in enumerate(counts) if count} == {0: 2, 12: 1}


def test_percentiles_are_those_of_the_nearest_rank_over_all_connections_of_the_instance(draft: Draft) -> None:
    row, now = draft("One"), database_now()
    other = draft("Two", username="other")
    Connection.objects.filter(pk=other.pk).update(instance_url=row.instance_url)
    start = now - timedelta(hours=1)
    values = random.Random(3).sample(range(10_000), 57)
    for number, value in enumerate(values):
        journal(row if number % 2 else other, start + MINUTE, ms=value)
    journal(row, start + 31 * MINUTE, ms=5)
    journal(row, start + 32 * MINUTE)  # no answer: how long it took says nothing
    journal(draft("Elsewhere"), start + MINUTE, ms=77_777)
    first, second = figures.latency_of_instance(row, None, start=start, step=30 * MINUTE)
    ranked = sorted(values)
    assert (first.count, first.p50, first.p95) == (
        57,
        ranked[math.ceil(57 * 0.5) - 1],
        ranked[math.ceil(57 * 0.95) - 1],
    )
    assert (second.count, second.p50, second.p95) == (1, 5, 5)


def tell(row: Connection, at: datetime, status: str, kind: str = EventKind.DIAGNOSED) -> Event:
    row.event_count += 1
    return Event.objects.create(
        connection=row, number=row.event_count, at=at, kind=kind, status=status, summary="", actor="background"
    )


def test_the_status_over_time_has_no_gaps_and_one_row_for_each_flip(draft: Draft) -> None:
    row, now = draft(), database_now()
    Event.objects.filter(connection=row).delete()
    hours = lambda number: now - timedelta(hours=number)  # noqa: E731  # reads like the story it tells
    tell(row, hours(30), Status.HEALTHY)
    tell(row, hours(20), Status.HEALTHY, EventKind.REFRESHED)
    failed = tell(row, hours(10), Status.HEALTHY, EventKind.GRANT_FAILED)
    Event.objects.filter(pk=failed.pk).update(at=hours(5))
    retrying = tell(row, hours(5), Status.RETRYING)
    tell(row, hours(4), Status.HEALTHY, EventKind.RECOVERED)
    found = history.stretches(row, start=hours(24), now=now)
    assert [(one.status, one.begin, one.end) for one in found] == [
        (Status.HEALTHY, hours(24), hours(5)), (Status.RETRYING, hours(5), hours(4)), (Status.HEALTHY, hours(4), now),
    ]  # fmt: skip
    assert found[1].event == retrying.number


def test_a_dying_connection_goes_down_when_its_token_ends_without_an_event(draft: Draft) -> None:
    row, now = draft(), database_now()
    began, ended = now - timedelta(hours=3), now - timedelta(hours=2)
    tell(row, now - timedelta(days=2), Status.HEALTHY)
    TokenVersion.objects.create(
        connection=row, number=1, chain=1, origin="password", state="lost", fingerprint="0" * 8,
        issued_at=began - MINUTE, access_expires_at=ended, ended_at=now,
    )  # fmt: skip
    tell(row, began, Status.DYING)
    found = history.stretches(row, start=now - timedelta(hours=24), now=now)
    assert [(one.status, one.begin) for one in found[-2:]] == [(Status.DYING, began), (Status.DOWN, ended)]
    assert found[-1].event is None


def test_every_event_carries_the_status_that_it_led_to(connect: Connect) -> None:
    kept = connect("13.3", fields={"store_password": False})
    kept.sugar.outside_login("svc", "intg")
    kept.make_due()
    kept.tend()
    actions.pause(kept.public_id, ANA)
    actions.resume(kept.public_id, ANA)
    told = Event.objects.filter(connection=kept.row).order_by("number").values_list("kind", "status")
    assert ("signed_in", "healthy") in told
    assert ("paused", "paused") in told
    assert told.last() == ("resumed", kept.row.status)
    assert kept.row.status == "down"
    assert history.stretches(kept.row, start=kept.row.created_at, now=database_now())[-1].status == "down"


def test_the_table_of_a_plot_says_what_is_drawn(draft: Draft) -> None:
    row = draft()
    for number in range(5):
        journal(
            row, database_now() - timedelta(minutes=40 * number), state="refused" if number % 2 else "settled", ms=9
        )
    page = signed_in("viewer").get("/overview/").content.decode()
    plot = re.search(r'<figure class="plot" data-plot="grants">.*?</figure>', page, re.DOTALL)
    assert plot is not None
    tooltips = [
        int(count)
        for told in re.findall(r"<rect[^>]*><title>([^<]*)", plot[0])
        for count in re.findall(r" (\d+)", told)
    ]
    cells = [int(cell) for cell in re.findall(r'<td class="number">(\d+)</td>', plot[0])]
    assert sum(cells) == 5
    assert len(re.findall("<tr>", plot[0])) == 25
    assert max(tooltips) == max(cells)


def test_the_sentence_of_a_plot_writes_its_numbers_as_the_axis_does(draft: Draft) -> None:
    row = draft()
    journal(row, database_now() - MINUTE, ms=1221)
    page = signed_in("viewer").get(f"{row.get_absolute_url()}timeline/").content.decode()
    assert "95 % within 1,221 ms." in page
    assert ">1,221 ms</span>" in page


@pytest.mark.parametrize("query", ["", "?span=7d", "?span=30d&kind=trouble", "?span=nonsense&kind=nonsense&before=x"])
def test_a_timeline_costs_as_many_queries_after_a_year_as_after_an_hour(draft: Draft, query: str) -> None:
    row = draft()
    client = signed_in("viewer", tenants=("acme",))
    path = row.get_absolute_url() + "timeline/" + query
    now = database_now()
    for number in range(3):
        tell(row, now - timedelta(minutes=60 - number), Status.DYING if number % 2 else Status.HEALTHY)
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        assert client.get(path).status_code == 200
    for number in range(90):
        tell(row, now - timedelta(minutes=50) + timedelta(seconds=number), Status.DYING if number % 2 else Status.DOWN)
        journal(row, now - timedelta(minutes=number), ms=number)
    with CaptureQueriesContext(connection) as many:
        client.get(path)
    assert len(many) <= len(few) <= 15
