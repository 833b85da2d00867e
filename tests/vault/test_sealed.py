from __future__ import annotations

import copy
import dataclasses
import itertools
import pickle

import pytest

from connections.vault import Context, KeyMissing, Keyring, SealBroken, Sealed

RING = Keyring({"k1": b"\x01" * 32}, primary="k1")
HERE = Context(tenant="t_1", row="c_1", field="refresh_token", number=3)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=: \n\x00é"


def all_contexts():
    # Includes parts that would read alike if they were only joined.
    tenants, rows = ("t_1", "t_2", "t_1c", "t"), ("c_1", "c_2", "_1")
    fields = ("refresh_token", "access_token", "password", "c_1refresh_token")
    return [
        Context(tenant=tenant, row=row, field=field, number=number)
        for tenant, row, field, number in itertools.product(tenants, rows, fields, (0, 1, 256))
    ]


def test_a_value_copied_to_any_other_tenant_row_field_or_number_does_not_open():
    contexts = all_contexts()
    sealed = [RING.seal(f"value {index}", context) for index, context in enumerate(contexts)]
    for (source, value), (target, context) in itertools.product(enumerate(sealed), enumerate(contexts)):
        if source == target:
            assert RING.open(value, context) == f"value {source}"
        else:
            with pytest.raises(SealBroken):
                RING.open(value, context)


def test_no_two_contexts_have_the_same_bytes():
    contexts = all_contexts()
    seen = {context.associated_bytes(key_id) for context in contexts for key_id in ("k1", "k2")}
    assert len(seen) == 2 * len(contexts)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 36])
def test_no_single_character_can_be_changed_removed_or_added(length):
    envelope = RING.seal("x" * length, HERE).envelope
    altered = set()
    for place in range(len(envelope) + 1):
        altered.add(envelope[:place] + envelope[place + 1 :])
        for character in ALPHABET:
            altered.add(envelope[:place] + character + envelope[place + 1 :])
            altered.add(envelope[:place] + character + envelope[place:])
    altered.discard(envelope)
    for text in altered:
        with pytest.raises((SealBroken, KeyMissing)):
            RING.open(Sealed(text), HERE)


def test_no_single_bit_of_nonce_ciphertext_or_tag_can_be_flipped():
    key_id, nonce, ciphertext = RING.seal("a token of some length", HERE).parts()
    for place in range(8 * len(nonce)):
        with pytest.raises(SealBroken):
            RING.open(Sealed.of_parts(key_id, flipped(nonce, place), ciphertext), HERE)
    for place in range(8 * len(ciphertext)):
        with pytest.raises(SealBroken):
            RING.open(Sealed.of_parts(key_id, nonce, flipped(ciphertext, place)), HERE)


def flipped(raw, place):
    changed = bytearray(raw)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


@pytest.mark.parametrize(
    "text", ["", "v1", "v1:k1", "v1:k1::", "v1:k1:AA:AA", "v2:k1:AA:AA", "plain text", "::::", "v1:K1:AA:AA"]
)
def test_text_that_is_no_envelope_makes_a_value_that_only_fails_when_opened(text):
    sealed = Sealed(text)
    assert repr(sealed) in {"<Sealed k1>", "<Sealed unreadable>"}
    with pytest.raises(SealBroken):
        RING.open(sealed, HERE)


def test_it_shows_its_key_and_nothing_of_its_content():
    sealed = RING.seal("canary", HERE)
    body = sealed.envelope.split(":", 2)[2]
    for shown in (repr(sealed), str(sealed), f"{sealed}", f"{sealed!s:>20}", f"{[sealed]}"):
        assert body not in shown
        assert "<Sealed k1>" in shown


def test_it_is_equal_by_envelope_always_true_and_never_changes():
    sealed = RING.seal("token", HERE)
    assert sealed == Sealed(sealed.envelope)
    assert hash(sealed) == hash(Sealed(sealed.envelope))
    assert sealed != RING.seal("token", HERE)
    assert sealed != sealed.envelope
    assert bool(sealed)
    assert bool(Sealed(""))
    with pytest.raises(dataclasses.FrozenInstanceError):
        sealed.envelope = "v1:k1::"
    assert copy.copy(sealed) is sealed
    assert copy.deepcopy([sealed])[0] is sealed


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_not_pickled(protocol):
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(RING.seal("token", HERE), protocol)


@pytest.mark.parametrize("change", [{"tenant": ""}, {"row": ""}, {"field": ""}, {"number": -1}, {"number": 1 << 64}])
def test_a_context_with_a_missing_part_is_refused(change):
    with pytest.raises(ValueError):
        dataclasses.replace(HERE, **change)
