"""The last resort of settle: the database is away, the answer must not be lost.

One file per attempt, written whole, synced, then named. It holds the sealed answer and ids, nothing readable. The
process that wrote it replays it as soon as the database answers; any process replays what it finds at its start.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections import Counter
from pathlib import Path

from django.conf import settings
from django.db import Error, connection

from connections.choices import AttemptKind, Endpoint, Fault, Generation, Rung, Trigger
from connections.custody import durable, guard, keys, tenant_keys
from connections.custody.checkpoints import Point, reach
from connections.custody.ledger import claims, settlement, upkeep
from connections.custody.values import Claim
from connections.egress import boottime
from connections.models import Attempt
from connections.sugar import Answer
from connections.vault import KeyMissing, Sealed, VaultError

logger = logging.getLogger(__name__)

AGAIN_AFTER = 1.0  # seconds between tries while the database is away
_replaying = threading.Event()


def keep(claim: Claim, sealed: Sealed, *, is_definite: bool) -> None:
    """Durable when it returns. Raises OSError when even the disk refuses."""
    page = {"attempt": claim.attempt_id, "tenant": claim.tenant_id, "number": claim.number, "sealed": sealed.envelope}
    path = settings.SUGARADMIN.spool_dir / f"{claim.attempt_id}.json"
    durable.write(path, json.dumps(page | {"is_definite": is_definite}))
    logger.error("The database is away; an answer was spooled.", extra={"action": "spool", "attempt": claim.number})
    replay_soon()


def files() -> list[Path]:
    return sorted(settings.SUGARADMIN.spool_dir.glob("*.json"))


def key_ids() -> Counter[str]:
    """How many files still need each key: it is not retired before. Under no name: files that tell no key."""
    return Counter(key_id for path in files() if (key_id := _key_id(path)) is not None)


def _key_id(path: Path) -> str | None:
    """None for a file that was replayed meanwhile."""
    try:
        return Sealed(json.loads(path.read_text(encoding="utf-8"))["sealed"]).key_id
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, VaultError):
        return ""


def replay_soon() -> None:
    """One thread in this process tries until nothing is left."""
    if not _replaying.is_set():
        _replaying.set()
        threading.Thread(target=_replay_until_empty, name="spool", daemon=True).start()


def _replay_until_empty() -> None:
    try:
        while files():
            time.sleep(AGAIN_AFTER)
            with contextlib.suppress(Error):
                if not replay():
                    return  # what is left cannot be replayed here
            connection.close()
    finally:
        _replaying.clear()
        connection.close()


def replay() -> int:
    """Settles every spooled answer; returns how many. No grant leaves, so a copy does it too; wrong keys do not."""
    if guard.key_trouble():
        return 0
    done = 0
    for path in files():
        page = json.loads(path.read_text())
        if _replay_one(page):
            path.unlink(missing_ok=True)
            done += 1
            reach(Point.REPLAYED, page["attempt"])
    return done


def _replay_one(page: dict[str, object]) -> bool:
    attempt = Attempt.objects.select_related("connection__tenant").filter(public_id=page["attempt"]).first()
    if attempt is None:
        logger.error("A spooled answer belongs to no attempt here.", extra={"action": "spool"})
        return False  # kept: perhaps this is the wrong database
    claim = _claim_of(attempt)
    sealed = Sealed(str(page["sealed"]))
    try:
        tokens = keys.open_answer(sealed, keys.answer_context(claim.tenant_id, claim.attempt_id, claim.number))
    except VaultError as refused:
        if attempt.connection.deleted_at is not None:
            return True  # of a connection that is gone, perhaps erased: there is nothing to save it for
        if isinstance(refused, KeyMissing):
            upkeep.note_spool_unreadable(claim.attempt_id)
        logger.error("A spooled answer cannot be opened.", extra={"action": "spool", "attempt": claim.number})
        return False
    is_definite = bool(page["is_definite"])
    answer = Answer(
        endpoint=Endpoint.TOKEN,
        fault=None if is_definite else Fault.BAD_RESPONSE,
        status=200,
        tokens=tokens,
        is_definite=is_definite,
        is_candidate=not is_definite,
    )
    settlement.settle(claim, settlement.SealedAnswer(answer=answer, kept=sealed))
    return True


def _claim_of(attempt: Attempt) -> Claim:
    """The claim as its sender held it, as far as settling needs it."""
    row = attempt.connection
    return Claim(
        attempt_pk=attempt.pk,
        attempt_id=attempt.public_id,
        number=attempt.number,
        connection_pk=row.pk,
        connection_id=row.public_id,
        tenant_id=row.tenant.public_id,
        data_key=row.tenant.data_key if tenant_keys.is_sealing() else "",
        generation=attempt.generation,
        kind=AttemptKind(attempt.kind),
        rung=Rung(attempt.rung),
        trigger=Trigger(attempt.trigger),
        actor=attempt.actor,
        target=claims.target_of(row),
        host=row.host,
        secret="",
        client_secret="",
        base_version=attempt.base_version,
        is_admin_user=row.is_admin_user,
        is_session_bound=row.is_session_bound,
        session_generation=Generation(row.session_generation),
        is_version_wanted=False,
        drain_seconds=0,
        started=boottime(),
    )
