from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

from connections.custody import audit, guard
from connections.custody.audit import Actor
from connections.models import AuditRow, database_now
from connections.onboarding import registry

ANA = Actor(kind="staff", name="ana")
ROWS = 12


@pytest.fixture
def chain(transactional_db: None) -> list[int]:
    guard.forget()
    for number in range(ROWS):
        audit.record(ANA, "edit", at=database_now(), target=f"c_{number}", difference={"label": f"n{number}"})
    return list(AuditRow.objects.order_by("id").values_list("pk", flat=True))


def test_an_untouched_chain_is_whole(chain: list[int]) -> None:
    found = audit.verify()
    assert found.is_whole
    assert found.rows == ROWS
    assert audit.verify(found.head).is_whole


def edited(pk: int) -> None:
    AuditRow.objects.filter(pk=pk).update(actor="somebody else")


def redated(pk: int) -> None:
    AuditRow.objects.filter(pk=pk).update(at=database_now())


def quieted(pk: int) -> None:
    AuditRow.objects.filter(pk=pk).update(difference={})


def deleted(pk: int) -> None:
    AuditRow.objects.filter(pk=pk).delete()


def swapped(pk: int) -> None:
    one, two = AuditRow.objects.filter(pk__gte=pk).order_by("id")[:2]
    one.target, two.target = two.target, one.target
    one.save()
    two.save()


def copied(pk: int) -> None:
    row = AuditRow.objects.get(pk=pk)
    row.pk, row.digest = None, row.digest[::-1]
    row.save(force_insert=True)


@pytest.mark.parametrize("tamper", [edited, redated, quieted, deleted, swapped, copied])
def test_any_change_is_found(chain: list[int], tamper: Callable[[int], None]) -> None:
    tamper(random.Random(7).choice(chain[:-2]))
    assert not audit.verify().is_whole


def test_a_cut_tail_is_found_against_a_head(chain: list[int]) -> None:
    head = audit.verify().head
    AuditRow.objects.filter(pk__in=chain[-3:]).delete()
    assert audit.verify().is_whole  # nothing in the rest says that there was more
    assert not audit.verify(head).is_whole
    with pytest.raises(CommandError, match="cut off"):
        call_command("verify_audit", head=head)


def test_a_change_that_is_refused_leaves_no_row(transactional_db: None) -> None:
    guard.forget()
    fields = {"label": "a", "instance_url": "https://sugar.example.com", "platform": "intg", "username": "svc"}
    registry.create("acme", fields, ANA)
    before = AuditRow.objects.count()
    with pytest.raises(Exception, match="already uses"):
        registry.create("acme", fields, ANA)
    assert AuditRow.objects.count() == before
    assert audit.verify().is_whole
