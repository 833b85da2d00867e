"""The process that lives: prepares the database, signs connections in, and sweeps up after the victims."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import OperationalError, connection  # noqa: E402

from connections.choices import AttemptKind, AttemptState, VersionState  # noqa: E402
from connections.custody import actions, handout, keys, rounds  # noqa: E402
from connections.custody.audit import Actor  # noqa: E402
from connections.models import Attempt, Connection, TokenVersion, database_now  # noqa: E402
from connections.onboarding import registry  # noqa: E402
from connections.serving import preparation  # noqa: E402
from tests.crash.dialogue import Answerer, answer  # noqa: E402

ANA = Actor(kind="staff", name="ana")


def prepare() -> str:
    preparation.prepare(static=False)
    return "ready"


def connect(url: str, users: list[str], has_password: bool) -> dict[str, str]:
    """Signed in and proven; the public id of each user's connection."""
    made = {}
    for user in users:
        fields = {
            "label": user,
            "instance_url": url,
            "platform": "intg",
            "username": user,
            "password": "secret",
            "store_password": has_password,
        }
        row = registry.create("acme", fields, ANA)
        report = actions.sign_in(row.public_id, ANA, password="secret")
        assert report.outcome == "done", report
        made[user] = row.public_id
    return made


def make_due(public_id: str) -> str:
    now = database_now()
    Connection.objects.filter(public_id=public_id).update(due_at=now, next_refresh_at=now)
    return "due"


def sweep(killed_at: dict[str, float], most: float) -> dict[str, dict[str, Any]]:
    """Rounds of the background until every connection is settled; what became of each, and how long it took.

    Counted from the kill, or from the start of this sweep where that came later.
    """
    settled: dict[str, float] = {}
    began = time.time()
    until = began + most
    while len(settled) < len(killed_at) and time.time() < until:
        rounds.tend_due(most_seconds=0.2)
        for public_id in killed_at.keys() - settled.keys():
            if _is_settled(public_id):
                settled[public_id] = time.time() - max(killed_at[public_id], began)
        time.sleep(settings.SUGARADMIN.tick.total_seconds())
    return {public_id: _story(public_id) | {"seconds": settled.get(public_id)} for public_id in killed_at}


def retire(ids: list[str]) -> str:
    """Nobody looks at them any more: what comes next has the pool to itself."""
    Connection.objects.filter(public_id__in=ids).update(due_at=None)
    return "retired"


def _is_settled(public_id: str) -> bool:
    """Nothing is open, in doubt or unproven: healthy, or a person's turn."""
    row = handout.find(public_id, None)
    if Attempt.objects.filter(connection=row, closed_at__isnull=True).exists():
        return False
    status: str = row.status  # type: ignore[attr-defined]
    if status in ("down", "dying"):
        return True
    is_overdue = row.next_refresh_at is not None and row.next_refresh_at <= row.now  # type: ignore[attr-defined]
    live = TokenVersion.objects.filter(connection=row, state=VersionState.LIVE).first()
    is_proven = live is not None and live.verified_at is not None
    return status == "healthy" and row.doubt_after is None and is_proven and not is_overdue


def _story(public_id: str) -> dict[str, Any]:
    row = handout.find(public_id, None)
    live = TokenVersion.objects.filter(connection=row, state=VersionState.LIVE).first()
    refresh = keys.opened_refresh(row, live) if live and live.refresh_token else ""
    sign_ins = Attempt.objects.filter(connection=row, kind=AttemptKind.PASSWORD, state=AttemptState.SETTLED)
    return {
        "status": row.status,  # type: ignore[attr-defined]
        "code": row.diagnosis_code,
        "cause": (row.diagnosis or {}).get("cause", ""),
        "version": row.version_count,
        "digest": hashlib.sha256(refresh.encode()).hexdigest() if refresh else "",
        "sign_ins": sign_ins.count(),
        "attempts": [f"{one.number} {one.kind} {one.rung} {one.state}" for one in row.attempts.order_by("number")],
    }


def steady(deed: Answerer) -> Answerer:
    """Sessions that the server has ended are found out one by one; whoever asks again gets a good one."""

    def insist(**order: Any) -> Any:
        for _ in range(20):
            try:
                return deed(**order)
            except OperationalError:
                connection.close()
        return deed(**order)

    return insist


if __name__ == "__main__":
    answer({deed.__name__: steady(deed) for deed in (prepare, connect, make_due, sweep, retire)})
