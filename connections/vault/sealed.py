"""The two values that cross the vault's door: what was sealed, and what it was sealed for."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import NoReturn, Self, final

from connections.vault.errors import SealBroken

KEY_ID_PATTERN = re.compile(r"[a-z0-9_-]{1,16}")
DATA_KEY_PREFIX = "tk_"
"""Names that begin so are tenants' keys; no key of the ring has one."""

_ENVELOPE_VERSION = "v1"
_NUMBER_BYTES = 8
_LENGTH_BYTES = 4


@final
@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """An encrypted value as it stands in a column: `v1:<key id>:<nonce>:<ciphertext>`.

    Any text makes a `Sealed`, so that one damaged row never breaks a list: damage shows when it is opened.
    """

    envelope: str

    @property
    def key_id(self) -> str:
        """The key that opens it. Raises SealBroken when the text is no envelope."""
        return self.parts()[0]

    def parts(self) -> tuple[str, bytes, bytes]:
        """Key id, nonce and ciphertext. Raises SealBroken when the text is no envelope."""
        match self.envelope.split(":"):
            case [version, key_id, nonce, ciphertext] if version == _ENVELOPE_VERSION and KEY_ID_PATTERN.fullmatch(
                key_id
            ):
                return key_id, _decoded(nonce), _decoded(ciphertext)
        raise SealBroken

    @classmethod
    def of_parts(cls, key_id: str, nonce: bytes, ciphertext: bytes) -> Self:
        return cls(":".join((_ENVELOPE_VERSION, key_id, _encoded(nonce), _encoded(ciphertext))))

    def __repr__(self) -> str:
        try:
            return f"<Sealed {self.key_id}>"
        except SealBroken:
            return "<Sealed unreadable>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        # Caches, sessions and task queues pickle what they are given; a secret has no business there.
        raise TypeError("A sealed value is not pickled.")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a value is sealed for: it opens nowhere else.

    `tenant` and `row` are public ids, `number` is the token version or the count of saves of a password. All of them
    are known before the row is inserted.
    """

    tenant: str
    row: str
    field: str
    number: int

    def __post_init__(self) -> None:
        if not (self.tenant and self.row and self.field and 0 <= self.number < 1 << 8 * _NUMBER_BYTES):
            raise ValueError("A context needs a tenant, a row, a field and a number that is not negative.")

    def associated_bytes(self, key_id: str) -> bytes:
        """The bytes that the cipher binds. Every part carries its length, so that no two contexts read alike."""
        words = ("sugaradmin", _ENVELOPE_VERSION, key_id, self.tenant, self.row, self.field)
        return b"".join(map(_prefixed, words)) + self.number.to_bytes(_NUMBER_BYTES, "big")


def is_data_key(key_id: str) -> bool:
    return key_id.startswith(DATA_KEY_PREFIX)


def _prefixed(word: str) -> bytes:
    encoded = word.encode()
    return len(encoded).to_bytes(_LENGTH_BYTES, "big") + encoded


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise SealBroken from None
    # Base64 has several spellings of the same bytes (spare bits, ignored characters); only ours is accepted.
    if _encoded(raw) != text:
        raise SealBroken
    return raw
