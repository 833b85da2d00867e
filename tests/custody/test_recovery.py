"""After a confirmation every chain is looked at in its turn."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from connections.choices import AttemptState, Endpoint, EventKind
from connections.custody import actions, copies, handout
from connections.custody.ledger import recovery, upkeep
from connections.models import Attempt, AuditRow, Connection, Event, Installation, database_now
from connections.sugar import Answer
from tests.conftest import Configured
from tests.custody.clock import Clock
from tests.custody.conftest import ANA, Connect, Kept
from tests.custody.copying import confirm, elsewhere, grants, installation, look, node, pretend

__all__ = ["elsewhere", "node"]  # fixtures
COPIED = {"inode": "1", "system": "1"}


def outdated(kept: Kept) -> None:
    """Sugar has gone on since the backup: what the database holds is dead."""
    kept.sugar.delete_rows("svc")


def settled(*fleet: Kept) -> Callable[[], bool]:
    return lambda: all(kept.row.status == "healthy" for kept in fleet)


def test_nothing_is_confirmed_where_all_is_well() -> None:
    before = Installation.objects.get().confirmed_at
    assert confirm() == {"outcome": "unchanged", "reason": "", "connections": 0, "seconds": 0}
    assert Installation.objects.get().confirmed_at == before
    assert not AuditRow.objects.exists()


def test_the_command_asks_for_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(place=COPIED)
    reason = look()
    for typed in ("yes", ""):
        monkeypatch.setattr("builtins.input", lambda question, typed=typed: typed)
        with pytest.raises(CommandError, match="Not confirmed"):
            call_command("confirm_database", stdout=io.StringIO())
    assert look() == reason
    monkeypatch.setattr("builtins.input", lambda question: "confirm")
    out = io.StringIO()
    call_command("confirm_database", stdout=out)
    assert reason in out.getvalue()
    assert look() == ""


def test_a_confirmation_stands_in_the_audit(connect: Connect) -> None:
    connect("13.3")
    pretend(place=COPIED)
    reason = look()
    assert confirm()["connections"] == 1
    row = AuditRow.objects.get(action="confirm_database")
    assert (row.actor_kind, row.target, row.difference["reason"]) == ("command", "i_prod", reason)
    assert Event.objects.filter(kind=EventKind.IN_DOUBT, summary=recovery.AFTER_A_COPY, actor=row.actor).exists()


def test_a_confirmation_takes_the_database_over_for_this_instance_id(connect: Connect, configured: Configured) -> None:
    configured(instance_id="i_new")
    assert look()
    confirm()
    assert look() == ""
    configured(instance_id="i_prod")
    assert "belongs to the installation i_new" in look()


def test_a_confirmed_copy_recovers_without_a_person(
    connect: Connect, clock: Clock, elsewhere: Callable[[], None], configured: Configured
) -> None:
    configured(look=timedelta(minutes=5))
    fleet = [connect(preset) for preset in ("7.1", "12.0", "13.3", "cloud")]
    elsewhere()
    look()
    for kept in fleet:
        outdated(kept)
        kept.make_due()
    before = grants(*fleet)
    clock.run(timedelta(minutes=10))
    assert grants(*fleet) == before
    assert confirm()["connections"] == 4
    assert not {kept.row.status for kept in fleet} & {"healthy", "dying", "down"}
    clock.run(timedelta(minutes=10), until=settled(*fleet))
    assert settled(*fleet)()
    assert all(kept.accepts(given(kept)) for kept in fleet)
    assert not Attempt.objects.filter(fault="locked_out").exists()
    assert Attempt.objects.filter(kind="password", is_first_sign_in=False).count() == 4


def given(kept: Kept) -> str:
    return handout.token(kept.public_id, tenants=None, actor="worker").access_token


def test_what_lives_is_found_by_a_ping_and_costs_no_grant(connect: Connect, clock: Clock) -> None:
    kept = connect("13.3")
    pretend(place=COPIED)
    look()
    before = grants(kept)
    confirm()
    clock.run(timedelta(minutes=1), until=settled(kept))
    assert kept.row.status == "healthy"
    assert kept.row.doubt_after is None
    assert grants(kept) == before
    assert kept.row.events.filter(kind=EventKind.RECOVERED).exists()


def test_a_good_ping_proves_nothing_where_access_tokens_outlive_their_chain(connect: Connect, clock: Clock) -> None:
    kept = connect("7.1", fields={"store_password": False})
    pretend(place=COPIED)
    look()
    confirm()
    clock.run(timedelta(minutes=1), until=settled(kept))
    assert kept.row.version_count == 2


def test_a_ping_from_before_the_doubt_does_not_settle_it(connect: Connect) -> None:
    kept = connect("13.3")
    good = Answer(endpoint=Endpoint.API, fault=None, status=200)
    seen: list[int | None] = [None]
    for _ in range(2):
        pretend(place=COPIED)
        look()
        confirm()
        actions.test(kept.public_id, ANA)  # takes a number: the next doubt is another one
        seen.append(kept.row.doubt_after)
    assert len(set(seen)) == 3
    for doubt in seen[:-1]:
        upkeep.note_ping(kept.row.pk, 1, good, doubt=doubt)
        assert kept.row.doubt_after == seen[-1]
    upkeep.note_ping(kept.row.pk, 1, good, doubt=seen[-1])
    assert kept.row.doubt_after is None


def test_a_good_ping_settles_no_doubt_that_an_attempt_of_ours_explains(connect: Connect) -> None:
    kept = connect("13.3")
    Attempt.objects.update(state=AttemptState.IN_DOUBT)
    pretend(place=COPIED)
    look()
    confirm()
    kept.lapse()
    upkeep.note_ping(kept.row.pk, 1, Answer(endpoint=Endpoint.API, fault=None, status=200), doubt=kept.row.doubt_after)
    assert kept.row.doubt_after is not None


def test_no_password_means_a_person_and_says_why(connect: Connect, clock: Clock) -> None:
    kept = connect("13.3", fields={"store_password": False})
    pretend(place=COPIED)
    look()
    outdated(kept)
    confirm()
    clock.run(timedelta(minutes=2))
    assert kept.row.status == "down"
    assert kept.grants("refresh") == 1


def test_a_wrong_password_is_tried_no_oftener_than_ever(connect: Connect, clock: Clock) -> None:
    kept = connect("13.3")
    pretend(place=COPIED)
    look()
    outdated(kept)
    kept.sugar.admin_change_password("svc", "changed since")
    confirm()
    clock.run(timedelta(hours=12))
    assert Attempt.objects.filter(is_refused_try=True).count() == 2
    assert not Attempt.objects.filter(fault="locked_out").exists()
    assert kept.row.diagnosis_code == "bad_credentials"


def test_two_a_second_and_never_two_of_one_host(connect: Connect, clock: Clock) -> None:
    fleet = [connect("12.0") for _ in range(8)]
    for number, kept in enumerate(fleet):
        Connection.objects.filter(pk=kept.row.pk).update(host=f"h{number % 4}:443")
    pretend(place=COPIED)
    look()
    slots = confirm()["connections"]
    assert slots == 8
    Connection.objects.update(due_at=database_now(), retry_at=None)  # the background starts late: all are due at once
    began = clock.now
    clock.run(timedelta(minutes=5), until=settled(*fleet))
    assert settled(*fleet)()
    sent = list(
        Attempt.objects.filter(sent_at__gt=began).order_by("sent_at").values_list("sent_at", "connection__host")
    )
    assert len(sent) == 8
    for place in range(6):
        assert sent[place + 2][0] - sent[place][0] >= timedelta(seconds=0.9)
    for host in {host for _, host in sent}:
        first, second = (at for at, where in sent if where == host)
        assert second - first >= recovery.BREATH


def test_one_host_is_left_to_breathe(connect: Connect, configured: Configured) -> None:
    one, other = connect("12.0"), connect("12.0")
    configured(tick=timedelta(seconds=5))  # the pace of the fleet allows two at once
    Attempt.objects.update(closed_at=database_now() - recovery.BREATH)
    pretend(place=COPIED)
    look()
    confirm()
    Connection.objects.update(retry_at=None)
    assert one.tend() == "version"
    assert other.tend() == "later"
    assert other.row.retry_at > database_now()


def test_the_order_spreads_hosts_and_time(connect: Connect) -> None:
    fleet = [connect("13.3") for _ in range(6)]
    for number, kept in enumerate(fleet[3:]):
        Connection.objects.filter(pk=kept.row.pk).update(host=f"h{number}:443")
    pretend(place=COPIED)
    look()
    confirm()
    rows = list(Connection.objects.order_by("due_at"))
    gaps = [later.due_at - row.due_at for row, later in itertools.pairwise(rows)]
    assert set(gaps) == {recovery.PACE}
    assert [row.host == fleet[0].row.host for row in rows] == [True, False, False, False, True, True]


def test_a_crash_on_the_way_leaves_it_read_only(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = connect("12.0")
    pretend(place=COPIED)
    reason = look()
    for step in ("doubt_all", "_doubt"):
        with monkeypatch.context() as broken:
            broken.setattr(recovery, step, lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                confirm()
        assert look() == reason
    kept.make_due()
    assert kept.tend() == "read_only"
    assert confirm()["connections"] == 1


def test_what_a_copy_refused_says_so_no_longer(connect: Connect, clock: Clock, configured: Configured) -> None:
    dead = connect("13.3", fields={"store_password": False})
    outdated(dead)
    configured(look=timedelta(minutes=30))
    dead.make_due()
    dead.tend()
    before = dead.row.diagnosis_code
    pretend(place=COPIED)
    look()
    clock.run(timedelta(days=2))
    assert dead.row.diagnosis_code == "database_restored"
    confirm()
    assert dead.row.diagnosis_code == before


def test_a_row_that_a_copy_refused_heals_also_when_the_cause_went_away_by_itself(connect: Connect) -> None:
    kept = connect("13.3")
    installation(read_only_reason="a mistake")
    kept.make_due()
    kept.tend()
    assert kept.row.diagnosis_code == "database_restored"
    installation(read_only_reason="")
    kept.lapse()
    kept.make_due()
    assert kept.tend() == "version"
    assert kept.row.status == "healthy"


def test_a_confirmation_is_later_than_every_one_before_whatever_the_clock_says(connect: Connect) -> None:
    connect("13.3")
    mark = copies.identity.read_mark()
    assert mark is not None
    copies.identity.write_mark(replace(mark, since=mark.since + timedelta(days=1)))
    later = copies.identity.read_mark()
    assert later is not None
    assert "older one" in look()
    confirm()
    copies.identity.write_mark(later)  # that of another node
    assert look() == ""
