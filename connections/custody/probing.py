"""How often one caller may have us look in vain at addresses that never worked: nobody scans a network with us.

A connection that has lived is not counted, so an outage costs nobody a button; nor is one that answers as Sugar does,
so hundreds of customers can be onboarded in a row. The wizard has looks of its own (onboarding.pacing).
"""

from __future__ import annotations

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


def refuse_scanner(row: Connection, actor: Actor) -> None:
    """Raises TooOften. Whoever has a shell on the machine needs no help of ours to look around."""
    if not _has_lived(row):
        refuse_lookups(actor)


def refuse_lookups(actor: Actor) -> None:
    """Before a name is looked up for somebody who wants to save it: what our guard says of it tells which names exist
    inside. Raises TooOften."""
    if actor.kind == "command":
        return
    seconds = windows.wait(_subject(actor), most=MOST, window=timedelta(seconds=WINDOW))
    if not seconds:
        return
    raise TooOften(
        "too_many_requests",
        f"{MOST} addresses that never worked were tried in vain within {WINDOW // 60} minutes. Wait {seconds} s.",
        retry_after=seconds,
    )


def note(row: Connection, actor: Actor, code: str) -> None:
    """What came of a look or a try: only what tells about a network counts."""
    if code in BLIND and not _has_lived(row):
        note_blocked(actor)


def note_blocked(actor: Actor) -> None:
    windows.count(_subject(actor), most=MOST, window=timedelta(seconds=WINDOW))


def _has_lived(row: Connection) -> bool:
    """With this address: after a change of it a new chain is wanted."""
    return row.version_count > 0 and not row.is_new_chain_wanted


def _subject(actor: Actor) -> str:
    return f"probes:{actor.kind}:{actor.name}"
