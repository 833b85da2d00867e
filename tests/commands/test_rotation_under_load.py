"""Every secret moves to another key while people write: no read fails, no write is lost, nothing is left behind."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from django.db import connection, transaction

from connections.custody import columns, keys
from connections.custody.audit import Actor
from connections.custody.handout import find
from connections.models import Connection, Tenant, database_now
from connections.onboarding import registry
from connections.vault import VaultError
from tests.commands.conftest import NEW, OLD, OWN, Run
from tests.concurrency.figures import show

ANA = Actor(kind="staff", name="ana")
WRITERS, READERS = 4, 2
CAMPAIGN = 10_000


@dataclass
class Traffic:
    """People at work: each writer has connections of his own, so that he knows what must stand there."""

    rows: list[Connection]
    stop: threading.Event = field(default_factory=threading.Event)
    written: dict[int, str] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)
    reads: Iterator[int] = field(default_factory=itertools.count)

    def write(self, share: int) -> None:
        chance, mine = random.Random(share), self.rows[share::WRITERS]
        while not self.stop.is_set():
            row, text = chance.choice(mine), f"password {chance.random()}"
            registry.edit(row.public_id, {"password": text}, ANA)
            self.written[row.pk] = text
            assert self.read(row) == text

    def look(self, share: int) -> None:
        chance = random.Random(WRITERS + share)
        while not self.stop.is_set():
            assert self.read(chance.choice(self.rows)).startswith("password ")

    def read(self, row: Connection) -> str:
        fresh = find(row.public_id, None)
        assert fresh.password is not None
        next(self.reads)
        return keys.keyring().open(fresh.password, keys.password_context(fresh))

    def run(self, deed: Callable[[int], None], share: int) -> None:
        try:
            deed(share)
        except (VaultError, AssertionError) as failed:
            self.failures.append(failed)
        finally:
            connection.close()

    def while_they_work(self, deed: Callable[[], None]) -> None:
        crowd = [(self.write, share) for share in range(WRITERS)] + [(self.look, share) for share in range(READERS)]
        threads = [threading.Thread(target=self.run, args=one) for one in crowd]
        for thread in threads:
            thread.start()
        try:
            deed()
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()


def fleet(size: int) -> list[Connection]:
    """`size` connections, each with a password under the key of the ring."""
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    now = database_now()
    rows = [
        Connection(
            tenant=tenant, label="x", instance_url=f"https://x{number}.example", host=f"x{number}.example:443",
            platform="p", platform_key="p", username="u", username_key="u", password_number=1,
            created_at=now, updated_at=now,
        )
        for number in range(size)
    ]  # fmt: skip
    for number, row in enumerate(rows):
        row.password = keys.keyring().seal(f"password {number}", keys.password_context(row))
    with transaction.atomic():
        Connection.objects.bulk_create(rows, batch_size=500)
    return rows


def rotate_while_people_write(ring: Callable[[str], None], run: Run, size: int) -> None:
    rows = fleet(size)
    ring(f"{NEW},{OLD}")
    traffic, said, began = Traffic(rows), [], time.perf_counter()
    traffic.while_they_work(lambda: said.append(run("rotate_encryption_key", "--json")))
    seconds = time.perf_counter() - began
    left = {use["key_id"]: use["values"] for use in said[0].json}
    show(
        f"{size} values, {WRITERS} writers on {connection.vendor}: sealed anew in {seconds:.1f} s beside "
        f"{len(traffic.written)} rows written and {next(traffic.reads)} reads; "
        f"{len(traffic.failures)} reads failed, {left['k1']} values left behind"
    )
    assert not traffic.failures
    assert left == {"k2": size + OWN, "k1": 0}
    assert traffic.written, "nobody wrote: this showed nothing"
    assert_all_open(ring, traffic)


def assert_all_open(ring: Callable[[str], None], traffic: Traffic) -> None:
    """With the old key gone, each connection has what was written last."""
    ring(NEW)
    assert columns.counts() == {"k2": len(traffic.rows) + OWN}
    for row in Connection.objects.select_related("tenant").iterator():
        assert row.password is not None
        first = f"password {row.instance_url.removeprefix('https://x').removesuffix('.example')}"
        assert keys.keyring().open(row.password, keys.password_context(row)) == traffic.written.get(row.pk, first)


def test_under_load_no_read_fails_no_write_is_lost_and_nothing_is_left(ring: Callable[[str], None], run: Run) -> None:
    rotate_while_people_write(ring, run, 400)


@pytest.mark.campaign
def test_ten_thousand_values_move_under_four_writers(ring: Callable[[str], None], run: Run) -> None:
    rotate_while_people_write(ring, run, CAMPAIGN)
