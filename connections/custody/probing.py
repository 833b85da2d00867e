"""How often one caller may have us look in vain at addresses that never worked: nobody scans a network with us.

A connection that has lived is not counted, so an outage costs nobody a button; nor is one that answers as Sugar does,
so hundreds of customers can be onboarded in a row. The wizard has looks of its own (onboarding.pacing).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from connections.choices import DiagnosisCode
from connections.custody import windows
from connections.custody.audit import Actor
from connections.custody.problems import TooOften
from connections.models import Connection

MOST = 30
WINDOW = 600  # seconds
BLIND = frozenset(
    {
        DiagnosisCode.DNS_FAILURE,
        DiagnosisCode.CONNECTION_REFUSED,
        DiagnosisCode.CONNECTION_LOST,
        DiagnosisCode.TIMEOUT,
        DiagnosisCode.TLS_INVALID,
        DiagnosisCode.NOT_SUGAR,
        DiagnosisCode.MOVED,
        DiagnosisCode.BAD_RESPONSE,
        DiagnosisCode.ADDRESS_BLOCKED,
    }
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One look or try that is counted before it is made: many at once are as few as many in a row."""

    actor: Actor | None
    """None: it does not count."""

    def over(self, code: str) -> None:
        """What came of it: only what tells about a network goes on counting."""
        if self.actor is not None and code not in BLIND:
            windows.give_back(_subject(self.actor), window=timedelta(seconds=WINDOW))


UNCOUNTED = Turn(None)


def take_turn(row: Connection, actor: Actor) -> Turn:
    """Raises TooOften."""
    return UNCOUNTED if _has_lived(row) else take_lookup(actor)


def take_lookup(actor: Actor) -> Turn:
    """Before a name is looked up for somebody who wants to save it: what our guard says of it tells which names exist
    inside. Raises TooOften. Whoever has a shell on the machine needs no help of ours to look around."""
    if actor.kind == "command":
        return UNCOUNTED
    turn = Turn(actor)
    seconds = windows.count(_subject(actor), most=MOST, window=timedelta(seconds=WINDOW))
    if not seconds:
        return turn
    turn.over("")  # who is refused has not looked
    raise TooOften(
        "too_many_requests",
        f"{MOST} addresses that never worked were tried in vain within {WINDOW // 60} minutes. Wait {seconds} s.",
        retry_after=seconds,
    )


def _has_lived(row: Connection) -> bool:
    """With this address: after a change of it a new chain is wanted."""
    return row.version_count > 0 and not row.is_new_chain_wanted


def _subject(actor: Actor) -> str:
    return f"probes:{actor.kind}:{actor.name}"
