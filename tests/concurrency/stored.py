"""What the checks read after every move, in plain SQL: putting ORM queries together would take most of the time."""

from __future__ import annotations

from typing import Any

from django.db import connection as database

Row = dict[str, Any]


def connection(pk: int) -> Row:
    (row,) = _rows(
        "SELECT version_count, attempt_count, generation, doubt_after, trouble, is_new_chain_wanted, deleted_at "
        "FROM connections_connection WHERE id = %s",
        pk,
    )
    return row


def attempts(pk: int) -> list[Row]:
    return _rows(
        "SELECT number, state, generation, sent_at FROM connections_attempt WHERE connection_id = %s ORDER BY id", pk
    )


def versions(pk: int) -> dict[int, Row]:
    found = _rows(
        "SELECT v.number, v.chain, v.origin, v.fingerprint, v.refresh_fingerprint, v.issued_at, v.access_expires_at, "
        "v.refresh_expires_at, v.state, a.number AS attempt, a.generation AS generation "
        "FROM connections_tokenversion v LEFT JOIN connections_attempt a ON a.id = v.attempt_id "
        "WHERE v.connection_id = %s ORDER BY v.id",
        pk,
    )
    return {row["number"]: row for row in found}


def open_attempt() -> Row | None:
    """The only one of the stage: claimed, or sent and then with a drain."""
    found = _rows("SELECT state, send_by, drain_until FROM connections_attempt WHERE state IN ('claimed', 'sent')")
    return found[0] if found else None


def _rows(sql: str, *values: object) -> list[Row]:
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
