"""Queries of the hot paths, put together once: to build one costs Django more than it costs the database to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

_BLANK = "\x00 the one value that differs from call to call"
_BLANK_KEY = -4_611_686_018_427_387_847
"""The same for a key: a number that no row has."""

Row = TypeVar("Row", bound=Model)


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


@dataclass(slots=True)
class Rows(Generic[Row]):
    """`first(key)`: the row that `made(key)` finds, as a model with what it selects beside it, or None.

    What differs from call to call is one key; everything else, the lock too, is part of the statement.
    """

    made: Callable[[int], QuerySet[Row]]
    _compiled: dict[str, _Compiled] = field(default_factory=dict)  # by kind of database

    def first(self, key: int) -> Row | None:
        compiled = self._compiled.get(connection.vendor)
        if compiled is None:
            self._compiled[connection.vendor] = compiled = _Compiled.of(self.made(_BLANK_KEY))
        with connection.cursor() as cursor:
            cursor.execute(compiled.sql, [key if param == _BLANK_KEY else param for param in compiled.params])
            found = cursor.fetchone()
        row: Row | None = None if found is None else compiled.as_model(list(found))
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    """A statement and how Django makes models of its rows; the same steps as its own iteration over a query."""

    sql: str
    params: tuple[Any, ...]
    converters: Mapping[int, tuple[list[Callable[..., Any]], Any]]
    model: type[Model]
    names: list[str]
    start: int
    beside: list[Any]  # what fills in the rows selected beside

    @classmethod
    def of(cls, query: QuerySet[Any]) -> _Compiled:
        compiler = query.order_by()[:1].query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        chosen, shape = compiler.select, compiler.klass_info
        own = shape["select_fields"]
        return cls(
            sql=sql,
            params=tuple(params),
            converters=compiler.get_converters([expression for expression, _, _ in chosen]),
            model=shape["model"],
            names=[chosen[place][0].target.attname for place in own],
            start=own[0],
            beside=get_related_populators(shape, chosen, connection.alias),  # type: ignore[call-arg]  # a later stub
        )

    def as_model(self, row: list[Any]) -> Any:
        for place, (converters, expression) in self.converters.items():
            for convert in converters:
                row[place] = convert(row[place], expression, connection)
        made = self.model.from_db(connection.alias, self.names, row[self.start : self.start + len(self.names)])
        for populator in self.beside:
            populator.populate(row, made)
        return made
