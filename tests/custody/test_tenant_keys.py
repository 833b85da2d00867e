"""A key for each tenant, outside of the database: nothing is lost over it, and with it everything of a tenant goes."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from connections.choices import DiagnosisCode
from connections.custody import columns, guard, keys, rekey, tenant_keys
from connections.custody.handout import token
from connections.custody.problems import Conflict
from connections.models import Tenant
from connections.onboarding import registry
from connections.vault import KeyMissing
from sugaradmin.keys import new_key
from tests.conftest import Configured
from tests.custody.conftest import ANA, Connect, Kept, Killed, clock, connect, crash, simulator

__all__ = ["clock", "connect", "crash", "simulator"]
OLD, NEW = f"k1:{new_key()}", f"k2:{new_key()}"


@pytest.fixture
def folder(connect: Connect, configured: Configured, tmp_path: Path) -> Path:
    place = tmp_path / "keys"
    place.mkdir(mode=0o700)
    configured(encryption_keys=OLD, tenant_keys=place)
    restart()
    return place


def restart() -> None:
    """As another process that has nothing in memory."""
    guard.forget()


def by_kind() -> Counter[str]:
    """Values of tenants, by what seals them: `own` is a key of a tenant."""
    kinds: Counter[str] = Counter()
    for column in columns.sealed_columns():
        for key_id, values in column.counts().items() if column.is_of_tenants else ():
            kinds["own" if key_id.startswith("tk_") else key_id] += values
    return kinds


def key_of(kept: Kept) -> str:
    return Tenant.objects.get(pk=kept.row.tenant_id).data_key


def hand_out(kept: Kept) -> str:
    return str(token(kept.public_id, tenants=None, actor="worker").access_token)


def test_a_life_under_an_own_key(connect: Connect, folder: Path) -> None:
    kept = connect("13.3")
    kept.make_due()
    kept.tend()
    assert set(by_kind()) == {"own"}
    restart()
    assert kept.accepts(hand_out(kept))
    [file] = folder.iterdir()
    page = json.loads(file.read_text())
    assert (file.stem, page["tenant"]) == (key_of(kept), kept.row.tenant.public_id)
    assert page["sealed"].startswith("v1:k1:")
    assert file.stat().st_mode & 0o777 == 0o600


def test_tenants_have_keys_of_their_own(connect: Connect, folder: Path) -> None:
    connect("13.3", sign_in=False)
    registry.create("other", {"instance_url": "https://o.example", "platform": "p", "username": "u", "label": "o",
                              "password": "x"}, ANA)  # fmt: skip
    assert len(list(folder.iterdir())) == len(set(Tenant.objects.values_list("data_key", flat=True))) == 2


def test_a_sender_that_dies_with_a_new_key_leaves_a_file_that_sealed_nothing(
    connect: Connect, folder: Path, configured: Configured, crash: Callable[[str], None]
) -> None:
    configured(tenant_keys_seal=False)
    kept = connect("13.3")
    configured(tenant_keys_seal=True)
    kept.make_due()
    crash("claim_written")
    with pytest.raises(Killed):
        kept.tend()
    assert (len(list(folder.iterdir())), key_of(kept)) == (1, "")
    restart()
    kept.lapse()
    kept.tend()
    assert kept.accepts(hand_out(kept))
    assert (len(list(folder.iterdir())), bool(key_of(kept))) == (2, True)


@pytest.mark.parametrize("is_remembered", [True, False], ids=["in memory", "forgotten"])
def test_an_answer_is_stored_although_the_folder_went_away_under_way(
    connect: Connect, folder: Path, is_remembered: bool
) -> None:
    kept = connect("13.3")
    kept.make_due()
    kept.sugar.hold("respond")
    sender = threading.Thread(target=lambda: (kept.tend(), connection.close()))
    sender.start()
    kept.sugar.wait_standing()
    away = folder.rename(folder.with_name("away"))
    if not is_remembered:
        keys.forget()
    kept.sugar.release()
    sender.join()
    assert kept.row.version_count == 2
    assert by_kind()["k1"] == (0 if is_remembered else 2)
    away.rename(folder)
    restart()
    assert kept.accepts(hand_out(kept))
    rekey.rekey()
    assert set(by_kind()) == {"own"}


def test_a_file_that_is_missing_stops_its_tenant_alone_and_loses_nothing(connect: Connect, folder: Path) -> None:
    kept = connect("13.3")
    fields = {"label": "other", "password": "secret"}
    who = {"platform": "p", "username": "u"}
    other = registry.create("other", {"instance_url": "https://o.example"} | who | fields, ANA)
    file = folder / f"{key_of(kept)}.json"
    hidden = file.rename(folder / "hidden")
    restart()
    assert not guard.read_only_reason()
    assert [tenant.slug for tenant, _ in tenant_keys.missing()] == ["acme"]
    kept.make_due()
    kept.tend()
    assert kept.grants() == 0
    assert kept.row.diagnosis_code == DiagnosisCode.ENCRYPTION_KEY_MISSING
    with pytest.raises(Conflict):
        registry.edit(kept.public_id, {"password": "new"}, ANA)
    with pytest.raises(Conflict):
        registry.create("third", {"instance_url": "https://t.example"} | who | fields, ANA)
    registry.edit(other.public_id, {"password": "new"}, ANA)
    hidden.rename(file)
    restart()
    kept.lapse()
    kept.make_due()
    kept.tend()
    assert kept.row.version_count == 2
    assert kept.accepts(hand_out(kept))


def test_a_folder_that_is_away_makes_custody_read_only_until_it_is_back(
    connect: Connect, folder: Path, configured: Configured
) -> None:
    kept = connect("13.3")
    away = folder.rename(folder.with_name("away"))
    restart()
    assert "cannot be read" in guard.read_only_reason()
    kept.make_due()
    kept.tend()
    assert kept.grants() == 0
    configured(tenant_keys=None)
    restart()
    assert "SUGARADMIN_TENANT_KEYS is not set" in guard.read_only_reason()
    configured(tenant_keys=folder)
    away.rename(folder)
    restart()
    assert not guard.read_only_reason()
    assert kept.accepts(hand_out(kept))


def test_re_encryption_moves_values_both_ways_and_wraps_the_keys_anew(
    connect: Connect, folder: Path, configured: Configured
) -> None:
    configured(tenant_keys=None)
    kept = connect("13.3")
    assert set(by_kind()) == {"k1"}
    configured(tenant_keys=folder)
    assert rekey.standing().behind == 3
    rekey.rekey()
    assert (set(by_kind()), rekey.standing().behind) == ({"own"}, 0)
    configured(encryption_keys=f"{NEW},{OLD}")
    restart()
    assert not rekey.usage()[1].is_retirable
    rekey.rekey()
    assert rekey.usage()[1].is_retirable
    configured(encryption_keys=NEW)
    restart()
    assert kept.accepts(hand_out(kept))
    configured(tenant_keys_seal=False)
    rekey.rekey()
    assert set(by_kind()) == {"k2"}
    configured(tenant_keys=None)
    restart()
    assert not guard.read_only_reason()
    assert kept.accepts(hand_out(kept))


def test_a_ring_key_that_wraps_a_tenants_key_is_missed(connect: Connect, folder: Path, configured: Configured) -> None:
    connect("13.3")
    assert not guard.key_trouble()
    configured(encryption_keys=f"{NEW},{OLD}")
    restart()
    assert not guard.key_trouble()
    own = next(column for column in columns.sealed_columns() if not column.is_of_tenants)
    for row in own.rows():
        own.rows().filter(pk=row.pk).update(**{own.field: keys.reseal(row, own.field)})
    configured(encryption_keys=NEW)
    restart()
    assert "k1 is missing" in guard.key_trouble()


def test_a_key_given_up_is_replaced_and_never_taken_for_the_new_one(connect: Connect, folder: Path) -> None:
    kept = connect("13.3")
    lost = key_of(kept)
    before = kept.row.password
    hidden = (folder / f"{lost}.json").rename(folder / "hidden")
    restart()
    assert rekey.give_up(lost, ANA) == 3
    with pytest.raises(LookupError):
        rekey.give_up(lost, ANA)
    registry.edit(kept.public_id, {"password": "typed again"}, ANA)
    assert key_of(kept) not in ("", lost)
    hidden.rename(folder / f"{lost}.json")
    assert before is not None
    assert tenant_keys.ring_of(lost)
    with pytest.raises(KeyMissing):
        keys.keyring().open(before, keys.password_context(kept.row))


def test_all_who_make_a_key_at_once_agree_on_one(
    connect: Connect, folder: Path, configured: Configured, on_postgres: bool
) -> None:
    configured(tenant_keys_seal=False)
    kept = connect("13.3", sign_in=False)
    configured(tenant_keys_seal=True)
    tenant, ready, agreed = kept.row.tenant, threading.Barrier(4), []

    def ask() -> None:
        ready.wait()
        agreed.append(tenant_keys.key_of(tenant))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert agreed == [key_of(kept)] * 4
    assert [file.stem for file in folder.iterdir()] == [key_of(kept)]
