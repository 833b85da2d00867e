from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connections.custody import columns, guard, keys, lent, rekey, spool
from connections.custody.audit import Actor
from connections.custody.handout import find, token
from connections.custody.problems import Conflict
from connections.models import Attempt, Connection, EncryptionKey, Tenant, database_now
from connections.onboarding import registry
from connections.vault import Keyring, Sealed
from sugaradmin.keys import new_key
from tests.commands.conftest import NEW, OLD, OWN, Run
from tests.custody.conftest import Connect

ANA = Actor(kind="staff", name="ana")


def make(number: int) -> Connection:
    tenant, _ = Tenant.objects.get_or_create(slug="acme", defaults={"name": "Acme"})
    now = database_now()
    row = Connection(
        tenant=tenant, label="x", instance_url=f"https://x{number}.example", host=f"x{number}.example:443",
        platform="p", username="u", password_number=1, created_at=now, updated_at=now,
    )  # fmt: skip
    row.password = keys.keyring().seal(f"password {number}", keys.password_context(row))
    row.save()
    return row


def uses(run: Run, *words: str) -> dict[str, Any]:
    return {use["key_id"]: use for use in run("rotate_encryption_key", "--json", *words).json}


def test_every_sealed_column_is_found_by_walking_the_models() -> None:
    assert {str(column) for column in columns.sealed_columns()} == {
        "connection.password", "connection.client_secret", "connection.adopted_token",
        "tokenversion.access_token", "tokenversion.refresh_token", "attempt.answer", "ownkey.secret",
        "lentpassword.secret",
    }  # fmt: skip


def test_a_lent_password_opens_under_the_new_key(run: Run, connect: Connect, ring: Callable[[str], None]) -> None:
    kept = connect("13.3", sign_in=False)
    lent.lend(kept.row, "canary-password", "a session")
    ring(f"{NEW},{OLD}")
    uses(run)
    ring(NEW)
    assert lent.password_of(kept.row, "a session") == "canary-password"


def test_a_living_connection_moves_to_the_new_key_and_the_old_one_may_go(
    run: Run, connect: Connect, ring: Callable[[str], None]
) -> None:
    kept = connect("13.3")
    ring(f"{NEW},{OLD}")
    before = uses(run, "--status")
    assert (before["k2"]["is_primary"], before["k2"]["values"]) == (True, 0)
    assert (before["k1"]["values"], before["k1"]["is_retirable"]) == (5, False)
    after = uses(run)
    assert (after["k2"]["values"], after["k1"]["values"], after["k1"]["is_retirable"]) == (5, 0, True)
    ring(NEW)
    assert token(kept.public_id, tenants=None, actor="worker").version == 1
    assert run("connection", "rotate", kept.public_id, "--json").json["version"] == 2
    standing = EncryptionKey.objects.filter(retired_at__isnull=True)
    assert set(standing.values_list("key_id", flat=True)) == {"k2"}


def test_a_grant_under_way_or_a_file_on_disk_keeps_the_old_key(
    run: Run, connect: Connect, ring: Callable[[str], None]
) -> None:
    kept = connect("13.3")
    ring(f"{NEW},{OLD}")
    now = database_now()
    attempt = Attempt.objects.create(
        connection=kept.row, number=99, kind="refresh", trigger="staff", state="claimed", generation=1,
        instance_url="u", username_key="u", platform_key="p", claimed_at=now, send_by=now,
    )  # fmt: skip
    assert (uses(run, "--status")["k1"]["grants"], uses(run, "--status")["k2"]["grants"]) == (1, 0)
    assert "still under way" in run("rotate_encryption_key").error
    attempt.delete()
    folder = spool.settings.SUGARADMIN.spool_dir
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "a_nobody.json"
    sealed = Keyring.parse(OLD).seal("answer", keys.answer_context("t", "a_nobody", 1)).envelope
    page.write_text(f'{{"attempt": "a_nobody", "tenant": "t", "number": 1, "sealed": "{sealed}", "is_definite": true}}')
    try:
        use = uses(run)["k1"]
        assert (use["values"], use["files"], use["is_retirable"]) == (0, 1, False)
    finally:
        page.unlink()


def test_a_value_written_between_the_look_and_the_swap_stays(
    ring: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make(1)
    ring(f"{NEW},{OLD}")
    reseal = keys.reseal

    def late(changed: object, field: str) -> Sealed:
        registry.edit(row.public_id, {"password": "newer"}, ANA)
        return reseal(changed, field)

    monkeypatch.setattr(keys, "reseal", late)
    done = rekey.rekey()
    assert (done.sealed, done.overtaken) == (0, 1)
    row = find(row.public_id, None)
    assert row.password is not None
    assert keys.keyring().open(row.password, keys.password_context(row)) == "newer"


def test_it_goes_on_where_it_was_stopped(ring: Callable[[str], None], run: Run) -> None:
    for number in range(rekey.BATCH + 5):
        make(number)
    ring(f"{NEW},{OLD}")

    class Stopped(Exception):
        pass

    def stop(sealed: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        rekey.rekey(each_batch=stop)
    assert columns.counts() == {"k2": rekey.BATCH, "k1": 5}
    assert rekey.rekey().sealed == 5


def test_a_value_that_does_not_open_is_left_alone_and_counted(ring: Callable[[str], None], run: Run) -> None:
    good, bad = make(1), make(2)
    Connection.objects.filter(pk=bad.pk).update(password=good.password)
    ring(f"{NEW},{OLD}")
    told = run("rotate_encryption_key")
    assert told.error == "1 values do not open and were left as they are."
    assert columns.counts() == {"k2": 1 + OWN, "k1": 1}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [(NEW, "k1 is missing"), (f"k1:{new_key()}", "k1 is another one")],
    ids=["missing", "another"],
)
def test_with_a_wrong_or_missing_key_no_secret_is_written_and_nothing_is_lost(
    run: Run, ring: Callable[[str], None], wrong: str, sentence: str
) -> None:
    ring(OLD)
    row = make(1)
    assert not guard.key_trouble()
    ring(wrong)
    assert sentence in guard.read_only_reason()
    with pytest.raises(Conflict) as refused:
        registry.edit(row.public_id, {"password": "new"}, ANA)
    assert refused.value.code == "read_only"
    registry.edit(row.public_id, {"label": "No secret"}, ANA)
    assert run("connection", "sign-in", row.public_id, "--password-stdin", stdin="x\n").error.startswith("read_only: ")
    assert sentence in run("rotate_encryption_key").error
    ring(OLD)
    assert not guard.read_only_reason()
    back = find(row.public_id, None)
    assert back.password is not None
    assert keys.keyring().open(back.password, keys.password_context(back)) == "password 1"


def test_a_key_lost_for_good_is_given_up_and_secrets_may_be_entered_again(
    run: Run, ring: Callable[[str], None]
) -> None:
    row = make(1)
    assert not guard.key_trouble()
    assert "no key that is missing" in run("rotate_encryption_key", "--give-up", "k1").error
    ring(NEW)
    assert guard.key_trouble()
    assert "1 values cannot be opened" in run("rotate_encryption_key", "--give-up", "k1").out
    assert not guard.key_trouble()
    registry.edit(row.public_id, {"password": "entered again"}, ANA)
    assert columns.counts() == {"k2": 1 + OWN}
