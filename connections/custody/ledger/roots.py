"""Where the REST root of an instance was found: elsewhere than it was looked for."""

from __future__ import annotations

from django.db import transaction

from connections.choices import AttemptState, EventKind
from connections.custody import journal, reads
from connections.custody.ledger import transitions


def keep(pk: int, *, generation: int, before: str, found: str) -> bool:
    """Whether `found` is the root of this connection from now on, be it that somebody else was first.

    Not while a grant is on its way, and not where an edit or a delete has won.
    """
    with transaction.atomic(durable=True):
        row, now = transitions.locked_with_clock(pk)
        if row.deleted_at is not None or row.generation != generation:
            return False
        grant = reads.open_grant(row)
        if row.rest_path == before and (grant is None or grant.state != AttemptState.SENT):
            row.rest_path = found
            sentence = f"Sugar answers under {found}, not under {before}: that is used from now on."
            journal.write_event(row, EventKind.EDITED, sentence, at=now, actor="background")
            transitions.save(row)
        return row.rest_path == found
