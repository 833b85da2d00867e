from __future__ import annotations

import hashlib
import hmac
import pickle

import pytest

from connections.vault import Fingerprinter, KeyringInvalid

KEY = b"\x07" * 32


def test_a_fingerprint_is_the_first_8_hex_digits_of_the_keyed_hash():
    expected = hmac.new(KEY, b"token", hashlib.sha256).hexdigest()[:8]
    assert Fingerprinter(KEY).of("token") == expected


def test_it_tells_tokens_and_keys_apart():
    assert Fingerprinter(KEY).of("token") != Fingerprinter(KEY).of("other")
    assert Fingerprinter(KEY).of("token") != Fingerprinter(b"\x08" * 32).of("token")


def test_it_takes_any_text():
    assert len(Fingerprinter(KEY).of("lone \ud800 surrogate")) == 8


@pytest.mark.parametrize("length", [0, 31])
def test_a_short_key_is_refused(length):
    with pytest.raises(KeyringInvalid, match=f"has {length} bytes"):
        Fingerprinter(b"\x07" * length)


def test_it_shows_no_key_and_is_not_pickled():
    assert repr(Fingerprinter(KEY)) == "<Fingerprinter>"
    with pytest.raises(TypeError):
        pickle.dumps(Fingerprinter(KEY))
