"""What every grant reads of its connection: one row each, by statements that are put together once."""

from __future__ import annotations

from connections.choices import OPEN_STATES, AttemptKind, VersionState
from connections.custody.statement import Rows
from connections.models import Attempt, Connection, TokenVersion

_LOCKED = Rows(lambda pk: Connection.objects.select_for_update(of=("self",)).select_related("tenant").filter(pk=pk))
_ATTEMPT = Rows(lambda pk: Attempt.objects.filter(pk=pk))
_OPEN_GRANT = Rows(
    lambda pk: Attempt.objects.filter(
        connection_id=pk, state__in=OPEN_STATES, kind__in=(AttemptKind.REFRESH, AttemptKind.PASSWORD)
    )
)
_LIVE = Rows(lambda pk: TokenVersion.objects.filter(connection_id=pk, state=VersionState.LIVE))


def locked(pk: int) -> Connection:
    """With its tenant; only the connection's own row is locked. Raises Connection.DoesNotExist."""
    row = _LOCKED.first(pk)
    if row is None:
        raise Connection.DoesNotExist
    return row


def attempt(pk: int) -> Attempt:
    """Raises Attempt.DoesNotExist."""
    row = _ATTEMPT.first(pk)
    if row is None:
        raise Attempt.DoesNotExist
    return row


def open_grant(row: Connection) -> Attempt | None:
    """A refresh or a sign-in under way; there is at most one (a constraint)."""
    return _OPEN_GRANT.first(row.pk)


def live_version(row: Connection) -> TokenVersion | None:
    """There is at most one (a constraint)."""
    return _LIVE.first(row.pk)
