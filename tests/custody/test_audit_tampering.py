"""Somebody with the database in his hands, but without our keys, changes the audit at random: it is always found."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from connections.custody import audit, audit_proof, guard, pruning
from connections.custody.audit import Actor
from connections.custody.audit_proof import Head
from connections.models import AuditRow, Tenant, database_now
from tests.audit_guard import unguarded
from tests.conftest import Configured

ROWS, PRUNED = 24, 6
TIMES = 1000
Dice = random.Random
Row = dict[str, Any]


@pytest.fixture
def head(transactional_db: None, configured: Configured) -> Head:
    """A chain with a pruned start and a checkpoint in its middle; its head, noted elsewhere."""
    configured(audit_retention=timedelta(days=400))
    guard.forget()
    tenants = [Tenant.objects.create(slug=slug, name=slug) for slug in ("acme", "north")]
    now = database_now()
    for number in range(ROWS):
        age = timedelta(days=500 if number < PRUNED else 100)
        kind = ("staff", "key", "command")[number % 3]
        audit.record(
            Actor(kind=kind, name=f"actor {number % 5}", address=f"192.0.2.{number}"), "edit", at=now - age,
            target=f"c_{number}", tenant=tenants[number % 2], difference={"label": f"n{number}"},
        )  # fmt: skip
        if number == 2 * PRUNED:
            assert pruning.prune_audit() == PRUNED
    found = audit_proof.verify()
    assert found.is_whole and found.head
    return found.head


def rows() -> list[Row]:
    columns = [field.attname for field in AuditRow._meta.concrete_fields]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM connections_auditrow ORDER BY id")
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def put(row: Row) -> None:
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(row))
        cursor.execute(f"INSERT INTO connections_auditrow ({', '.join(row)}) VALUES ({marks})", [*row.values()])


def change(number: int, **values: Any) -> None:
    with connection.cursor() as cursor:
        sets = ", ".join(f"{name} = %s" for name in values)
        cursor.execute(f"UPDATE connections_auditrow SET {sets} WHERE id = %s", [*values.values(), number])


def take(*numbers: int) -> None:
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(numbers))
        cursor.execute(f"DELETE FROM connections_auditrow WHERE id IN ({marks})", numbers)


def edit_a_word(dice: Dice) -> None:
    row, column = dice.choice(rows()), dice.choice(["actor_kind", "actor", "action", "target", "outcome"])
    change(row["id"], **{column: dice.choice([row[column] + " ", "x", row[column][:-1] + "~"])})


def edit_a_digest(dice: Dice) -> None:
    row, column = dice.choice(rows()), dice.choice(["previous", "digest"])
    change(row["id"], **{column: dice.choice(["", "0" * 64, row[column][:-1], row[column][::-1]])})


def edit_the_time(dice: Dice) -> None:
    row = dice.choice(list(AuditRow.objects.all()))
    AuditRow.objects.filter(pk=row.pk).update(at=row.at + timedelta(microseconds=dice.choice([-1, 1, 10**6, 10**11])))


def edit_the_address(dice: Dice) -> None:
    change(dice.choice(rows())["id"], address=dice.choice([None, "198.51.100.1", "2001:db8::1"]))


def edit_the_tenant(dice: Dice) -> None:
    row = dice.choice([row for row in rows() if row["tenant_id"]])
    others = [None, *Tenant.objects.exclude(pk=row["tenant_id"]).values_list("pk", flat=True)]
    change(row["id"], tenant_id=dice.choice(others))


def edit_the_difference(dice: Dice) -> None:
    value = dice.choice([{}, {"label": "x"}, [], "text", None, {"rows": 0, "digest": "0" * 64}])
    change(dice.choice(rows())["id"], difference=json.dumps(value))


def edit_a_checkpoint(dice: Dice) -> None:
    row = dice.choice(rows())
    change(row["id"], cleared_to=dice.choice([number for number in range(ROWS) if number != row["cleared_to"]]))


def renumber(dice: Dice) -> None:
    """The newest row, or all from some row on, one further."""
    numbers = [row["id"] for row in rows()]
    for number in reversed(numbers[dice.randrange(len(numbers)) :]):
        change(number, id=number + 1)


def delete_some(dice: Dice) -> None:
    numbers = [row["id"] for row in rows()]
    start = dice.randrange(len(numbers) - 1)
    take(*numbers[start : start + dice.randint(1, 5)])


def cut_the_tail(dice: Dice) -> None:
    numbers = [row["id"] for row in rows()]
    take(*numbers[-dice.randint(1, len(numbers)) :])


def cut_the_tail_and_go_on(dice: Dice) -> None:
    cut_the_tail(dice)
    audit.record(Actor(kind="staff", name="ana"), "edit", at=database_now())


def append_a_forgery(dice: Dice) -> None:
    newest = rows()[-1]
    forged = dice.choice(rows()) | {"id": newest["id"] + 1, "previous": newest["digest"], "digest": f"{dice.random()}"}
    put(forged | dice.choice([{}, {"cleared_to": newest["id"]}]))


def insert_a_copy(dice: Dice) -> None:
    """Room is made for it, as if it had always been there."""
    numbers = [row["id"] for row in rows()]
    place = dice.choice(numbers)
    copied = dice.choice(rows())
    for number in reversed([number for number in numbers if number >= place]):
        change(number, id=number + 1)
    put(copied | {"id": place, "digest": copied["digest"][::-1]})


def swap_two(dice: Dice) -> None:
    one, two = dice.sample(rows(), 2)
    take(one["id"], two["id"])
    put(one | {"id": two["id"]})
    put(two | {"id": one["id"]})


def swap_their_contents(dice: Dice) -> None:
    """Everything but number and digests changes places."""
    one, two = dice.sample([row for row in rows() if row["cleared_to"] is None], 2)
    kept = ("id", "previous", "digest")
    change(one["id"], **{name: value for name, value in two.items() if name not in kept})
    change(two["id"], **{name: value for name, value in one.items() if name not in kept})


def sign_with_another_key(dice: Dice) -> None:
    """All digests from some row on, made anew in order, by somebody who knows the code."""
    key, before = dice.randbytes(32), ""
    for position, row in enumerate(AuditRow.objects.order_by("id")):
        if position == 0:
            row.actor, before = "nobody", row.previous
        row.previous = before
        before = audit.digest_of(row, key)
        change(row.pk, actor=row.actor, previous=row.previous, digest=before)


TAMPERINGS: tuple[Callable[[Dice], None], ...] = (
    edit_a_word, edit_a_digest, edit_the_time, edit_the_address, edit_the_tenant, edit_the_difference,
    edit_a_checkpoint, renumber, delete_some, cut_the_tail, cut_the_tail_and_go_on, append_a_forgery, insert_a_copy,
    swap_two, swap_their_contents, sign_with_another_key,
)  # fmt: skip


class Undone(Exception):
    pass


def is_found(seed: int, head: Head) -> bool:
    dice = random.Random(seed)
    found = False
    try:
        with transaction.atomic(), unguarded():
            TAMPERINGS[seed % len(TAMPERINGS)](dice)
            found = not audit_proof.verify([head]).is_whole
            raise Undone
    except Undone:
        return found


def test_a_thousand_tamperings_are_found(head: Head) -> None:
    missed = [seed for seed in range(TIMES) if not is_found(seed, head)]
    assert [(seed, TAMPERINGS[seed % len(TAMPERINGS)].__name__) for seed in missed] == []
    assert audit_proof.verify([head]).is_whole, "the tamperings were undone"
