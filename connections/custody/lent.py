"""Passwords that are not stored: typed in the wizard, lent to its test for half an hour, for that session alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from connections.custody import guard, keys, tenant_keys
from connections.custody.ledger.edits import Moved
from connections.custody.problems import Conflict
from connections.models import Connection, DatabaseNow, LentPassword, database_now
from connections.vault import Sealed, VaultError

LIFE = timedelta(minutes=30)
SALT = "connections.custody.lent"


def lend(row: Connection, password: str, session_key: str) -> datetime:
    """Until when it lives. What another session had lent is replaced.

    Raises Conflict where nothing can be sealed, edits.Moved where the connection leads elsewhere than `row` says.
    """
    if guard.key_trouble():
        raise Conflict("read_only", guard.key_trouble())
    with transaction.atomic():
        if Connection.objects.select_for_update().get(pk=row.pk).generation != row.generation:
            raise Moved
        LentPassword.objects.get_or_create(connection=row)
        lent = LentPassword.objects.select_for_update().get(connection=row)
        lent.connection = row
        lent.number += 1
        lent.session = _mark(session_key)
        lent.until = database_now() + LIFE
        lent.secret = _sealed(password, lent)
        lent.save()
    return lent.until


def lent_until(row: Connection, session_key: str) -> datetime | None:
    """Until when this session need not type it again; None: it must."""
    lent = _find(row, session_key)
    return lent.until if lent else None


def password_of(row: Connection, session_key: str) -> str | None:
    """None: never typed in this session, or too long ago. Raises VaultError."""
    lent = _find(row, session_key)
    if lent is None or lent.secret is None:
        return None
    lent.connection = row
    return keys.unseal(lent.secret, keys.lent_context(lent))


def _find(row: Connection, session_key: str) -> LentPassword | None:
    living = LentPassword.objects.filter(connection=row, secret__isnull=False, until__gt=DatabaseNow()).first()
    if living is None or not session_key or not constant_time_compare(living.session, _mark(session_key)):
        return None
    return living


def _sealed(password: str, lent: LentPassword) -> Sealed:
    try:
        data_key = tenant_keys.key_of(lent.connection.tenant)
        return keys.seal(password, keys.lent_context(lent), data_key=data_key)
    except VaultError as refused:
        raise Conflict("read_only", str(refused)) from None


def take_back(row: Connection) -> None:
    """It has served: nothing is left of it."""
    LentPassword.objects.filter(connection=row).update(secret=None)


def take_back_old() -> int:
    """Wipe what is over; the background asks every minute."""
    return LentPassword.objects.filter(secret__isnull=False, until__lte=DatabaseNow()).update(secret=None)


def _mark(session_key: str) -> str:
    """The key of a session opens it, so only its keyed hash is written down."""
    return salted_hmac(SALT, session_key, algorithm="sha256").hexdigest()


__all__ = ["LIFE", "VaultError", "lend", "lent_until", "password_of", "take_back", "take_back_old"]
