"""What the vault refuses.

VaultError
├── KeyringInvalid   the configured keys do not make a key ring
├── KeyMissing       the value names a key that the ring does not hold
└── SealBroken       the value does not open: altered, cut, or not of this context

No message carries a key, a plain value or a ciphertext, and `SealBroken` does not say which of its causes it was.
"""

from __future__ import annotations


class VaultError(Exception):
    """Anything that the vault refuses."""


class KeyringInvalid(VaultError):
    """The configured keys do not make a key ring; the message says which entry and why, never its text."""


class KeyMissing(VaultError):
    """The value was sealed with a key that this ring does not hold."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"The key ring holds no key named {key_id!r}.")
        self.key_id = key_id


class SealBroken(VaultError):
    """The value is altered, cut short, or was sealed for another tenant, row, field or number."""

    def __init__(self) -> None:
        super().__init__("The sealed value does not open.")
