"""The key ring of this process, as the settings give it."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from connections.vault import Keyring


@lru_cache(maxsize=4)
def _parsed(text: str) -> Keyring:
    return Keyring.parse(text)


def keyring() -> Keyring:
    return _parsed(settings.SUGARADMIN.encryption_keys)
