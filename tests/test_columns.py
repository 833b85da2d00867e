"""In the database a column of state or of a secret says what it means, and a closed list of words is closed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection, models

from connections.models.fields import SealedField

SECRET_DERIVED = re.compile(r"(^|_)(secret|fingerprint|digest|hash)(_|$)")
# What their names do not say: digests, a keyed hash, a value made with a key.
SECRET_DERIVED_TOO = {"AuditCheck.head", "AuditRow.previous", "EncryptionKey.check_value", "LentPassword.session"}
OPEN_LISTS = {
    # its table is never built anew on SQLite, so that its triggers stay: docs/design.md
    "AuditRow.outcome",
}

Column = tuple[type[models.Model], models.Field]


def columns() -> Iterator[Column]:
    for model in apps.get_app_config("connections").get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            yield model, field


def name_of(column: Column) -> str:
    model, field = column
    return f"{model.__name__}.{field.name}"


def tells_state_or_secret(column: Column) -> bool:
    _, field = column
    is_secret = isinstance(field, SealedField) or bool(SECRET_DERIVED.search(field.name))
    return bool(field.choices) or is_secret or name_of(column) in SECRET_DERIVED_TOO


def words_of(field: models.Field) -> set[str]:
    return {value for value, _ in field.flatchoices} | ({""} if field.blank else set())


def check_of(column: Column) -> models.CheckConstraint | None:
    """The constraint that lets exactly the words of the column's list in."""
    model, field = column
    for constraint in model._meta.constraints:
        if not isinstance(constraint, models.CheckConstraint) or len(constraint.condition.children) != 1:
            continue
        match constraint.condition.children[0]:
            case (lookup, words) if lookup == f"{field.name}__in" and set(words) == words_of(field):
                return constraint
    return None


COMMENTED = [column for column in columns() if tells_state_or_secret(column)]
CLOSED = [column for column in columns() if column[1].choices and name_of(column) not in OPEN_LISTS]


@pytest.mark.parametrize("column", COMMENTED, ids=name_of)
def test_a_column_of_state_or_of_a_secret_has_a_comment(column: Column) -> None:
    assert column[1].db_comment


@pytest.mark.django_db
@pytest.mark.parametrize("column", CLOSED, ids=name_of)
def test_a_closed_list_is_closed_in_the_database(column: Column) -> None:
    check = check_of(column)
    assert check is not None
    with connection.cursor() as cursor:
        there = connection.introspection.get_constraints(cursor, column[0]._meta.db_table)
    assert there[check.name]["check"]


def test_the_exceptions_are_still_there() -> None:
    names = {name_of(column) for column in columns()}
    assert names >= SECRET_DERIVED_TOO
    assert {name_of(column) for column in columns() if column[1].choices and check_of(column) is None} == OPEN_LISTS


@pytest.mark.django_db
def test_the_database_has_the_comments() -> None:
    if not connection.features.supports_comments:
        pytest.skip("SQLite keeps no comments.")
    for model in apps.get_app_config("connections").get_models():
        with connection.cursor() as cursor:
            there = connection.introspection.get_table_description(cursor, model._meta.db_table)
        wanted = {field.column: field.db_comment for field in model._meta.concrete_fields}
        assert {column.name: column.comment for column in there} == wanted
