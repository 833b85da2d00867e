from __future__ import annotations

import base64
import pickle

import pytest

from connections.vault import Context, KeyMissing, Keyring, KeyringInvalid, SealBroken, Sealed, VaultError

OLD, NEW = b"\x01" * 32, b"\x02" * 32
HERE = Context(tenant="t_1", row="c_1", field="refresh_token", number=3)


def encoded(key):
    return base64.b64encode(key).decode()


def test_it_opens_what_it_sealed():
    ring = Keyring({"k1": OLD}, primary="k1")
    for plain in ("", "token", "pässwörd 密码", "lone \ud800 surrogate", "x" * 100_000):
        assert ring.open(ring.seal(plain, HERE), HERE) == plain


def test_the_same_value_never_seals_alike():
    ring = Keyring({"k1": OLD}, primary="k1")
    envelopes = {ring.seal("token", HERE).envelope for _ in range(100)}
    assert len({envelope.split(":")[2] for envelope in envelopes}) == 100


def test_the_envelope_names_its_version_and_key_and_hides_the_value():
    envelope = Keyring({"k1": OLD}, primary="k1").seal("canary", HERE).envelope
    assert envelope.startswith("v1:k1:")
    assert "=" not in envelope
    assert "canary" not in envelope


def test_after_rotation_the_new_key_seals_and_the_old_one_still_opens():
    sealed = Keyring({"k1": OLD}, primary="k1").seal("token", HERE)
    both = Keyring.parse(f"k2:{encoded(NEW)},k1:{encoded(OLD)}")
    assert (both.primary, both.ids) == ("k2", ("k2", "k1"))
    assert both.open(sealed, HERE) == "token"
    resealed = both.seal(both.open(sealed, HERE), HERE)
    assert resealed.key_id == "k2"
    assert Keyring({"k2": NEW}, primary="k2").open(resealed, HERE) == "token"


def test_a_key_that_is_not_there_is_named():
    sealed = Keyring({"k1": OLD}, primary="k1").seal("canary", HERE)
    with pytest.raises(KeyMissing, match="'k1'") as raised:
        Keyring({"k2": NEW}, primary="k2").open(sealed, HERE)
    assert raised.value.key_id == "k1"
    assert isinstance(raised.value, VaultError)


def test_a_wrong_key_under_the_right_name_does_not_open():
    sealed = Keyring({"k1": OLD}, primary="k1").seal("canary", HERE)
    with pytest.raises(SealBroken) as raised:
        Keyring({"k1": NEW}, primary="k1").open(sealed, HERE)
    assert "canary" not in f"{raised.value}{raised.value.args}{raised.value.__cause__}"


def test_a_value_relabelled_with_another_key_of_the_ring_does_not_open():
    ring = Keyring({"k1": OLD, "k2": NEW}, primary="k1")
    relabelled = Sealed(ring.seal("token", HERE).envelope.replace(":k1:", ":k2:"))
    with pytest.raises(SealBroken):
        ring.open(relabelled, HERE)


def test_the_key_check_tells_keys_apart_and_reveals_none():
    ring = Keyring({"k1": OLD, "k2": NEW}, primary="k1")
    check = ring.key_check("k1")
    assert check == Keyring({"k1": OLD}, primary="k1").key_check("k1")
    assert ring.matches_check("k1", check)
    assert not ring.matches_check("k2", check)
    assert not ring.matches_check("k1", "")
    assert OLD.hex() not in check
    with pytest.raises(KeyMissing):
        ring.key_check("k9")


@pytest.mark.parametrize("text", [encoded(OLD), base64.urlsafe_b64encode(b"\xff" * 32).decode(), f" {encoded(OLD)} "])
def test_it_reads_both_alphabets_of_base64_and_spaces(text):
    assert Keyring.parse(f"k1:{text}").ids == ("k1",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "number 1 is not written as name:base64"),
        (f"k1:{encoded(OLD)},", "number 2 is not written as name:base64"),
        (encoded(OLD), "number 1 is not written as name:base64"),
        (f"K1:{encoded(OLD)}", "1 to 16 characters"),
        (f"{'k' * 17}:{encoded(OLD)}", "1 to 16 characters"),
        (f"k1\n:{encoded(OLD)}", "1 to 16 characters"),
        ("k1:not base64!", "'k1' is not base64"),
        (f"k1:{encoded(OLD)[:8]}!{encoded(OLD)[8:]}", "'k1' is not base64"),
        (f"k1:{encoded(OLD)[:-1]}", "'k1' is not base64"),
        ("k1:schlüssel", "'k1' is not base64"),
        ("k1:", "'k1' has 0 bytes instead of 32"),
        (f"k1:{encoded(OLD[:31])}", "'k1' has 31 bytes instead of 32"),
        (f"k1:{encoded(OLD + OLD)}", "'k1' has 64 bytes instead of 32"),
        (f"k1:{encoded(OLD)},k1:{encoded(NEW)}", "Two encryption keys are named 'k1'"),
        (f"k1:{encoded(OLD)},k2:{encoded(OLD)}", "same bytes"),
    ],
)
def test_a_bad_list_of_keys_is_refused_in_one_clear_line_without_the_key(text, says):
    with pytest.raises(KeyringInvalid, match=says) as raised:
        Keyring.parse(text)
    assert "\n" not in str(raised.value)
    assert encoded(OLD)[:8] not in str(raised.value)


def test_a_ring_needs_keys_and_its_primary():
    with pytest.raises(KeyringInvalid, match="No encryption key"):
        Keyring({}, primary="k1")
    with pytest.raises(KeyringInvalid, match="primary"):
        Keyring({"k1": OLD}, primary="k2")
    with pytest.raises(KeyringInvalid, match="1 to 16 characters"):
        Keyring({"Bad Name": OLD}, primary="Bad Name")


def test_changing_the_mapping_afterwards_changes_no_ring():
    keys = {"k1": OLD}
    ring = Keyring(keys, primary="k1")
    keys["k1"] = NEW
    assert ring.key_check("k1") == Keyring({"k1": OLD}, primary="k1").key_check("k1")


def test_it_shows_names_only_and_is_not_pickled():
    ring = Keyring({"k1": OLD, "k2": NEW}, primary="k1")
    assert f"{ring} {ring!r}" == "<Keyring k1, k2> <Keyring k1, k2>"
    with pytest.raises(TypeError):
        pickle.dumps(ring)
