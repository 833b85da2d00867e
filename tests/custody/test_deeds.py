"""A grant that a person asks for leaves two rows in the audit: that it was begun, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from connections.custody import actions, audit, audit_proof
from connections.models import AuditRow
from tests.custody.conftest import ANA, Connect, Kept, Killed

CANARY = "canary-password"


def rows(kept: Kept, action: str) -> list[tuple[str, dict[str, Any]]]:
    found = AuditRow.objects.filter(target=kept.public_id, action=action, actor="ana").order_by("id")
    return [(row.outcome, row.difference) for row in found]


def begun(kept: Kept, action: str) -> int:
    return AuditRow.objects.filter(target=kept.public_id, action=action, outcome="begun").latest("id").pk


def test_what_went_well_and_what_failed_say_so_with_their_attempt(connect: Connect) -> None:
    kept = connect("13.3")
    actions.rotate(kept.public_id, ANA)
    assert rows(kept, "rotate") == [("begun", {}), ("ok", {"begun": begun(kept, "rotate"), "attempt": 2})]
    report = actions.sign_in(kept.public_id, ANA, password=CANARY)
    assert report.problem is not None
    last = {"begun": begun(kept, "sign_in"), "attempt": 3, "code": report.problem.code}
    assert rows(kept, "sign_in")[2:] == [("begun", {}), ("failed", last)]
    assert last["code"] == "bad_credentials"
    assert CANARY not in str(list(AuditRow.objects.values()))
    assert audit_proof.verify().is_whole


def test_what_is_declined_without_an_attempt_failed_too(connect: Connect) -> None:
    kept = connect("13.3", sign_in=False, fields={"store_password": False, "password": ""})
    actions.rotate(kept.public_id, ANA)
    (_, told) = rows(kept, "rotate")[1]
    assert (rows(kept, "rotate")[1][0], told["code"], "attempt" in told) == ("failed", "draft", False)


def test_the_end_is_told_also_where_the_caller_has_left(connect: Connect) -> None:
    kept = connect("13.3")
    report = actions.sign_in(kept.public_id, ANA, password="wrong", wait=0.0)
    assert report.is_running
    until = time.monotonic() + 10
    while len(rows(kept, "sign_in")) < 4 and time.monotonic() < until:
        time.sleep(0.02)
    assert [outcome for outcome, _ in rows(kept, "sign_in")[2:]] == ["begun", "failed"]


def test_a_process_that_dies_leaves_the_row_that_it_began(connect: Connect, crash: Callable[[str], None]) -> None:
    kept = connect("13.3")
    crash("answered")
    with pytest.raises(Killed):
        actions.rotate(kept.public_id, ANA)
    assert rows(kept, "rotate") == [("begun", {})]


def test_a_repair_that_only_looked_is_over_at_once(connect: Connect) -> None:
    kept = connect("13.3")
    assert actions.repair(kept.public_id, ANA).outcome == "unchanged"
    assert rows(kept, "repair") == [("begun", {}), ("ok", {"begun": begun(kept, "repair")})]


def test_a_test_is_one_row_that_says_whether_it_passed(connect: Connect) -> None:
    kept = connect("13.3")
    actions.test(kept.public_id, ANA)
    kept.sugar.delete_rows("svc")
    actions.test(kept.public_id, ANA)
    (good, bad) = rows(kept, "test")
    assert good == ("ok", {})
    assert (bad[0], bad[1]["failed"], bool(bad[1]["code"])) == ("failed", ["token"], True)


def test_a_database_that_is_away_for_a_moment_loses_no_end(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = connect("13.3")
    record, left = audit.record, [1]

    def away_once(*given: Any, outcome: str = "ok", **rest: Any) -> int:
        if outcome == "ok" and left and left.pop():
            raise OperationalError
        return record(*given, outcome=outcome, **rest)

    monkeypatch.setattr(audit, "record", away_once)
    assert actions.rotate(kept.public_id, ANA).outcome == "done"
    assert [outcome for outcome, _ in rows(kept, "rotate")] == ["begun", "ok"]
