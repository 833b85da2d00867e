"""Fingerprints: they tell two tokens apart and reveal neither."""

from __future__ import annotations

import hashlib
import hmac
from typing import NoReturn, final

from connections.vault.errors import KeyringInvalid

_LEAST_KEY_BYTES = 32
_DIGITS = 8


@final
class Fingerprinter:
    """Its key is its own, not one of the ring, and never rotates: history stays comparable. Raises KeyringInvalid."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < _LEAST_KEY_BYTES:
            raise KeyringInvalid(f"The fingerprint key has {len(key)} bytes; it needs at least {_LEAST_KEY_BYTES}.")
        self._key = bytes(key)

    def of(self, token: str) -> str:
        """The first 8 hex digits of the token's HMAC-SHA256."""
        return hmac.new(self._key, token.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:_DIGITS]

    def __repr__(self) -> str:
        return "<Fingerprinter>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A fingerprinter is not pickled.")
