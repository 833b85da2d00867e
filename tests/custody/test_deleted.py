"""Somebody deletes a connection between another's look at it and what he does with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command

from connections.choices import LinkKind
from connections.custody import actions
from connections.custody.ledger import desk, edits, links
from connections.models import AuditRow, Connection, Event, Note, TokenVersion
from connections.onboarding import registry
from tests.custody.clock import Clock
from tests.custody.conftest import ANA, Connect, connect, simulator

__all__ = ["connect", "simulator"]
DEEDS: dict[str, Callable[[int], object]] = {
    "edit": lambda pk: edits.edit(pk, registry.read({"label": "other"}, is_new=False), ANA),
    "pause": lambda pk: edits.pause(pk, ANA),
    "hold": lambda pk: edits.hold(pk, ANA),
    "resume": lambda pk: edits.resume(pk, ANA),
    "delete": lambda pk: edits.delete(pk, ANA),
    "link": lambda pk: links.issue(
        pk, LinkKind.GUIDE, token_hash="0" * 64, lifetime=timedelta(hours=1), seen=0, actor=ANA
    ),
    "snooze": lambda pk: desk.snooze(pk, timedelta(hours=1), "x", ANA),
    "wake": lambda pk: desk.wake(pk, ANA),
    "note": lambda pk: desk.write_note(pk, "x", ANA),
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_who_comes_too_late_changes_nothing(connect: Connect, deed: Callable[[int], object]) -> None:
    kept = connect("13.3", sign_in=False)
    pk = kept.row.pk
    actions.delete(kept.public_id, ANA)
    before = AuditRow.objects.count(), Event.objects.count(), Connection.objects.values().get(pk=pk)
    with pytest.raises(Connection.DoesNotExist):
        deed(pk)
    assert (AuditRow.objects.count(), Event.objects.count(), Connection.objects.values().get(pk=pk)) == before


def test_what_is_left_of_a_deleted_connection_goes_with_its_retention(connect: Connect, clock: Clock) -> None:
    fields = {"contact_name": "Ann Other", "contact_email": "ann@acme.example"}
    gone = connect("13.3", fields=fields)
    stays = connect("13.3", fields={"label": "stays"})
    desk.write_note(gone.row.pk, "Ann is on leave.", ANA)
    actions.delete(gone.public_id, ANA)
    row = Connection.objects.get(public_id=gone.public_id)
    assert (row.contact_name, row.contact_email) == ("", "")
    for days, is_there in ((89, True), (2, False)):
        clock.jump(timedelta(days=days))
        call_command("prune_history")
        assert Connection.objects.filter(public_id=gone.public_id).exists() == is_there
    assert not Note.objects.exists()
    assert AuditRow.objects.filter(action="prune_history", difference__rows__gt=0).count() == 1
    assert TokenVersion.objects.get().connection_id == stays.row.pk
