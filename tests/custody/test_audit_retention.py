"""Old audit rows go, below a checkpoint; what is left can still be verified, and nothing else can be deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from connections import tasks
from connections.custody import audit, audit_proof, guard, pruning
from connections.custody.audit import Actor
from connections.custody.audit_proof import Head
from connections.models import AuditRow, database_now
from tests.audit_guard import unguarded
from tests.conftest import Configured

ANA = Actor(kind="staff", name="ana")
OLD, NEW = 8, 5


@pytest.fixture
def aged(transactional_db: None, configured: Configured) -> list[Head]:
    """Eight rows older than the retention, five younger ones; the head after each."""
    configured(audit_retention=timedelta(days=400))
    guard.forget()
    now = database_now()
    heads = []
    for number in range(OLD + NEW):
        at = now - timedelta(days=500 - number if number < OLD else 100)
        audit.record(ANA, "edit", at=at, target=f"c_{number}")
        row = AuditRow.objects.latest("id")
        heads.append(Head(row=row.pk, digest=row.digest))
    return heads


def numbers() -> list[int]:
    return list(AuditRow.objects.order_by("id").values_list("pk", flat=True))


def test_what_is_too_old_goes_and_the_rest_is_whole_against_every_head(aged: list[Head]) -> None:
    assert pruning.due().audit == OLD
    assert pruning.prune_audit(ANA) == OLD
    assert pruning.due().audit == 0
    assert numbers() == [*range(OLD + 1, OLD + NEW + 2)]
    checkpoint = AuditRow.objects.latest("id")
    assert (checkpoint.action, checkpoint.actor, checkpoint.cleared_to) == ("prune_audit", "ana", OLD)
    assert checkpoint.difference == {"rows": OLD, "digest": aged[OLD - 1].digest}
    assert audit_proof.verify(aged).is_whole
    assert pruning.prune_audit(ANA) == 0
    assert numbers()[-1] == checkpoint.pk, "nothing is due, so no checkpoint is written"


def test_it_goes_on_where_it_was_stopped(aged: list[Head], monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(rows: object) -> int:
        AuditRow.objects.filter(pk__lte=3).delete()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pruning, "_delete", stop)
        pruning.prune_audit(ANA)
    assert numbers()[0] == 4
    assert audit_proof.verify(aged).is_whole
    assert pruning.prune_audit(ANA) == OLD - 3
    assert AuditRow.objects.filter(action="prune_audit").count() == 1
    assert audit_proof.verify(aged).is_whole


def test_only_what_lies_below_the_checkpoint_can_be_deleted(aged: list[Head]) -> None:
    pruning.prune_audit(ANA)
    with pytest.raises(IntegrityError):
        AuditRow.objects.filter(pk=OLD + 1).delete()
    with unguarded():
        AuditRow.objects.filter(pk=OLD + 1).delete()
    assert audit_proof.verify().broken_at == OLD + 2


def test_a_forged_checkpoint_opens_the_door_and_is_found(aged: list[Head]) -> None:
    newest = AuditRow.objects.latest("id")
    newest.pk, newest.previous, newest.digest, newest.cleared_to = newest.pk + 1, newest.digest, "f" * 64, 12
    newest.difference = {"digest": aged[11].digest}
    newest.save(force_insert=True)
    AuditRow.objects.filter(pk__lte=12).delete()
    assert audit_proof.verify().broken_at == newest.pk


def forge(newest: AuditRow, *, cleared_to: int) -> None:
    newest.pk, newest.previous, newest.digest, newest.cleared_to = newest.pk + 1, newest.digest, "f" * 64, cleared_to
    newest.save(force_insert=True)


def test_the_retention_deletes_nothing_on_the_word_of_a_forged_checkpoint(
    aged: list[Head], caplog: pytest.LogCaptureFixture
) -> None:
    forge(AuditRow.objects.latest("id"), cleared_to=OLD + NEW)
    with pytest.raises(CommandError, match=f"Row {OLD + NEW + 1} of the audit is no checkpoint of ours"):
        call_command("prune_history")
    assert tasks.prune() == "pruned 0"
    assert "no checkpoint of ours" in caplog.text
    assert numbers() == [*range(1, OLD + NEW + 2)]


@pytest.mark.parametrize("beyond", [1, 10**9])
def test_no_checkpoint_reaches_as_far_as_itself(aged: list[Head], beyond: int) -> None:
    """Else all that is newer could go, the forged one with it, and what is left would look whole."""
    with pytest.raises(IntegrityError, match="audit rows are not changed"):
        forge(AuditRow.objects.latest("id"), cleared_to=OLD + NEW + beyond)
    assert audit_proof.verify(aged).is_whole


def test_an_audit_that_is_broken_where_it_is_due_is_left_as_it_is(
    aged: list[Head], caplog: pytest.LogCaptureFixture
) -> None:
    with unguarded():
        AuditRow.objects.filter(pk=3).update(actor="nobody")
    with pytest.raises(CommandError, match="broken at row 3: nothing of it was deleted"):
        call_command("prune_history")
    assert tasks.prune() == "pruned 0"
    assert "broken at row 3" in caplog.text
    assert numbers() == [*range(1, OLD + NEW + 1)]


def test_when_everything_is_too_old_the_checkpoint_is_what_stays(aged: list[Head], configured: Configured) -> None:
    configured(audit_retention=timedelta(days=1))
    assert pruning.prune_audit() == OLD + NEW
    assert numbers() == [OLD + NEW + 1]
    assert audit_proof.verify(aged).is_whole


def test_the_daily_walk_logs_the_head(aged: list[Head], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert tasks.verify_audit() == f"whole, {OLD + NEW} rows"
    assert str(aged[-1]) in caplog.text
    with unguarded():
        AuditRow.objects.filter(pk=9).delete()
    assert tasks.verify_audit() == "broken at 10"
