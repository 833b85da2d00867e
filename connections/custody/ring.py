"""The key ring of this process, as the settings give it or as the file of keys now holds it."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from connections.custody import key_file
from connections.vault import Keyring


@lru_cache(maxsize=4)
def _parsed(text: str) -> Keyring:
    return Keyring.parse(text)


def keyring() -> Keyring:
    """Raises VaultError."""
    file = settings.SUGARADMIN.encryption_key_file
    return (file and key_file.ring(file)) or _parsed(settings.SUGARADMIN.encryption_keys)
