"""A customer who is to be forgotten: here at once, and in the backups by the key that is destroyed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connections.condition import examine
from connections.custody import columns, copies, durable, guard, keys, spool, tenant_key_files
from connections.models import (
    ApiKey,
    Attempt,
    AuditRow,
    Connection,
    FailureMark,
    Tenant,
    TokenVersion,
    database_now,
)
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
    for owner in (tenant, other.tenant):
        FailureMark.objects.create(
            tenant=owner,
            failure="f1",
            standing="acknowledged",
            reason="Ann is on leave.",
            author="ana",
            at=database_now(),
        )
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
    assert FailureMark.objects.get().tenant == other.tenant, "what was written about his failures goes with him"
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


def test_stopped_on_the_way_it_is_asked_for_again_and_goes_on(
    run: Run, connect: Connect, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = connect("13.3")

    def stop(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(tenant_key_files, "destroy", stop)
        with pytest.raises(KeyboardInterrupt):
            run("erase_tenant", "acme", stdin="acme\n")
    assert Connection.objects.get(public_id=kept.public_id).deleted_at is not None
    assert len(list(folder.iterdir())) == 1
    assert not AuditRow.objects.filter(action="destroy_data_keys").exists(), "nothing is claimed that was not done"
    assert "1 keys of its own" in run("erase_tenant", "acme", stdin="acme\n").out
    assert list(folder.iterdir()) == []


def test_an_answer_on_disk_for_an_erased_tenant_is_not_kept_for_ever(
    run: Run, connect: Connect, folder: Path, configured: Configured, tmp_path: Path
) -> None:
    """On another node, which was away while he was erased: it opens for nobody, and there is nobody it could serve."""
    kept = connect("13.3")
    attempt = Attempt.objects.get(connection=kept.row)
    context = keys.answer_context(kept.row.tenant.public_id, attempt.public_id, attempt.number)
    sealed = keys.seal("{}", context, data_key=kept.row.tenant.data_key)
    run("erase_tenant", "acme", stdin="acme\n")
    configured(data_dir=tmp_path / "other")
    page = {"attempt": attempt.public_id, "tenant": "t", "number": 1, "sealed": sealed.envelope, "is_definite": True}
    durable.write(spool.settings.SUGARADMIN.spool_dir / f"{attempt.public_id}.json", json.dumps(page))
    assert spool.replay() == 1
    assert spool.files() == []


def test_doctor_names_the_tenant_whose_key_is_missing(run: Run, connect: Connect, folder: Path) -> None:
    connect("13.3")
    next(folder.iterdir()).unlink()
    guard.forget()
    told = [one for one in examine() if one.name == "keys" and one.level == "fail"]
    assert ["tenant acme does not open" in one.sentence for one in told] == [True]
    assert "--give-up" in told[0].command
