"""A customer who is to be forgotten: here at once, and in the backups by the key that is destroyed."""

from __future__ import annotations

from pathlib import Path

import pytest

from connections.custody import columns, copies, guard, keys
from connections.models import ApiKey, AuditRow, Connection, Tenant, TokenVersion
from connections.onboarding import api_keys, registry
from connections.vault import VaultError
from tests.commands.conftest import Run
from tests.conftest import Configured
from tests.custody.conftest import ANA, Connect


@pytest.fixture
def folder(connect: Connect, configured: Configured, tmp_path: Path) -> Path:
    place = tmp_path / "keys"
    place.mkdir(mode=0o700)
    configured(tenant_keys=place)
    guard.forget()
    return place


def other_tenant() -> Connection:
    fields = {"instance_url": "https://o.example", "platform": "p", "username": "u", "label": "o", "password": "kept"}
    return registry.create("other", fields, ANA)


def test_nothing_of_an_erased_tenant_opens_any_more_not_even_from_a_backup(
    run: Run, connect: Connect, folder: Path
) -> None:
    kept, other = connect("13.3"), other_tenant()
    tenant = Tenant.objects.get(slug="acme")
    issued = api_keys.issue("worker", ["token:read"], ANA, tenants=[tenant])
    backup = [(row.refresh_token, keys.context_of(row, "refresh_token")) for row in TokenVersion.objects.all()]
    backup.append((kept.row.password, keys.password_context(kept.row)))
    assert all(keys.unseal(sealed, context) for sealed, context in backup if sealed)
    said = run("erase_tenant", "acme", stdin="acme\n")
    assert "acme is erased: 1 connections, 0 drafts, 1 API keys, 1 keys of its own." in said.out
    for sealed, context in backup:
        assert sealed is not None
        with pytest.raises(VaultError):
            keys.unseal(sealed, context)
    assert kept.live_row() is None, "logged out at Sugar"
    assert ApiKey.objects.get(pk=issued.row.pk).revoked_at is not None
    assert [file.stem for file in folder.iterdir()] == [Tenant.objects.get(slug="other").data_key]
    other.refresh_from_db()
    assert other.password is not None
    assert keys.unseal(other.password, keys.password_context(other)) == "kept"
    told = AuditRow.objects.filter(target="acme").values_list("action", "difference__data_keys__0")
    assert list(told) == [("erase_tenant", tenant.data_key), ("destroy_data_keys", tenant.data_key)]
    assert not guard.read_only_reason()
    assert not run("erase_tenant", "acme", stdin="acme\n").error, "asked for again, it finds nothing left"
    assert registry.create("acme", {"instance_url": "https://a.example", "platform": "p", "username": "u",
                                    "label": "again", "password": "new"}, ANA)  # fmt: skip
    assert Tenant.objects.get(slug="acme").data_key not in ("", tenant.data_key)


def test_without_own_keys_it_says_what_backups_still_hold(run: Run, connect: Connect) -> None:
    connect("13.3")
    said = run("erase_tenant", "acme", stdin="acme\n")
    assert "sealed by the ring" in said.out
    assert sum(column.counts().total() for column in columns.sealed_columns() if column.is_of_tenants) == 0


def test_another_name_erases_nothing(run: Run, connect: Connect, folder: Path) -> None:
    kept = connect("13.3")
    assert run("erase_tenant", "acme", stdin="Acme\n").error == "That is not its name: nothing was erased."
    assert run("erase_tenant", "nobody", stdin="nobody\n").error == "There is no such tenant."
    assert kept.row.deleted_at is None
    assert len(list(folder.iterdir())) == 1


def test_a_copy_of_the_database_destroys_no_key(
    run: Run, connect: Connect, folder: Path, configured: Configured, tmp_path: Path
) -> None:
    """A clone for staging may well see the folder of production."""
    configured(data_dir=tmp_path / "node", instance_id="i_prod")
    copies.check()
    kept = connect("13.3")
    configured(instance_id="i_staging")
    copies.check()
    guard.forget()
    assert run("erase_tenant", "acme", stdin="acme\n").error.startswith("read_only: ")
    assert kept.row.deleted_at is None
    assert len(list(folder.iterdir())) == 1
