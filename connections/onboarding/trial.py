"""The test of the wizard: sign in, ask who we are, refresh once to prove the chain, ask again.

Each step is custody's own action, so it is journalled, paced and limited like any other; a step that went well is not
done twice, and the next one may be done by another request, another person or after a restart.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from connections.custody import actions, lent
from connections.custody.actions import Report
from connections.custody.audit import Actor
from connections.custody.handout import Tenants
from connections.custody.handout import find as find_connection
from connections.custody.problems import CustodyProblem, Later, NotFound
from connections.custody.values import Seen
from connections.models import Connection, Draft
from connections.onboarding import drafts

MOVED = "The draft was changed, or tried, by somebody else in the same moment: nothing was sent."


class Step(StrEnum):
    SIGN_IN = "sign_in"
    USER = "user"
    REFRESH = "refresh"
    USER_AGAIN = "user_again"


class Came(StrEnum):
    """What a step came to. RUNNING: not over within the wait; asked again, it goes on."""

    GOOD = "good"
    FAILED = "failed"
    RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One step that was taken. `detail` is the instance's answer or the problem's; `code` its help page."""

    step: Step
    came: Came
    ms: int
    detail: str = ""
    code: str = ""
    retry_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """Who takes the steps, and in which browser session the password was typed."""

    actor: Actor
    tenants: Tenants
    session: str


def next_step(draft: Draft) -> Step | None:
    """None: the chain is proven."""
    good = {check["step"] for check in draft.checks if check["came"] == Came.GOOD}
    return next((step for step in Step if step not in good), None)


def is_proven(draft: Draft) -> bool:
    return draft.connection is not None and next_step(draft) is None


def take_step(draft: Draft, actor: Actor, *, tenants: Tenants, session: str) -> Taken | None:
    """The next step alone; None: there is none. Raises NotFound."""
    step = next_step(draft)
    if step is None or draft.connection is None:
        return None
    row = find_connection(draft.connection.public_id, tenants)
    taken = _take(step, row, _Walk(actor=actor, tenants=tenants, session=session))
    kept = [check for check in draft.checks if check["came"] == Came.GOOD and check["step"] != step]
    drafts.note_checks(draft, [*kept, _stored(taken)], actor)
    return taken


def take_all(draft: Draft, actor: Actor, *, tenants: Tenants, session: str) -> None:
    """Step by step until one does not go well. Raises NotFound."""
    while (taken := take_step(draft, actor, tenants=tenants, session=session)) is not None:
        if taken.came != Came.GOOD:
            return


def _stored(taken: Taken) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, StrEnum) else value for name, value in asdict(taken).items()}


def _take(step: Step, row: Connection, walk: _Walk) -> Taken:
    began = time.monotonic()
    try:
        came, detail = _TAKES[step](row, walk)
        return Taken(step=step, came=came, ms=_ms(began), detail=detail)
    except NotFound:
        raise
    except CustodyProblem as problem:
        told = {"detail": problem.detail, "code": problem.code, "retry_after": problem.retry_after}
        return Taken(step=step, came=Came.FAILED, ms=_ms(began), **told)  # type: ignore[arg-type]  # three of its fields


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _sign_in(row: Connection, walk: _Walk) -> tuple[Came, str]:
    """Where staff chose so the password is stored, in the transaction that proves it. A connection that has signed in
    by now, from another page perhaps, is not signed in again."""
    if row.version_count == 0:
        password = lent.password_of(row, walk.session)
        report = actions.sign_in(
            row.public_id, walk.actor, tenants=walk.tenants, version=0, password=password, keeps_password=True,
            seen=Seen(generation=row.generation, attempts=row.attempt_count),
        )  # fmt: skip
        if _came(report) == Came.RUNNING:
            return Came.RUNNING, ""
        if report.version == 0:
            raise Later("busy", MOVED, retry_after=1)
    lent.take_back(row)
    return Came.GOOD, ""


def _refresh(row: Connection, walk: _Walk) -> tuple[Came, str]:
    return _came(actions.rotate(row.public_id, walk.actor, tenants=walk.tenants, version=row.version_count)), ""


def _came(report: Report) -> Came:
    """Raises what the report failed with."""
    if report.problem is not None:
        raise report.problem
    return Came.RUNNING if report.is_running else Came.GOOD


def _ask_user(row: Connection, walk: _Walk) -> tuple[Came, str]:
    checks = actions.test(row.public_id, walk.actor, tenants=walk.tenants)
    failed = next((check for check in checks if not check.ok), None)
    return (Came.FAILED, failed.detail) if failed else (Came.GOOD, checks[-1].detail)


_TAKES = {
    Step.SIGN_IN: _sign_in,
    Step.USER: _ask_user,
    Step.REFRESH: _refresh,
    Step.USER_AGAIN: _ask_user,
}
