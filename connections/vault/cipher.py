"""AES-256-GCM with one set of parameters: 32-byte key, 12-byte nonce, 16-byte tag at the end of the ciphertext."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connections.vault.errors import SealBroken

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


def encrypt(plain: bytes, *, key: bytes, nonce: bytes, associated: bytes) -> bytes:
    """Raises ValueError for any other size of key or nonce: the library would take most of them."""
    if len(key) != KEY_BYTES or len(nonce) != NONCE_BYTES:
        raise ValueError("The vault encrypts with 256-bit keys and 96-bit nonces only.")
    return AESGCM(key).encrypt(nonce, plain, associated)


def decrypt(ciphertext: bytes, *, key: bytes, nonce: bytes, associated: bytes) -> bytes:
    """Raises SealBroken unless every byte is what was encrypted, in sizes of ours."""
    if len(key) != KEY_BYTES or len(nonce) != NONCE_BYTES or len(ciphertext) < TAG_BYTES:
        raise SealBroken
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, associated)
    except InvalidTag:
        raise SealBroken from None
