"""The key ring: the first key encrypts, all of them decrypt."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import NoReturn, Self, final

from connections.vault import cipher
from connections.vault.errors import KeyMissing, KeyringInvalid
from connections.vault.sealed import DATA_KEY_PREFIX, KEY_ID_PATTERN, Context, Sealed, is_data_key

_CHECK_PURPOSE = b"sugaradmin key check v1"
# A token may hold any text that JSON can spell, lone surrogates too; the default handler would raise with the secret.
_SURROGATES = "surrogatepass"


@final
class Keyring:
    """Seals and opens values, each bound to its context.

    `keys` maps a key id to 32 bytes; `primary` names the one that seals. Raises KeyringInvalid.
    """

    __slots__ = ("_keys", "_primary")

    def __init__(self, keys: Mapping[str, bytes], primary: str) -> None:
        _check_keys(keys, primary)
        self._keys = dict(keys)
        self._primary = primary

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `id:base64,id:base64`; the first entry is the primary. Raises KeyringInvalid."""
        keys: dict[str, bytes] = {}
        for position, entry in enumerate(text.split(","), start=1):
            key_id, key = _parse_entry(entry.strip(), position)
            if is_data_key(key_id):
                raise KeyringInvalid(f"Names that begin with {DATA_KEY_PREFIX} are those of tenants' keys.")
            if key_id in keys:
                raise KeyringInvalid(f"Two encryption keys are named {key_id!r}.")
            keys[key_id] = key
        return cls(keys, primary=next(iter(keys)))

    @property
    def primary(self) -> str:
        return self._primary

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def seal(self, plain: str, context: Context) -> Sealed:
        """Encrypts with the primary key and a fresh random nonce."""
        # 96 random bits stay safe for 2^32 values per key (NIST SP 800-38D, 8.3): more than one installation writes.
        nonce = secrets.token_bytes(cipher.NONCE_BYTES)
        ciphertext = cipher.encrypt(
            plain.encode(errors=_SURROGATES),
            key=self._keys[self._primary],
            nonce=nonce,
            associated=context.associated_bytes(self._primary),
        )
        return Sealed.of_parts(self._primary, nonce, ciphertext)

    def open(self, sealed: Sealed, context: Context) -> str:
        """Raises KeyMissing when the ring lacks its key, SealBroken when it is altered or of another context."""
        key_id, nonce, ciphertext = sealed.parts()
        associated = context.associated_bytes(key_id)
        plain = cipher.decrypt(ciphertext, key=self._key(key_id), nonce=nonce, associated=associated)
        return plain.decode(errors=_SURROGATES)

    def key_check(self, key_id: str) -> str:
        """A value to keep beside the data, known for each key and telling nothing of it. Raises KeyMissing."""
        return hmac.new(self._key(key_id), _CHECK_PURPOSE, hashlib.sha256).hexdigest()

    def matches_check(self, key_id: str, check: str) -> bool:
        """Whether the key of this name is the one that `check` was made with. Raises KeyMissing."""
        return hmac.compare_digest(self.key_check(key_id).encode(), check.encode(errors=_SURROGATES))

    def _key(self, key_id: str) -> bytes:
        try:
            return self._keys[key_id]
        except KeyError:
            raise KeyMissing(key_id) from None

    def __repr__(self) -> str:
        return f"<Keyring {', '.join(self._keys)}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A key ring is not pickled.")


def _check_keys(keys: Mapping[str, bytes], primary: str) -> None:
    if not keys:
        raise KeyringInvalid("No encryption key is set.")
    for key_id, key in keys.items():
        if not KEY_ID_PATTERN.fullmatch(key_id):
            raise KeyringInvalid("An encryption key's name is 1 to 16 characters of a-z, 0-9, - and _.")
        if len(key) != cipher.KEY_BYTES:
            raise KeyringInvalid(f"Encryption key {key_id!r} has {len(key)} bytes instead of {cipher.KEY_BYTES}.")
    if len(set(keys.values())) < len(keys):
        # Rotating from a key to itself would report success and retire nothing.
        raise KeyringInvalid("Two encryption keys have different names and the same bytes.")
    if primary not in keys:
        raise KeyringInvalid("The primary encryption key is not among the keys.")


def _parse_entry(entry: str, position: int) -> tuple[str, bytes]:
    key_id, colon, encoded = entry.partition(":")
    # Only a well-formed name is ever repeated: what stands there may be a key whose name was forgotten.
    if not colon or not KEY_ID_PATTERN.fullmatch(key_id):
        raise KeyringInvalid(
            f"Encryption key number {position} is not written as name:base64, "
            "with a name of 1 to 16 characters of a-z, 0-9, - and _."
        )
    try:
        return key_id, base64.b64decode(encoded.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise KeyringInvalid(f"Encryption key {key_id!r} is not base64.") from None
