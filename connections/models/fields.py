"""Columns with a promise: sealed secrets and public ids."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db import models

from connections.vault import Sealed

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def new_public_id(prefix: str) -> str:
    """`c_` and 10 characters of Crockford base32: 50 bits, readable on the phone."""
    return f"{prefix}_" + "".join(secrets.choice(CROCKFORD) for _ in range(10))


def connection_id() -> str:
    return new_public_id("c")


def tenant_id() -> str:
    return new_public_id("t")


def attempt_id() -> str:
    return new_public_id("a")


def draft_id() -> str:
    return new_public_id("d")


def link_id() -> str:
    return new_public_id("l")


if TYPE_CHECKING:
    SealedColumn = models.TextField["Sealed | None", "Sealed | None"]
else:
    SealedColumn = models.TextField


class SealedField(SealedColumn):
    """A secret as the vault sealed it. Never opened on load, never looked up, never serialised.

    The field itself cannot bind a ciphertext to its row (it sees no row when it reads and no key when it
    inserts), so custody seals and opens by name.
    """

    description = "A sealed secret"
    if TYPE_CHECKING:
        _pyi_private_set_type: Sealed | None  # type: ignore[assignment]  # a sealed column holds no text
        _pyi_private_get_type: Sealed | None  # type: ignore[assignment]

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed | None:
        return Sealed(value) if value else None

    def to_python(self, value: Any) -> Sealed | None:
        if value is None or isinstance(value, Sealed):
            return value
        raise FieldError("A sealed column takes what the vault sealed, never plain text.")

    def get_prep_value(self, value: Any) -> str | None:
        sealed = self.to_python(value)
        return sealed.envelope if sealed else None

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError("A sealed column cannot be searched.")
        return super().get_lookup(lookup_name)

    def value_to_string(self, obj: models.Model) -> str:
        raise FieldError("A sealed column is left out of dumps: back up the database and its keys instead.")
