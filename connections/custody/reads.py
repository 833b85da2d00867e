"""What every grant reads of its connection: one row each, by statements that are put together once."""

from __future__ import annotations

from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from connections.choices import OPEN_STATES, AttemptKind, AttemptState, VersionState
from connections.custody import statement
from connections.custody.statement import Rows
from connections.models import Attempt, Connection, DatabaseNow, HostWait, TokenVersion, database_now

_LOCKED = Rows(lambda pk: Connection.objects.select_for_update(of=("self",)).select_related("tenant").filter(pk=pk))
_PROBE_AT = Subquery(HostWait.objects.filter(host=OuterRef("host")).values("next_probe_at"))
_DUE = Rows(
    lambda pk: Connection.objects.select_related("tenant").annotate(now=DatabaseNow(), probe_at=_PROBE_AT).filter(pk=pk)
)
_ATTEMPT = Rows(lambda pk: Attempt.objects.filter(pk=pk).annotate(now=DatabaseNow()))
_OPEN_GRANT = Rows(
    lambda pk: Attempt.objects.filter(
        connection_id=pk, state__in=OPEN_STATES, kind__in=(AttemptKind.REFRESH, AttemptKind.PASSWORD)
    )
)
_LIVE = Rows(
    lambda pk: TokenVersion.objects.filter(connection_id=pk, state=VersionState.LIVE).annotate(now=DatabaseNow())
)


def locked(pk: int) -> Connection:
    """With its tenant; only the connection's own row is locked. Raises Connection.DoesNotExist."""
    row = _LOCKED.first(pk)
    if row is None:
        raise Connection.DoesNotExist
    return row


def due(pk: int) -> Connection | None:
    """Not locked; with `now` and `probe_at`: when a host that did not answer is probed again."""
    return _DUE.first(pk)


def attempt(pk: int) -> tuple[Attempt, datetime]:
    """With the database's clock: read it while the connection is locked. Raises Attempt.DoesNotExist."""
    row = _ATTEMPT.first(pk)
    if row is None:
        raise Attempt.DoesNotExist
    return row, row.now  # type: ignore[attr-defined]  # annotated


def for_settling(pk: int, attempt_pk: int) -> tuple[Connection, Attempt, TokenVersion | None, datetime]:
    """The connection, locked; then, as they are under the lock, its attempt, its live version and the clock.

    Raises Connection.DoesNotExist or Attempt.DoesNotExist.
    """
    row, found, live = statement.firsts((_LOCKED, pk), (_ATTEMPT, attempt_pk), (_LIVE, pk))
    if row is None:
        raise Connection.DoesNotExist
    if found is None:
        raise Attempt.DoesNotExist
    return row, found, live, found.now


def open_grant(row: Connection) -> Attempt | None:
    """A refresh or a sign-in under way; there is at most one (a constraint)."""
    return _OPEN_GRANT.first(row.pk)


def candidates(row: Connection) -> QuerySet[Attempt]:
    """Answers that came too late or were cut, kept until they are proven by use; the newest first."""
    kept = Attempt.objects.filter(connection=row, state=AttemptState.ANSWERED, answer__isnull=False)
    return kept.filter(generation=row.generation).order_by("-number")


def live_version(row: Connection) -> TokenVersion | None:
    """There is at most one (a constraint)."""
    return _LIVE.first(row.pk)


def live_with_clock(row: Connection) -> tuple[TokenVersion | None, datetime]:
    """The live version and the database's clock, in one question where there is a version."""
    version = live_version(row)
    return version, database_now() if version is None else version.now  # type: ignore[attr-defined]  # annotated
