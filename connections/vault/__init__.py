"""Secrets at rest: sealed with AES-256-GCM under a ring of keys, each bound to its tenant, row, field and number."""

from __future__ import annotations

from connections.vault.errors import KeyMissing, KeyringInvalid, SealBroken, VaultError
from connections.vault.fingerprints import Fingerprinter
from connections.vault.keyring import Keyring
from connections.vault.sealed import Context, Sealed

__all__ = [
    "Context",
    "Fingerprinter",
    "KeyMissing",
    "Keyring",
    "KeyringInvalid",
    "SealBroken",
    "Sealed",
    "VaultError",
]
