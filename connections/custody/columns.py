"""Every sealed column of every model, found by walking the models: a column added tomorrow is not forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Count, QuerySet, Value
from django.db.models.functions import Cast, Greatest, StrIndex, Substr

from connections.models import Connection, OwnKey
from connections.models.fields import SealedField

ENVELOPE_START = "v1:"
UNREADABLE = ""
"""The key id under which values are counted that are no envelope at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One sealed column. Its values are compared as the text they are; the field itself allows no lookup."""

    model: type[models.Model]
    field: str

    def __str__(self) -> str:
        return f"{self.model._meta.model_name}.{self.field}"

    def rows(self) -> QuerySet[Any]:
        """Rows that hold a value, with its text as `envelope`; whoever asks for its context needs no more queries."""
        filled = self.model._default_manager.filter(**{f"{self.field}__isnull": False})
        found: QuerySet[Any] = filled.annotate(envelope=Cast(self.field, models.TextField()))
        way = _way_to_tenant(self.model)
        return found.select_related(way) if way else found

    @property
    def is_of_tenants(self) -> bool:
        """What the installation seals for itself has no tenant."""
        return self.model is not OwnKey

    def sealed_with(self, key_id: str) -> QuerySet[Any]:
        return self.rows().filter(envelope__startswith=f"{ENVELOPE_START}{key_id}:")

    def counts(self) -> Counter[str]:
        """Number of values by key id."""
        rest = Substr("envelope", len(ENVELOPE_START) + 1)
        length = Greatest(StrIndex(rest, Value(":")) - 1, 0)
        by_key = self.rows().order_by().annotate(key=Substr(rest, 1, length)).values("key").annotate(rows=Count("pk"))
        return Counter({row["key"] or UNREADABLE: row["rows"] for row in by_key})


def sealed_columns() -> Iterator[Column]:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, SealedField):
                yield Column(model=model, field=field.name)


def counts() -> Counter[str]:
    """Number of sealed values by key id, in the whole database."""
    return sum((column.counts() for column in sealed_columns()), Counter())


def is_needed(key_id: str) -> bool:
    return any(column.sealed_with(key_id).exists() for column in sealed_columns())


def _way_to_tenant(model: type[models.Model]) -> str:
    """A secret belongs to a tenant, directly or through its connection; the installation's own to nobody."""
    if model is OwnKey:
        return ""
    return "tenant" if model is Connection else "connection__tenant"
