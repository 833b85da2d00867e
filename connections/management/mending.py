"""Repairs many connections from a shell, some at once: each runs its ladder, each reports for itself."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from django.db import connection

from connections.custody import actions
from connections.custody.audit import Actor
from connections.custody.problems import CustodyProblem

AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What came of one: `outcome` as in the API, or `failed` with the code and the words of its problem."""

    connection: str
    outcome: str
    code: str | None = None
    detail: str | None = None

    @property
    def is_well(self) -> bool:
        return self.outcome != "failed"

    def as_dict(self) -> dict[str, str | None]:
        return {"connection": self.connection, "outcome": self.outcome, "code": self.code, "detail": self.detail}


def repair_many(public_ids: Sequence[str], actor: Actor) -> list[Mended]:
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="repair") as pool:
        return list(pool.map(partial(_repair, actor=actor), public_ids))


def _repair(public_id: str, *, actor: Actor) -> Mended:
    try:
        report = actions.repair(public_id, actor)
        problem = report.problem
        outcome = report.outcome
    except CustodyProblem as refused:
        problem, outcome = refused, "failed"
    finally:
        connection.close()
    return Mended(
        connection=public_id,
        outcome=outcome,
        code=problem.code if problem else None,
        detail=problem.detail if problem else None,
    )
