"""What every answer leaves behind: the attempt's own row, and the word for whoever climbs."""

from __future__ import annotations

import dataclasses

from connections.custody.values import Claim, Outcome, Result
from connections.models import Attempt, Connection
from connections.sugar import Answer

MESSAGE_LENGTH = 500


def outcome_of(
    claim: Claim, result: Result, row: Connection, *, version: int | None = None, goes_on: bool = False, fault: str = ""
) -> Outcome:
    return Outcome(
        result=result,
        attempt=claim.number,
        kind=claim.kind,
        rung=claim.rung,
        version=version,
        code=row.diagnosis_code if result not in (Result.VERSION, Result.DISCARDED) else "",
        fault=fault,
        goes_on=goes_on,
    )


def came_of(answer: Answer) -> str:
    """How a grant that was sent stands: without an answer, or with one that leaves its outcome open."""
    if answer.status is None:
        return f"its answer is lost ({answer.fault})"
    said = " ".join(word for word in (str(answer.status), answer.error or str(answer.fault or "")) if word)
    return f"what came back tells nothing ({said})"


def note_answer(attempt: Attempt, answer: Answer) -> None:
    """What of an answer may be kept: classified, capped and without secrets (the client saw to it)."""
    attempt.fault = answer.fault or ""
    attempt.http_status = answer.status
    attempt.error = answer.error[:100]
    attempt.error_message = answer.error_message[:MESSAGE_LENGTH]
    attempt.external_login_host = answer.external_login_host[:255]
    attempt.timings = {**attempt.timings, "grant": dataclasses.asdict(answer.timings)}
    attempt.report = {**attempt.report, "length": answer.body_length, "type": answer.content_type[:100]}


ANSWER_FIELDS = [
    "answer",
    "closed_at",
    "error",
    "error_message",
    "external_login_host",
    "fault",
    "http_status",
    "is_refused_try",
    "lockout_until",
    "lost_at",
    "report",
    "state",
    "timings",
    "version",
]
