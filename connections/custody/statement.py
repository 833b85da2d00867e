"""Queries of the hot paths, put together once: to build one costs Django more than it costs the database to answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model, QuerySet
from django.db.models.query import get_related_populators
from psycopg.pq import TransactionStatus

_BLANK = "\x00 the one value that differs from call to call"
_BLANK_KEY = -4_611_686_018_427_387_847
"""The same for a key: a number that no row has."""

Row = TypeVar("Row", bound=Model)
Converters = Mapping[int, tuple[list[Callable[..., Any]], Any]]
"""By the place of a column: what makes the driver's value Django's, and the expression that was selected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """SQL, its parameters with one blank, and what turns a row of the driver into values of Django."""

    sql: str
    params: tuple[Any, ...]
    converters: Converters

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
        return tuple(_converted(found, self.converters, connections[DEFAULT_DB_ALIAS]))


@dataclass(slots=True)
class Rows(Generic[Row]):
    """`first(key)`: the row that `made(key)` finds, as a model with what it selects beside it, or None.

    What differs from call to call is one key; everything else, the lock too, is part of the statement.
    """

    made: Callable[[int], QuerySet[Row]]
    _compiled: dict[str, _Compiled] = field(default_factory=dict)  # by kind of database

    def first(self, key: int) -> Row | None:
        row: Row | None
        (row,) = firsts((self, key))
        return row

    def compiled(self) -> _Compiled:
        compiled = self._compiled.get(connection.vendor)
        if compiled is None:
            self._compiled[connection.vendor] = compiled = _Compiled.of(self.made(_BLANK_KEY))
        return compiled


def firsts(*asked: tuple[Rows[Any], int]) -> list[Any]:
    """The first row of each, asked in this order and on PostgreSQL in one message; None where there is none."""
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "postgresql":
        return _firsts_in_one_message(database, [(rows.compiled(), key) for rows, key in asked])
    found = []
    with database.cursor() as cursor:
        for rows, key in asked:
            compiled = rows.compiled()
            cursor.execute(compiled.sql, compiled.params_for(key))
            found.append(compiled.as_model(cursor.fetchone(), database))
    return found


def _firsts_in_one_message(database: BaseDatabaseWrapper, asked: Sequence[tuple[_Compiled, int]]) -> list[Any]:
    sql = "; ".join(compiled.literal_for(key) for compiled, key in asked)
    found = []
    with database.cursor() as cursor:
        has_begun = _takes_begin_along(database)
        cursor.execute(f"BEGIN; {sql}" if has_begun else sql)
        for place, (compiled, _) in enumerate(asked):
            if place or has_begun:
                cursor.nextset()
            found.append(compiled.as_model(cursor.fetchone(), database))
    return found


def _takes_begin_along(database: BaseDatabaseWrapper) -> bool:
    """Whether the next message is to begin the transaction itself. The driver would begin it by a message of its own
    before the first of a transaction; told that it commits by itself it does not, and at our commit or rollback it
    looks at what the server says."""
    driver = database.connection
    is_plain = driver.isolation_level is None and driver.read_only is None and driver.deferrable is None
    if not (is_plain and database.in_atomic_block and driver.info.transaction_status == TransactionStatus.IDLE):
        return False
    driver.autocommit = True
    return True


def insert(row: Row) -> Row:
    """Stores a row that is not there yet, and gives it its key: `save(force_insert=True)`, put together once."""
    database = connections[DEFAULT_DB_ALIAS]
    sql, fields = _insert(type(row), database.vendor)
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection=database) for field in fields]

    def done(cursor: Any) -> None:
        (row.pk,) = cursor.fetchone()
        row._state.adding, row._state.db = False, database.alias

    _give(_Change(sql=sql, params=values, done=done))
    return row


@lru_cache(maxsize=64)
def _insert(model: type[Model], vendor: str) -> tuple[str, list[Field[Any, Any]]]:
    quote, meta = connection.ops.quote_name, model._meta
    fields = [field for field in meta.concrete_fields if field is not meta.pk]
    columns = ", ".join(quote(str(field.column)) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    key = quote(str(meta.pk.column))
    sql = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({places}) RETURNING {key}"  # noqa: S608  # our names
    return sql, fields


def write(row: Model, names: Sequence[str]) -> None:
    """Writes these fields of a row that is there and locked: `save(update_fields=…)`, put together once."""
    database = connections[DEFAULT_DB_ALIAS]
    sql, fields = _update(type(row), tuple(names), database.vendor)
    values = [field.get_db_prep_save(field.pre_save(row, add=False), connection=database) for field in fields]

    def done(cursor: Any) -> None:
        if cursor.rowcount != 1:
            raise ObjectDoesNotExist(f"{type(row).__name__} {row.pk} is gone.")

    _give(_Change(sql=sql, params=[*values, row.pk], done=done))


@lru_cache(maxsize=512)
def _update(model: type[Model], names: tuple[str, ...], vendor: str) -> tuple[str, list[Field[Any, Any]]]:
    """`vendor` parts what is kept: each kind of database quotes in its own way."""
    quote, meta = connection.ops.quote_name, model._meta
    fields = [field for field in meta.concrete_fields if {field.name, field.attname} & set(names)]
    assert len(fields) == len(set(names)), f"{model.__name__} has not all of {names}."
    columns = ", ".join(f"{quote(str(field.column))} = %s" for field in fields)
    sql = f"UPDATE {quote(meta.db_table)} SET {columns} WHERE {quote(str(meta.pk.column))} = %s"  # noqa: S608  # our names
    return sql, fields


@contextmanager
def together() -> Iterator[None]:
    """What is inserted and written within goes to the database in its order and in one message, when the block ends:
    each message costs a transaction half a millisecond in which others wait for its lock.

    Nothing within may read what it writes before `send_kept`, nor need the key of a row it inserts. SQLite has no
    messages to spare.
    """
    if connection.vendor != "postgresql":
        yield
        return
    _kept.changes = []
    try:
        yield
        send_kept()
    finally:
        _kept.changes = None


def send_kept() -> None:
    """What was written within `together` so far goes out now: the next question is about it."""
    if _kept.changes:
        kept, _kept.changes = _kept.changes, []
        _send(kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    sql: str
    params: list[Any]
    done: Callable[[Any], None]  # looks at what came of it


class _Kept(threading.local):
    changes: list[_Change] | None = None


_kept = _Kept()


def _give(change: _Change) -> None:
    if _kept.changes is None:
        _send([change])
    else:
        _kept.changes.append(change)


def _send(changes: list[_Change]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "; ".join(change.sql for change in changes), [one for change in changes for one in change.params]
        )
        for place, change in enumerate(changes):
            if place:
                cursor.nextset()
            change.done(cursor)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    """A statement and how Django makes models of its rows; the same steps as its own iteration over a query."""

    sql: str
    params: tuple[Any, ...]
    pieces: Sequence[str]  # on PostgreSQL: with every parameter in its place as a literal; the key is all that lacks
    converters: Converters
    model: type[Model]
    names: list[str]
    start: int
    annotations: Mapping[str, int]
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
            pieces=_literal(sql, params),
            converters=compiler.get_converters([expression for expression, _, _ in chosen]),
            model=shape["model"],
            names=[chosen[place][0].target.attname for place in own],
            start=own[0],
            annotations=compiler.annotation_col_map or {},
            beside=get_related_populators(shape, chosen, connection.alias),  # type: ignore[call-arg]  # a later stub
        )

    def params_for(self, key: int) -> list[Any]:
        return [key if param == _BLANK_KEY else param for param in self.params]

    def literal_for(self, key: int) -> str:
        """For a message without parameters: to find their places anew costs more than the rest of sending it."""
        return str(int(key)).join(self.pieces)

    def as_model(self, found: Sequence[Any] | None, database: BaseDatabaseWrapper) -> Any:
        if found is None:
            return None
        row = _converted(found, self.converters, database)
        made = self.model.from_db(database.alias, self.names, row[self.start : self.start + len(self.names)])
        for name, place in self.annotations.items():
            setattr(made, name, row[place])
        for populator in self.beside:
            populator.populate(row, made)
        return made


def _converted(found: Sequence[Any], converters: Converters, database: BaseDatabaseWrapper) -> list[Any]:
    row = list(found)
    for place, (steps, expression) in converters.items():
        for convert in steps:
            row[place] = convert(row[place], expression, database)
    return row


def _literal(sql: str, params: Sequence[Any]) -> Sequence[str]:
    if connection.vendor != "postgresql":
        return ()
    with connection.cursor() as cursor:
        return str(cursor.mogrify(sql, params)).split(str(_BLANK_KEY))
