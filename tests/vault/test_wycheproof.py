"""Google's and C2SP's vectors against AES-GCM implementations that accept too much."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connections.vault import SealBroken
from connections.vault.cipher import KEY_BYTES, NONCE_BYTES, TAG_BYTES, decrypt, encrypt

OUR_SIZES = (8 * KEY_BYTES, 8 * NONCE_BYTES, 8 * TAG_BYTES)
VECTORS = json.loads((Path(__file__).parent / "wycheproof_aes_gcm.json").read_text())["vectors"]


def sizes(vector):
    return vector["keySize"], vector["ivSize"], vector["tagSize"]


def named(vectors):
    return [pytest.param(vector, id=f"tc{vector['tcId']}") for vector in vectors]


def parts(vector):
    return {name: bytes.fromhex(vector[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag")}


OURS = [vector for vector in VECTORS if sizes(vector) == OUR_SIZES]
FOREIGN = [vector for vector in VECTORS if sizes(vector) != OUR_SIZES]


def test_the_file_holds_every_vector_of_our_sizes():
    assert len(OURS) == 66
    assert {vector["result"] for vector in OURS} == {"valid", "invalid"}
    assert len(FOREIGN) >= 60


@pytest.mark.parametrize("vector", named(vector for vector in OURS if vector["result"] == "valid"))
def test_valid_vectors_of_our_sizes_encrypt_and_decrypt(vector):
    part = parts(vector)
    sealed = encrypt(part["msg"], key=part["key"], nonce=part["iv"], associated=part["aad"])
    assert sealed == part["ct"] + part["tag"]
    assert decrypt(sealed, key=part["key"], nonce=part["iv"], associated=part["aad"]) == part["msg"]


@pytest.mark.parametrize("vector", named(vector for vector in OURS if vector["result"] == "invalid"))
def test_invalid_vectors_of_our_sizes_do_not_open(vector):
    part = parts(vector)
    with pytest.raises(SealBroken):
        decrypt(part["ct"] + part["tag"], key=part["key"], nonce=part["iv"], associated=part["aad"])


@pytest.mark.parametrize("vector", named(FOREIGN))
def test_other_sizes_are_refused_both_ways_even_when_they_are_valid(vector):
    part = parts(vector)
    with pytest.raises(SealBroken):
        decrypt(part["ct"] + part["tag"], key=part["key"], nonce=part["iv"], associated=part["aad"])
    with pytest.raises(ValueError):
        encrypt(part["msg"], key=part["key"], nonce=part["iv"], associated=part["aad"])
