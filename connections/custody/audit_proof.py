"""Is the audit what was written? A walk along its chain, from the first row that the retention left to the newest.

Every row carries the digest of the row before and a keyed digest over itself, so an edit, a deletion, an insertion or
another order shows at the first row that does not follow. A tail that was cut off leaves a chain in order: it shows
only against a head (`number:digest` of the newest row) that was written down elsewhere. What the retention deleted is
told from what somebody deleted by the newest checkpoint, a row of the chain that says up to where rows may be missing.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from django.db import connection

from connections.custody import keys
from connections.custody.audit import digest_of
from connections.models import AuditCheck, AuditRow, OwnKey, database_now

ROWS_AT_ONCE = 2000
GUARDS = {
    "sqlite": {"audit_no_update", "audit_no_delete", "audit_no_replace", "audit_no_reach"},
    "postgresql": {"audit_no_update", "audit_no_delete", "audit_no_truncate", "audit_no_reach"},
}
# SQLite keeps any text in any column; this is how Django fails on a time or a JSON that is none.
UNREADABLE = (ValueError, TypeError, AttributeError)
HEAD_SHAPE = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest row at some moment: whoever keeps it elsewhere can tell later whether the tail was cut off."""

    row: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for what is no head."""
        match = HEAD_SHAPE.fullmatch(text.strip())
        if match is None:
            raise ValueError("A head is written as number:digest, as verify_audit prints it.")
        return cls(row=int(match[1]), digest=match[2])

    def __str__(self) -> str:
        return f"{self.row}:{self.digest}"


class AuditBroken(Exception):
    """The audit is not what was written: nothing of it is deleted, that would destroy the evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a walk found. `broken_at`: number of the first row that does not follow, or is missing at the start;
    `lost`: heads that are no longer part of the chain."""

    rows: int
    head: Head | None
    broken_at: int | None = None
    lost: tuple[Head, ...] = ()

    @property
    def is_whole(self) -> bool:
        return self.broken_at is None and not self.lost


def verify(heads: Iterable[Head] = (), *, up_to: int | None = None) -> Verdict:
    """Finds any edit, deletion, insertion or reordering; a cut tail only against `heads` that were noted before.

    `up_to`: only the rows up to this number. Rows under a key that was given up count as broken until it is found.
    """
    wanted = tuple(heads)
    while True:
        before = _newest_checkpoint()
        found = _Walk(checkpoint=before).along(wanted, up_to)
        after = _newest_checkpoint()
        # Rows went while we walked, and rightly so: look again.
        if found.is_whole or (before and before.pk) == (after and after.pk):
            return found


def check() -> Verdict:
    """The daily walk: what it found is kept for the pages and the doctor."""
    found = verify()
    kept = {"at": database_now(), "rows": found.rows, "head": str(found.head or ""), "broken_at": found.broken_at}
    AuditCheck.objects.update_or_create(pk=1, defaults=kept)
    return found


def missing_guards() -> set[str]:
    """Triggers that should refuse changes of the audit, and are not there or switched off."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'connections_auditrow'"
        if connection.vendor == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE tgrelid = 'connections_auditrow'::regclass AND tgenabled = 'A'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return GUARDS[connection.vendor] - {name for (name,) in cursor.fetchall()}


def cleared_to() -> int:
    """Up to here the retention may delete: what the newest checkpoint says. Raises AuditBroken where that is not ours:
    whoever may insert a row must not make us delete what he wants to be gone."""
    checkpoint = _newest_checkpoint()
    if checkpoint is None:
        return 0
    if not _Walk(checkpoint=None).is_authentic(checkpoint):
        raise AuditBroken(f"Row {checkpoint.pk} of the audit is no checkpoint of ours: nothing was deleted.")
    return checkpoint.cleared_to or 0


def _newest_checkpoint() -> AuditRow | None:
    return AuditRow.objects.filter(cleared_to__isnull=False).order_by("-cleared_to").first()


@dataclass(slots=True, kw_only=True)
class _Walk:
    checkpoint: AuditRow | None
    keys: list[bytes] = field(default_factory=lambda: keys.own_keys(keys.AUDIT), repr=False)
    last: Head | None = None

    def along(self, heads: tuple[Head, ...], up_to: int | None) -> Verdict:
        rows = AuditRow.objects.order_by("id")
        if up_to is not None:
            rows = rows.filter(pk__lte=up_to)
        missed = {head for head in heads if head.row > self.floor}
        walked = 0
        try:
            for row in rows.iterator(ROWS_AT_ONCE):
                if not (self._follows(row) and self.is_authentic(row)):
                    return Verdict(rows=walked, head=self.last, broken_at=row.pk)
                self.last = Head(row=row.pk, digest=row.digest)
                missed.discard(self.last)
                walked += 1
        except UNREADABLE:
            return Verdict(rows=walked, head=self.last, broken_at=(self.last.row if self.last else self.floor) + 1)
        return Verdict(rows=walked, head=self.last, broken_at=self._missing_start(), lost=tuple(missed))

    @property
    def floor(self) -> int:
        """Up to here rows may be missing."""
        return (self.checkpoint and self.checkpoint.cleared_to) or 0

    def _follows(self, row: AuditRow) -> bool:
        """The retention deletes from the start, and may have been stopped on its way."""
        if self.last is not None:
            return row.previous == self.last.digest
        # Numbers are part of the digests, so a row cannot pass itself off as one that may follow nothing.
        return row.pk <= self.floor or row.previous == self._cleared_digest()

    def _cleared_digest(self) -> str:
        """Of the last row that may be missing; empty before the first row of all."""
        told = self.checkpoint.difference if self.checkpoint else {}
        return str(told.get("digest", "")) if isinstance(told, dict) else ""

    def is_authentic(self, row: AuditRow) -> bool:
        return any(hmac.compare_digest(row.digest, digest_of(row, key)) for key in self.keys)

    def _missing_start(self) -> int | None:
        """A chain that has a key has at least one row: the retention leaves its own checkpoint."""
        is_emptied = self.last is None and OwnKey.objects.filter(purpose=keys.AUDIT).exists()
        return 1 if is_emptied else None
