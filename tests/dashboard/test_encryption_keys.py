"""The page of encryption keys: which seals, what needs which, sealing anew while everything runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connections import tasks
from connections.custody import columns, guard, keys, rekey
from connections.models import AuditRow, Connection, Heartbeat
from sugaradmin.keys import new_key
from tests.conftest import Configured
from tests.custody.conftest import ANA
from tests.dashboard.conftest import Draft
from tests.dashboard.people import signed_in

pytestmark = pytest.mark.django_db
OLD, NEW = f"k1:{new_key()}", f"k2:{new_key()}"
PATH = "/settings/keys/"


@pytest.fixture
def sealed(draft: Draft, configured: Configured) -> Connection:
    """A connection sealed with the old key; the new one seals from now on."""
    configured(encryption_keys=OLD, allow_http=True)
    guard.forget()
    row = draft()
    assert not guard.key_trouble()
    configured(encryption_keys=f"{NEW},{OLD}", allow_http=True)
    guard.forget()
    return row


def text(role: str = "admin") -> str:
    return " ".join(signed_in(role).get(PATH).content.decode().split())


def test_each_key_shows_what_needs_it(sealed: Connection) -> None:
    page = text()
    behind = columns.counts()["k1"]
    assert "Opens only, and is needed" in page
    assert f"0 of {behind} values are under the key that is to seal them" in page
    assert f'<progress max="{behind}" value="0"' in page


def test_the_button_seals_anew_and_the_old_key_may_go(sealed: Connection) -> None:
    page = signed_in("admin").post(PATH, follow=True).content.decode()
    assert "Nothing needs it. May be removed" in page
    assert set(columns.counts()) == {"k2"}
    assert AuditRow.objects.get(action="rotate_encryption_key").target == "k2"
    row = Connection.objects.get(pk=sealed.pk)
    assert row.password is not None
    assert keys.keyring().open(row.password, keys.password_context(row)) == "canary-password"


def test_a_task_whose_time_is_up_goes_on_in_another(sealed: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(tasks, "async_task", lambda name, **_: asked.append(name))
    monkeypatch.setattr(tasks, "REKEY_SECONDS", -1)
    monkeypatch.setattr(rekey, "BATCH", 1)
    rounds = 0
    while tasks.seal_anew() == "goes on":
        rounds += 1
    assert asked == ["connections.tasks.seal_anew"] * rounds
    assert rounds >= 1
    assert set(columns.counts()) == {"k2"}


def test_with_a_missing_key_nothing_is_begun(sealed: Connection, configured: Configured) -> None:
    configured(encryption_keys=NEW, allow_http=True)
    guard.forget()
    page = text()
    assert "k1 is missing" in page and "Missing" in page and "Put it back" in page
    before = columns.counts()
    assert "Nothing was sealed anew" in signed_in("admin").post(PATH, follow=True).content.decode()
    assert tasks.seal_anew() == "refused"
    assert columns.counts() == before
    with pytest.raises(rekey.KeysDoNotFit):
        rekey.begin(ANA)


def test_no_key_is_on_the_page(sealed: Connection) -> None:
    page = text()
    for entry in (OLD, NEW):
        assert entry.partition(":")[2] not in page


@pytest.fixture
def file(configured: Configured, tmp_path: Path) -> Path:
    """The keys lie in a file of the data directory, as in `make run`; it was last changed long ago."""
    path = tmp_path / "encryption_keys"
    path.write_text(OLD)
    configured(encryption_key_file=path, data_dir=tmp_path, allow_http=True)
    guard.forget()
    assert not guard.key_trouble()
    return path


def test_the_page_adds_a_key_lets_it_seal_and_retires_the_old_one(file: Path, draft: Draft) -> None:
    row, admin = draft(), signed_in("admin")
    assert "Makes k2 of 32 random bytes" in text()
    page = admin.post(f"{PATH}add/", {"name": "k2"}, follow=True).content.decode()
    assert "k2 is made, and opens" in page
    assert "a name is used once" in admin.post(f"{PATH}add/", {"name": "k2"}, follow=True).content.decode()
    assert keys.keyring().ids == ("k1", "k2")
    page = admin.post(f"{PATH}k2/make-primary/", follow=True).content.decode()
    assert "k2 seals from now on" in page and "Seal what is left anew" in page
    os.utime(file, (0, 0))
    assert "sealed by k1: seal what is left anew first" in admin.get(f"{PATH}k1/retire/").content.decode()
    assert "sealed by k1" in admin.post(f"{PATH}k1/retire/", {"name": "k1"}, follow=True).content.decode()
    admin.post(PATH)
    assert admin.post(f"{PATH}k1/retire/", {"name": "k"}).status_code == 422
    assert keys.keyring().ids == ("k2", "k1")
    assert "k1 is retired" in admin.post(f"{PATH}k1/retire/", {"name": "k1"}, follow=True).content.decode()
    assert keys.keyring().ids == ("k2",)
    assert "Only backups may need it" in text()
    assert admin.get(f"{PATH}k1/retire/").status_code == 404
    again = Connection.objects.get(pk=row.pk)
    assert again.password is not None
    assert keys.keyring().open(again.password, keys.password_context(again)) == "canary-password"
    deeds = (
        AuditRow.objects.filter(actor="admin").exclude(action="sign_in").order_by("id").values_list("action", flat=True)
    )
    assert list(deeds) == ["add_key", "make_key_primary", "rotate_encryption_key", "retire_key"]


def test_a_key_that_a_worker_does_not_hold_is_not_offered_to_seal(file: Path) -> None:
    tasks.beat()
    Heartbeat.objects.update(name="worker@elsewhere")
    admin = signed_in("admin")
    admin.post(f"{PATH}add/", {"name": "k2"})
    page = text()
    assert "Not held yet by worker@elsewhere" in page and 'type="submit" disabled>Let k2 seal' in page
    assert "could not open what k2 seals" in admin.post(f"{PATH}k2/make-primary/", follow=True).content.decode()
    assert keys.keyring().primary == "k1"


def test_who_proved_nothing_lately_changes_no_key(file: Path) -> None:
    stale = signed_in("admin", proved_ago=None)
    for path in (f"{PATH}add/", f"{PATH}k1/make-primary/", f"{PATH}k1/retire/"):
        assert stale.post(path, {"name": "k2"}).status_code in {302, 303}
    assert file.read_text() == OLD


def test_where_the_keys_are_not_ours_the_page_says_who_changes_them(sealed: Connection) -> None:
    page = text()
    assert "which is not ours to change" in page and "Add a key" not in page
    told = signed_in("admin").post(f"{PATH}add/", {"name": "k3"}, follow=True).content.decode()
    assert "put k3:… behind the others" in told
