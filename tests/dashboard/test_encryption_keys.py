"""The page of encryption keys: which seals, what needs which, sealing anew while everything runs."""

from __future__ import annotations

import pytest

from connections import tasks
from connections.custody import columns, guard, keys, rekey
from connections.models import AuditRow, Connection
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
    assert "May be removed" in page
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
