"""Secrets at rest: sealed with AES-256-GCM under a ring of keys, each bound to its tenant, row, field and number."""

from __future__ import annotations

from connections.vault.errors import KeyMissing, KeyringInvalid, SealBroken, VaultError
from connections.vault.fingerprints import Fingerprinter
from connections.vault.keyring import Keyring
from connections.vault.sealed import DATA_KEY_PREFIX, Context, Sealed, is_data_key

__all__ = [
    "DATA_KEY_PREFIX",
    "Context",
    "Fingerprinter",
    "KeyMissing",
    "Keyring",
    "KeyringInvalid",
    "SealBroken",
    "Sealed",
    "VaultError",
    "is_data_key",
]
