"""A copied or restored database makes no grant before an operator has confirmed it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection

from connections.condition import Level
from connections.custody import actions, birth, guard, handout, identity, rounds, sending, spool
from connections.custody.ledger import settlement
from connections.custody.problems import Conflict
from connections.models import Attempt, Connection, Installation, TokenVersion, database_now
from connections.serving import preparation
from tests.conftest import Configured
from tests.custody.conftest import ANA, Connect
from tests.custody.copying import (
    confirm,
    disconnect,
    doctor,
    elsewhere,
    grants,
    installation,
    look,
    node,
    pretend,
)

__all__ = ["elsewhere", "node"]  # fixtures


def test_a_new_database_registers_itself_and_stays_well(connect: Connect) -> None:
    assert Installation.objects.get().instance_id == "i_prod"
    connect("13.3")
    assert look() == ""
    assert not guard.read_only_reason()
    mark = identity.read_mark()
    assert mark is not None
    assert (mark.versions, mark.attempts) == (TokenVersion.objects.get().pk, Attempt.objects.latest("pk").pk)
    assert doctor().startswith(Level.OK)


def test_a_copy_is_recognised_before_anything_is_written_down(connect: Connect, elsewhere: Callable[[], None]) -> None:
    elsewhere()
    what = "oid of the database" if connection.vendor == "postgresql" else "inode"
    assert what in guard.read_only_reason()
    assert Installation.objects.get().read_only_reason == ""
    assert what in look()
    assert what in Installation.objects.get().read_only_reason
    assert doctor().startswith(Level.FAIL)


def test_a_copy_makes_no_grant_whoever_asks(connect: Connect, elsewhere: Callable[[], None]) -> None:
    fleet = [connect("13.3"), connect("12.0"), connect("7.1")]
    lapsed = fleet[1]
    elsewhere()
    look()
    before = grants(*fleet)
    for kept in fleet:
        kept.make_due()
    TokenVersion.objects.filter(connection=lapsed.row).update(access_expires_at=database_now())
    Connection.objects.filter(pk=lapsed.row.pk).update(access_expires_at=database_now())
    assert rounds.tend_due() >= len(fleet)  # a round that outlasts a look, one second here, comes by again
    assert actions.rotate(fleet[0].public_id, ANA).problem.code == "read_only"
    assert actions.sign_in(fleet[0].public_id, ANA).problem.code == "read_only"
    assert actions.repair(lapsed.public_id, ANA).problem.code == "read_only"
    with pytest.raises(Conflict) as refused:
        handout.token(lapsed.public_id, tenants=None, actor="worker")
    assert refused.value.code == "read_only"
    assert "confirm_database" in refused.value.detail
    assert grants(*fleet) == before
    assert [kept.row.diagnosis_code for kept in fleet] == ["database_restored"] * 3
    assert [kept.row.status for kept in fleet] == ["dying", "down", "dying"]
    assert handout.token(fleet[0].public_id, tenants=None, actor="worker").version == 1


def test_a_copy_takes_in_what_was_spooled_since_that_is_no_grant(
    connect: Connect, elsewhere: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = connect("13.3")
    kept.make_due()
    with monkeypatch.context() as patch:
        patch.setattr(settlement, "settle", Mock(side_effect=OperationalError("away")))
        patch.setattr(sending, "SETTLE_AGAIN_AFTER", (0.0,))
        patch.setattr(spool, "replay_soon", lambda: None)
        assert kept.tend() == "spooled"
    elsewhere()
    assert guard.is_copy()
    rounds.tend_due()
    assert (spool.files(), kept.row.version_count, kept.grants()) == ([], 2, 1)


def test_a_connection_that_needs_no_grant_says_nothing_of_the_copy(
    connect: Connect, elsewhere: Callable[[], None]
) -> None:
    well, asked = connect("13.3"), connect("13.3")
    elsewhere()
    look()
    well.tend()
    assert actions.rotate(asked.public_id, ANA).problem.code == "read_only"
    assert [kept.row.status for kept in (well, asked)] == ["healthy", "healthy"]


def test_a_copy_may_be_edited_and_tested(connect: Connect, elsewhere: Callable[[], None]) -> None:
    kept = connect("13.3")
    elsewhere()
    look()
    assert all(check.ok for check in actions.test(kept.public_id, ANA))
    actions.pause(kept.public_id, ANA)
    assert kept.row.status == "paused"


def test_an_older_state_in_the_same_place_is_recognised_by_this_node(connect: Connect) -> None:
    kept = connect("13.3")
    look()
    version, attempt = TokenVersion.objects.get(), Attempt.objects.latest("pk")
    kept.make_due()
    kept.tend()
    look()
    restored = {"versions": version.pk, "attempts": attempt.pk}
    TokenVersion.objects.exclude(pk=version.pk).delete()
    pretend(**restored)
    assert f"token version {version.pk + 1}" in look()
    assert "older state" in Installation.objects.get().read_only_reason


def test_a_file_restored_over_itself_is_recognised(connect: Connect, tmp_path: Path) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("a file")
    path, backup = Path(connection.settings_dict["NAME"]), tmp_path / "backup.sqlite3"
    kept = connect("13.3")
    disconnect()
    shutil.copy(path, backup)
    kept.make_due()
    kept.tend()
    look()
    disconnect()
    inode = path.stat().st_ino
    with path.open("r+b") as file:
        file.truncate()
        file.write(backup.read_bytes())
    assert path.stat().st_ino == inode
    assert "older state" in look()


def test_a_whole_directory_put_back_is_recognised_although_its_inode_is_used_again(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, on_postgres: bool
) -> None:
    """Its high-water mark came back with it, and ext4 gives a freed inode to the next file."""
    if on_postgres:
        pytest.skip("a file")
    monkeypatch.setattr(birth, "born_at", lambda path: 1_700_000_000)
    pretend(place=identity.state().place)
    assert look() == ""
    monkeypatch.setattr(birth, "born_at", lambda path: 1_800_000_000)
    assert "the birth time of the database file is 1800000000, it was 1700000000" in look()
    assert guard.is_copy()


def test_a_birth_time_that_was_not_told_before_is_written_down_and_nobody_is_alarmed(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, on_postgres: bool
) -> None:
    if on_postgres:
        pytest.skip("a file")
    pretend(place={"inode": identity.state().place["inode"]})
    monkeypatch.setattr(birth, "born_at", lambda path: 1_700_000_000)
    assert look() == ""
    assert Installation.objects.get().fingerprint["place"]["birth"] == "1700000000"
    monkeypatch.setattr(birth, "born_at", lambda path: None)
    assert look() == "", "nor where it is not told any more"
    assert Installation.objects.get().fingerprint["place"]["birth"] == "1700000000"


def test_what_is_pruned_lowers_no_mark(connect: Connect) -> None:
    connect("13.3")
    look()
    Attempt.objects.all().delete()
    TokenVersion.objects.all().delete()
    assert look() == ""


def test_a_state_of_before_the_last_confirmation_is_recognised(connect: Connect) -> None:
    connect("13.3")
    look()
    was = Installation.objects.get().confirmed_at
    pretend(place={"inode": "1"})
    confirm()
    assert look() == ""
    installation(confirmed_at=was)
    assert "older one" in look()


def test_another_kind_of_server_is_another_place(connect: Connect, on_postgres: bool) -> None:
    pretend(place={"inode": "1"} if on_postgres else {"system": "1"})
    assert "another kind of database server" in look()


def test_the_reason_survives_restarts_and_a_database_that_fits_again(connect: Connect) -> None:
    place = Installation.objects.get().fingerprint["place"]
    pretend(place={"inode": "1"})
    reason = look()
    assert reason
    pretend(place=place)
    assert look() == reason
    assert guard.read_only_reason() == reason


def test_another_instance_id_stops_that_node_alone(connect: Connect, configured: Configured) -> None:
    kept = connect("13.3")
    kept.make_due()
    before = grants(kept)
    configured(instance_id="i_staging")
    assert "i_staging" in look()
    assert "SUGARADMIN_INSTANCE_ID" in guard.read_only_reason()
    assert doctor().startswith(Level.FAIL)
    assert rounds.tend_due() == 0
    assert kept.tend() == "read_only"
    assert grants(kept) == before
    assert kept.row.status == "healthy"
    configured(instance_id="i_prod")
    assert look() == ""
    kept.make_due()
    assert kept.tend() == "version"


def test_the_mark_of_a_strange_node_stops_nobody(connect: Connect, configured: Configured) -> None:
    mark = identity.read_mark()
    assert mark is not None
    configured(instance_id="i_staging")
    identity.write_mark(replace(mark, since=mark.since + timedelta(days=1), versions=10_000))
    assert "i_staging" in look()
    assert Installation.objects.get().read_only_reason == ""


def test_what_others_commit_during_a_look_is_not_missing(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    state = identity.state

    def overtaken() -> identity.State:
        here, mark = state(), identity.read_mark()
        assert mark is not None
        identity.write_mark(replace(mark, versions=here.versions + 1, attempts=here.attempts + 1))
        return here

    monkeypatch.setattr(identity, "state", overtaken)
    assert identity.look().reason == ""
    assert identity.look().reason != ""


def test_a_start_looks_before_anything_serves(connect: Connect) -> None:
    pretend(place={"inode": "1", "system": "1"})
    preparation.prepare(static=False)
    assert Installation.objects.get().read_only_reason


def test_two_nodes_with_the_same_instance_id_work_side_by_side(
    connect: Connect, configured: Configured, tmp_path: Path
) -> None:
    kept = connect("13.3")
    for turn in range(4):
        configured(data_dir=tmp_path / f"node{turn % 2}")
        assert look() == ""
        kept.make_due()
        assert kept.tend() == "version"
    mark = identity.read_mark()
    assert mark is not None
    identity.write_mark(replace(mark, versions=mark.versions + 10_000))  # this node saw more than was restored
    assert "older state" in look()
    configured(data_dir=tmp_path / "node0")
    confirm()
    configured(data_dir=tmp_path / "node1")
    assert look() == ""


def test_a_mark_that_cannot_be_written_stops_nothing(connect: Connect, tmp_path: Path, configured: Configured) -> None:
    (tmp_path / "file").write_text("")
    configured(data_dir=tmp_path / "file")
    assert look() == ""


def test_a_server_that_does_not_let_us_ask_is_known_by_less(connect: Connect) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("privileges")
    before = identity.state()
    assert {"system", "database", "marker", "name"} == set(before.place)
    with connection.cursor() as cursor:
        cursor.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
        cursor.execute("REVOKE EXECUTE ON FUNCTION pg_walfile_name(pg_lsn) FROM PUBLIC")
        cursor.execute("CREATE ROLE managed; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO managed")
        cursor.execute("SET ROLE managed")
    try:
        assert set(identity.state().place) == {"database", "marker", "name"}
        assert identity.state().timeline is None
        assert look() == ""
        assert Installation.objects.get().fingerprint["timeline"] == before.timeline
        pretend(place=before.place | {"name": "another"})
        assert "the name of the database" in look()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE; DROP OWNED BY managed; DROP ROLE managed")
            cursor.execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")
            cursor.execute("GRANT EXECUTE ON FUNCTION pg_walfile_name(pg_lsn) TO PUBLIC")
