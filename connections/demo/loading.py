"""Rows by the hundred thousand: COPY on PostgreSQL, one prepared statement on SQLite.

Values are plain: int, None, text without backslashes, tabs and line ends; moments as `text_of` writes them, JSON as
text. Every constraint of the table holds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Field, Model

Plain = int | str | None
ABSENT = r"\N"


def text_of(at: datetime) -> str:
    """A moment without its zone: both databases are spoken to in UTC."""
    return at.isoformat(" ", "microseconds")[:26]


class Loader:
    """Into the table of `model`: rows of the fields named in `varying`, in this order; every other has its default."""

    def __init__(self, model: type[Model], varying: Sequence[str]) -> None:
        self.varying = tuple(varying)
        fields = model._meta.concrete_fields
        rest = [field for field in fields if field.name not in self.varying and not field.primary_key]
        chosen = [*(model._meta.get_field(name) for name in self.varying), *rest]
        columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in chosen)  # type: ignore[union-attr]
        table = connection.ops.quote_name(model._meta.db_table)
        self._fixed = [_default(field) for field in rest]
        blanks = ", ".join(["%s"] * len(chosen))
        self._copy = f"COPY {table} ({columns}) FROM STDIN"
        self._insert = f"INSERT INTO {table} ({columns}) VALUES ({blanks})"  # noqa: S608  names of our own models

    def load(self, rows: Sequence[Sequence[Plain]]) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                line = "\t".join(["%s"] * len(self.varying) + _cells(self._fixed)) + "\n"
                with cursor.copy(self._copy) as copy:
                    copy.write("".join([line % tuple(_cells(row)) for row in rows]))
            else:
                cursor.executemany(self._insert, [(*row, *self._fixed) for row in rows])


def _default(field: Field[Any, Any]) -> Plain:
    value = field.get_default()
    if isinstance(value, dict | list):
        return json.dumps(value)
    return int(value) if isinstance(value, bool) else value


def _cells(row: Sequence[Plain]) -> list[str]:
    return [ABSENT if value is None else str(value) for value in row]
