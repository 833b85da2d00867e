"""A query of the hot path, put together once: to build it costs Django more than it costs the database to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

_BLANK = "\x00 the one value that differs from call to call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """SQL, its parameters with one blank, and what turns a row of the driver into values of Django."""

    sql: str
    params: tuple[Any, ...]
    converters: Mapping[int, tuple[list[Callable[..., Any]], Any]]

    @classmethod
    def of(cls, made: Callable[[str], QuerySet[Any, tuple[Any, ...]]]) -> Statement:
        """`made` gives a `values_list` for the value that is asked for; at most one row is read."""
        compiler = made(_BLANK)[:1].query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([expression for expression, _, _ in compiler.select])
        return cls(sql=sql, params=tuple(params), converters=converters)

    def first(self, value: str) -> tuple[Any, ...] | None:
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [value if param == _BLANK else param for param in self.params])
            found = cursor.fetchone()
        if found is None:
            return None
        row = list(found)
        for place, (converters, expression) in self.converters.items():
            for convert in converters:
                row[place] = convert(row[place], expression, connection)
        return tuple(row)
