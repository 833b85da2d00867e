"""The whole life of an encryption key by command, where the keys lie in the file of the data directory."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connections import tasks
from connections.custody import columns, guard, keys, ring_changes
from connections.models import AuditRow, EncryptionKey, Heartbeat, database_now
from connections.vault import Keyring
from sugaradmin.keys import RETIRED_KEYS
from tests.commands.conftest import NEW, OLD, Run
from tests.commands.test_rotate_encryption_key import make
from tests.conftest import Configured

COMMAND = "rotate_encryption_key"


@pytest.fixture
def file(transactional_db: None, configured: Configured, tmp_path: Path) -> Path:
    """The file of keys, with one key that was put there long ago; the data directory is of this test alone."""
    path = tmp_path / "encryption_keys"
    path.write_text(OLD + "\n")
    configured(encryption_key_file=path, data_dir=tmp_path)
    guard.forget()
    settle(path)
    return path


def settle(path: Path) -> None:
    """As if the last change had been long ago."""
    past = time.time() - ring_changes.SETTLED_AFTER - 1
    os.utime(path, (past, past))


def names(path: Path) -> list[str]:
    return [entry.partition(":")[0] for entry in path.read_text().strip().split(",")]


def test_a_key_is_added_seals_and_the_old_one_is_retired(run: Run, file: Path) -> None:
    row = make(1)
    assert not guard.key_trouble()
    assert "k2 is made, and opens" in run(COMMAND, "--add").out
    assert names(file) == ["k1", "k2"]
    make(2)
    assert "k2" not in columns.counts()
    tasks.beat()
    assert "k2 seals from now on" in run(COMMAND, "--make-primary", "k2").out
    assert names(file) == ["k2", "k1"]
    make(3)
    assert columns.counts()["k2"] == 1
    assert not run(COMMAND).error
    tasks.beat()
    settle(file)
    assert "k1 is retired" in run(COMMAND, "--retire", "k1").out
    assert (names(file), names(file.with_name(RETIRED_KEYS))) == (["k2"], ["k1"])
    assert file.with_name(RETIRED_KEYS).read_text().strip() == OLD
    assert not guard.key_trouble()
    row.refresh_from_db()
    assert row.password is not None
    assert keys.keyring().open(row.password, keys.password_context(row)) == "password 1"
    deeds = AuditRow.objects.filter(target__in=["k1", "k2"]).order_by("id").values_list("action", "target")
    assert list(deeds) == [
        ("add_key", "k2"), ("make_key_primary", "k2"), ("rotate_encryption_key", "k2"), ("retire_key", "k1"),
    ]  # fmt: skip
    for kept in (file, file.with_name(RETIRED_KEYS)):
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_what_is_used_is_not_retired(run: Run, file: Path) -> None:
    make(1)
    guard.key_trouble()
    assert "k1 seals what is written" in run(COMMAND, "--retire", "k1").error
    run(COMMAND, "--add", "k2")
    run(COMMAND, "--make-primary", "k2")
    settle(file)
    assert "values are sealed by k1: seal what is left anew first" in run(COMMAND, "--retire", "k1").error
    assert "no key k9" in run(COMMAND, "--retire", "k9").error
    assert names(file) == ["k2", "k1"]
    assert not AuditRow.objects.filter(action="retire_key").exists()


@pytest.mark.parametrize(
    "sign", [{"ring": ["k1", "k2"]}, {"ring": ["k2", "k1"], "spooled": ["k1"]}], ids=["seals", "spooled"]
)
def test_what_another_node_needs_is_not_retired(run: Run, file: Path, sign: dict[str, list[str]]) -> None:
    guard.key_trouble()
    for words in (["--add", "k2"], ["--make-primary", "k2"], []):
        run(COMMAND, *words)
    settle(file)
    tasks.beat()
    Heartbeat.objects.update(name="worker@elsewhere", **sign)
    assert "worker@elsewhere still seals with k1" in run(COMMAND, "--retire", "k1").error
    assert names(file) == ["k2", "k1"]


def test_what_changed_a_moment_ago_must_settle_first(run: Run, file: Path) -> None:
    guard.key_trouble()
    for words in (["--add", "k2"], ["--make-primary", "k2"], []):
        run(COMMAND, *words)
    assert "The keys changed a moment ago" in run(COMMAND, "--retire", "k1").error
    assert names(file) == ["k2", "k1"]


def test_no_key_seals_that_a_node_does_not_hold(run: Run, file: Path) -> None:
    guard.key_trouble()
    tasks.beat()
    run(COMMAND, "--add", "k2")
    assert "could not open what k2 seals" in run(COMMAND, "--make-primary", "k2").error
    assert names(file) == ["k1", "k2"]
    tasks.beat()
    assert not run(COMMAND, "--make-primary", "k2").error
    assert "seals already" in run(COMMAND, "--make-primary", "k2").error
    assert "no key k7" in run(COMMAND, "--make-primary", "k7").error


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("k1", "a name is used once"), ("gone", "a name is used once"), ("tk_1", "those of tenants"),
        ("with space", "1 to 16 characters"), ("a" * 17, "1 to 16 characters"), ("a,b", "1 to 16 characters"),
    ],
)  # fmt: skip
def test_a_bad_name_adds_nothing(run: Run, file: Path, name: str, told: str) -> None:
    guard.key_trouble()
    now = EncryptionKey.objects.get().first_seen_at
    EncryptionKey.objects.create(key_id="gone", check_value="x", first_seen_at=now, retired_at=now)
    assert told in run(COMMAND, "--add", name).error
    assert names(file) == ["k1"]


def test_a_file_that_cannot_be_written_changes_nothing(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard.key_trouble()

    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ring_changes.key_file.durable, "write", full)
    assert "cannot be written: No space left on device" in run(COMMAND, "--add", "k2").error
    assert not EncryptionKey.objects.filter(key_id="k2").exists()
    assert not AuditRow.objects.filter(action="add_key").exists()


def test_a_link_to_the_file_stays_a_link(run: Run, file: Path, configured: Configured, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "encryption_keys"
    link.parent.mkdir()
    link.symlink_to(file)
    configured(encryption_key_file=link, data_dir=link.parent)
    guard.forget()
    assert not run(COMMAND, "--add", "k2").error
    assert link.is_symlink()
    assert names(file) == ["k1", "k2"]
    assert keys.keyring().ids == ("k1", "k2")


def test_a_spoilt_file_is_said_and_what_runs_keeps_its_keys(run: Run, file: Path) -> None:
    make(1)
    assert not guard.key_trouble()
    file.write_text("half a li")
    assert keys.keyring().ids == ("k1",)
    assert "does not hold encryption keys" in run("doctor", "--json").out
    assert "not written as name:base64" in run(COMMAND, "--add", "k2").error
    assert file.read_text() == "half a li"


def test_keys_that_are_not_ours_to_change_are_checked_all_the_same(run: Run, ring: Callable[[str], None]) -> None:
    make(1)
    assert not guard.key_trouble()
    assert "put k2:… behind the others and restart every node" in run(COMMAND, "--add", "k2").error
    assert "a name is used once" in run(COMMAND, "--add", "k1").error
    ring(f"{OLD},{NEW}")
    assert "Put k2 in front" in run(COMMAND, "--make-primary", "k2").error
    ring(f"{NEW},{OLD}")
    assert "sealed by k1" in run(COMMAND, "--retire", "k1").error
    assert not run(COMMAND).error
    assert "Nothing needs k1: take it out" in run(COMMAND, "--retire", "k1").error


def test_a_retired_name_never_means_other_bytes(ring: Callable[[str], None]) -> None:
    assert not guard.key_trouble()
    ring(NEW)
    guard.key_trouble()
    assert EncryptionKey.objects.get(key_id="k1").retired_at is not None
    ring(f"{NEW},k1:{NEW.partition(':')[2][::-1].lstrip('=')}=")
    assert "k1 is another one" in guard.key_trouble()
    ring(f"{NEW},{OLD}")
    assert not guard.key_trouble()
    assert EncryptionKey.objects.get(key_id="k1").retired_at is None


def rotated(run: Run, file: Path) -> None:
    """k2 seals, and nothing is left under k1."""
    guard.key_trouble()
    for words in (["--add", "k2"], ["--make-primary", "k2"], []):
        assert not run(COMMAND, *words).error
    settle(file)


def spool_answer(file: Path, key: str) -> None:
    folder = file.parent / "spool"
    folder.mkdir()
    sealed = Keyring.parse(key).seal("answer", keys.answer_context("t", "a_nobody", 1)).envelope
    (folder / "a_nobody.json").write_text(json.dumps({"sealed": sealed}))


def test_an_answer_on_this_disk_keeps_its_key(run: Run, file: Path) -> None:
    rotated(run, file)
    spool_answer(file, OLD)
    assert "may still bring an answer sealed by k1" in run(COMMAND, "--retire", "k1").error
    assert names(file) == ["k2", "k1"]


def test_a_key_is_noted_as_retired_whatever_else_waits_on_this_disk(run: Run, file: Path) -> None:
    rotated(run, file)
    spool_answer(file, file.read_text().partition(",")[0])
    assert "k1 is retired" in run(COMMAND, "--retire", "k1").out
    assert EncryptionKey.objects.get(key_id="k1").retired_at is not None


def test_a_key_that_came_to_seal_meanwhile_is_not_retired(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else has turned the ring round after we looked, and before we held the file."""
    rotated(run, file)

    def turned(*_: object) -> str:
        file.write_text(",".join(reversed(file.read_text().strip().split(","))))
        return ""

    monkeypatch.setattr(ring_changes, "why_needed", turned)
    assert "k1 seals what is written" in run(COMMAND, "--retire", "k1").error
    assert names(file) == ["k1", "k2"]
    assert EncryptionKey.objects.get(key_id="k1").retired_at is None


def test_a_key_that_left_meanwhile_does_not_come_to_seal(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard.key_trouble()
    run(COMMAND, "--add", "k2")

    def gone(*_: object) -> list[str]:
        file.write_text(OLD)
        return []

    monkeypatch.setattr(ring_changes, "without", gone)
    assert "no key k2" in run(COMMAND, "--make-primary", "k2").error
    assert names(file) == ["k1"]
    assert not AuditRow.objects.filter(action="make_key_primary").exists()


def test_a_key_that_seals_is_none_that_left(run: Run, file: Path) -> None:
    guard.key_trouble()
    run(COMMAND, "--add", "k2")
    guard.key_trouble()  # a process notes its keys once
    EncryptionKey.objects.filter(key_id="k2").update(retired_at=database_now())  # by a node that does not hold it
    assert not run(COMMAND, "--make-primary", "k2").error
    assert EncryptionKey.objects.get(key_id="k2").retired_at is None


@pytest.mark.parametrize("words", [["--add", "k3"], ["--make-primary", "k2"], ["--retire", "k2"]], ids=str)
def test_with_a_needed_key_missing_nothing_is_changed(run: Run, file: Path, words: list[str]) -> None:
    make(1)
    assert not guard.key_trouble()
    file.write_text(NEW)
    guard.forget()
    assert "k1 is missing" in run(COMMAND, *words).error
    assert file.read_text() == NEW
