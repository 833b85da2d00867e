"""What is written into the audit, and that the database itself lets nobody change it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from connections.custody import audit, audit_proof, guard
from connections.custody.audit import Actor
from connections.custody.audit_proof import Head
from connections.models import AuditCheck, AuditRow, database_now
from connections.onboarding import registry
from tests.audit_guard import unguarded
from tests.migrating import migrated_to

ANA = Actor(kind="staff", name="ana")
ROWS = 12


@pytest.fixture
def chain(transactional_db: None) -> list[int]:
    guard.forget()
    for number in range(ROWS):
        audit.record(ANA, "edit", at=database_now(), target=f"c_{number}", difference={"label": f"n{number}"})
    return list(AuditRow.objects.order_by("id").values_list("pk", flat=True))


def head_now() -> Head:
    head = audit_proof.verify().head
    assert head is not None
    return head


def test_rows_are_numbered_without_gaps_and_an_untouched_chain_is_whole(chain: list[int]) -> None:
    assert chain == [*range(1, ROWS + 1)]
    found = audit_proof.verify([head_now()])
    assert (found.is_whole, found.rows) == (True, ROWS)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2001:DB8:0::0:1", "2001:db8::1"), ("::ffff:192.0.2.7", "192.0.2.7"), ("fe80::1%eth0", "fe80::1"),
        ("192.0.2.7", "192.0.2.7"), ("nonsense", None), (None, None),
    ],
)  # fmt: skip
def test_an_address_is_kept_in_one_spelling(transactional_db: None, given: str | None, kept: str | None) -> None:
    guard.forget()
    audit.record(Actor(kind="staff", name="ana", address=given), "edit", at=database_now())
    assert AuditRow.objects.get().address == kept
    assert audit_proof.verify().is_whole


STATEMENTS = {
    "update": "UPDATE connections_auditrow SET actor = 'nobody' WHERE id = 3",
    "update of all": "UPDATE connections_auditrow SET outcome = outcome",
    "delete": "DELETE FROM connections_auditrow WHERE id = 12",
    "delete of all": "DELETE FROM connections_auditrow",
    "replace": "INSERT OR REPLACE INTO connections_auditrow SELECT id, at, actor_kind, 'nobody', action, target,"
    " outcome, address, difference, cleared_to, previous, 'x', tenant_id FROM connections_auditrow WHERE id = 3",
    "truncate": "TRUNCATE connections_auditrow",
    "truncate of what it points at": "TRUNCATE connections_tenant CASCADE",
    "as a replica": "SET session_replication_role = replica; DELETE FROM connections_auditrow",
}
ONLY = {
    "replace": "sqlite", "truncate": "postgresql", "truncate of what it points at": "postgresql",
    "as a replica": "postgresql",
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [name for name in STATEMENTS if ONLY.get(name, connection.vendor) == connection.vendor]
)
def test_the_database_refuses_to_change_it(chain: list[int], name: str) -> None:
    head = head_now()
    with pytest.raises(IntegrityError, match="audit rows are not changed"), transaction.atomic():  # noqa: SIM117
        with connection.cursor() as cursor:
            cursor.execute(STATEMENTS[name])
    assert audit_proof.verify([head]).is_whole


def test_a_trigger_that_is_gone_is_noticed(chain: list[int]) -> None:
    assert audit_proof.missing_guards() == set()
    with unguarded():
        assert audit_proof.missing_guards() == audit_proof.GUARDS[connection.vendor]
    assert audit_proof.missing_guards() == set()


def test_the_guard_can_be_taken_back_and_put_up_again(transactional_db: None) -> None:
    with migrated_to("0001_initial"):
        assert audit_proof.missing_guards() == audit_proof.GUARDS[connection.vendor]
    assert audit_proof.missing_guards() == set()


def test_another_word_for_the_outcome_touches_neither_rows_nor_guard(chain: list[int]) -> None:
    with migrated_to("0002_audit_guard"):
        assert audit_proof.missing_guards() == {"audit_no_reach"}
        assert audit_proof.verify().rows == ROWS
    assert audit_proof.missing_guards() == set()
    assert audit_proof.verify().rows == ROWS
    audit.record(ANA, "rotate", at=database_now(), outcome="begun")
    assert audit_proof.verify().is_whole


def test_a_cut_tail_is_found_against_a_head(chain: list[int], tmp_path: Path) -> None:
    heads = tmp_path / "heads"
    call_command("verify_audit", note=str(heads))
    call_command("verify_audit", heads=str(heads), note=str(heads))
    assert heads.read_text() == f"{head_now()}\n" * 2
    with unguarded():
        AuditRow.objects.filter(pk__in=chain[-3:]).delete()
    assert audit_proof.verify().is_whole  # nothing in the rest says that there was more
    with pytest.raises(CommandError, match="no such row 12: rows at the end were cut off"):
        call_command("verify_audit", heads=str(heads))
    audit.record(ANA, "edit", at=database_now())
    with pytest.raises(CommandError, match="no such row 12"):
        call_command("verify_audit", heads=str(heads))


def test_a_head_that_is_none_is_refused(chain: list[int]) -> None:
    with pytest.raises(CommandError, match="number:digest"):
        call_command("verify_audit", head=["12"])


def test_an_audit_that_was_emptied_is_found_without_a_head(chain: list[int]) -> None:
    with unguarded():
        AuditRow.objects.all().delete()
    with pytest.raises(CommandError, match="Row 1 does not follow"):
        call_command("verify_audit")
    assert AuditCheck.objects.get().broken_at == 1


def test_a_change_that_is_refused_leaves_no_row(transactional_db: None) -> None:
    guard.forget()
    fields = {"label": "a", "instance_url": "https://sugar.example.com", "platform": "intg", "username": "svc"}
    registry.create("acme", fields, ANA)
    before = AuditRow.objects.count()
    with pytest.raises(Exception, match="already uses"):
        registry.create("acme", fields, ANA)
    assert AuditRow.objects.count() == before
    assert audit_proof.verify().is_whole


def test_a_denied_action_is_written_apart_from_what_was_rolled_back(transactional_db: None) -> None:
    guard.forget()
    with pytest.raises(RuntimeError), transaction.atomic():
        audit.record_denied(ANA, "hold", target="c_0")  # it would vanish together with the request
    assert not AuditRow.objects.exists()
    with pytest.raises(DatabaseError), transaction.atomic():
        audit.record(ANA, "hold", at=database_now(), target="c_0")
        raise DatabaseError
    audit.record_denied(ANA, "hold", target="c_0")
    assert list(AuditRow.objects.values_list("action", "outcome")) == [("hold", "denied")]
