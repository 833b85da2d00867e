"""What was seen without a grant: pings that found something, workers' reports, tests. Evidence for the rules."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.db import transaction

from connections.choices import AttemptKind, AttemptState, EventKind, Fault, Trigger, Trouble
from connections.custody import journal
from connections.custody.ledger import transitions
from connections.custody.ledger.answers import MESSAGE_LENGTH
from connections.models import Attempt, Connection, TokenVersion
from connections.sugar import Answer

NOT_OUR_TROUBLE = frozenset({Fault.ACCESS_DENIED})
_ERROR_AND_MESSAGE = re.compile(r"([a-z0-9_.-]{1,64})(?: (.*))?", re.DOTALL)


def note_news(row: Connection, version: TokenVersion, answer: Answer, now: datetime, *, actor: str) -> bool:
    """Writes down a ping that says something new, and asks the rules unless the token died (its own death does).

    The same trouble is written once, and its end too: a good look takes back what was seen before.
    """
    fault = answer.fault or ""
    if fault in NOT_OUR_TROUBLE or (not fault and not row.diagnosis_code) or fault == _newest_fault(row, version):
        return False
    _write(
        row,
        now,
        kind=AttemptKind.PROBE,
        trigger=Trigger.BACKGROUND,
        actor=actor,
        version=version.number,
        fault=fault,
        http_status=answer.status,
        error=answer.error[:100],
        error_message=answer.error_message[:MESSAGE_LENGTH],
    )
    return True


def _newest_fault(row: Connection, version: TokenVersion) -> str:
    """Of this version, since it was issued; empty where the newest look was good, or where there is none."""
    seen = Attempt.objects.filter(
        connection=row,
        kind__in=(AttemptKind.PROBE, AttemptKind.TEST),
        base_version=version.number,
        claimed_at__gte=version.issued_at,
    )
    return seen.order_by("-number").values_list("fault", flat=True).first() or ""


def _write(row: Connection, now: datetime, *, kind: AttemptKind, version: int | None, **rest: Any) -> Attempt:
    """One closed row of the journal; the caller saves `attempt_count`."""
    row.attempt_count += 1
    return Attempt.objects.create(
        connection=row,
        number=row.attempt_count,
        kind=kind,
        state=AttemptState.SETTLED,
        generation=row.generation,
        chain=row.chain,
        base_version=version,
        instance_url=row.instance_url,
        username_key=row.username_key,
        platform_key=row.platform_key,
        claimed_at=now,
        closed_at=now,
        **rest,
    )


def note_report(pk: int, number: int, *, actor: str, report: dict[str, object]) -> None:
    """A worker's 401 is evidence: one journal row for each version and reporter's words, however many report it."""
    with transaction.atomic(durable=True):
        row, now = transitions.locked_with_clock(pk)
        _write(
            row,
            now,
            kind=AttemptKind.PROBE,
            trigger=Trigger.REPORT,
            actor=actor[:150],
            version=number,
            report=report,
        )
        journal.write_event(
            row,
            EventKind.REPORTED,
            f"A worker was refused with version {number}{_words(report)}.",
            at=now,
            actor=actor,
            attempt=row.attempt_count,
            version=number,
        )
        transitions.save(row)


def _words(report: dict[str, Any]) -> str:
    """What Sugar is said to have answered, as far as the worker told."""
    status, message = report.get("status"), report.get("error_message") or report.get("error")
    said = " ".join(str(one) for one in (status, message) if one)
    return f": {said.rstrip('.')}" if said else ""


def note_test(pk: int, *, actor: str, trigger: Trigger, checks: list[dict[str, object]], fault: str) -> None:
    """A test sent GETs and changed nothing; what it saw is evidence like any other look."""
    with transaction.atomic(durable=True):
        row, now = transitions.locked_with_clock(pk)
        _write(
            row,
            now,
            kind=AttemptKind.TEST,
            trigger=trigger,
            actor=actor[:150],
            version=row.version_count or None,
            fault=fault,
            report={"checks": checks},
            **_answer_of(checks, fault),
        )
        good = sum(1 for check in checks if check["ok"])
        journal.write_event(
            row,
            EventKind.TESTED,
            f"Tested: {good} of {len(checks)} checks passed.",
            at=now,
            actor=actor,
            attempt=row.attempt_count,
        )
        _judge_test(row, now, fault, actor=actor)
        transitions.save(row)


def _answer_of(checks: list[dict[str, object]], fault: str) -> dict[str, Any]:
    """What came back for the check that failed with `fault`; its detail is the fault, then Sugar's own words."""
    for check in checks:
        failed_with, _, said = str(check["detail"]).partition(": ")
        if check["ok"] or failed_with != fault or check["status"] is None:
            continue
        words = _ERROR_AND_MESSAGE.fullmatch(said)
        error, message = words.groups("") if words else ("", "")
        return {"http_status": check["status"], "error": error, "error_message": message[:MESSAGE_LENGTH]}
    return {}


def _judge_test(row: Connection, now: datetime, fault: str, *, actor: str) -> None:
    """Only where our pings may later take it back."""
    if row.is_session_bound or not row.version_count or not (fault or row.diagnosis_code):
        return
    transitions.update_diagnosis(row, now, actor=actor, attempt=row.attempt_count)
    if row.trouble != Trouble.NONE:
        row.probe_due_at = now + transitions.look_again(row, is_first=True)
    transitions.reschedule(row, now)
