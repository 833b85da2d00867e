"""A password that is not stored lives half an hour, for one session, and no longer than what it was typed for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connections import tasks
from connections.custody import actions, keys, lent
from connections.models import LentPassword, Turn
from connections.onboarding import registry
from connections.vault import VaultError
from tests.custody.clock import Clock
from tests.custody.conftest import ANA, Connect, Kept

PASSWORD, SESSION = "canary-password", "the key of a session"


@pytest.fixture
def kept(connect: Connect) -> Kept:
    kept = connect("13.3", sign_in=False, fields={"password": ""})
    lent.lend(kept.row, PASSWORD, SESSION)
    return kept


def held() -> bool:
    return LentPassword.objects.filter(secret__isnull=False).exists()


def test_it_is_there_for_its_session_alone(kept: Kept) -> None:
    assert lent.password_of(kept.row, SESSION) == PASSWORD
    for session in ("another", "", SESSION.upper()):
        assert lent.password_of(kept.row, session) is None
        assert lent.lent_until(kept.row, session) is None
    assert SESSION not in LentPassword.objects.get().session


def test_half_an_hour_later_it_is_over_and_soon_wiped(clock: Clock, connect: Connect) -> None:
    kept = connect("13.3", sign_in=False, fields={"password": ""})
    lent.lend(kept.row, PASSWORD, SESSION)
    clock.jump(timedelta(minutes=29))
    tasks.tick()
    assert lent.password_of(kept.row, SESSION) == PASSWORD
    clock.jump(timedelta(minutes=2))
    assert lent.password_of(kept.row, SESSION) is None
    assert held()
    Turn.objects.update(due_at=kept.row.created_at)
    tasks.tick()
    assert not held()


@pytest.mark.parametrize(
    "change",
    [
        {"instance_url": "http://127.0.0.1:9"},
        {"ca_pem": ""},
        {"username": "somebody"},
        {"platform": "other"},
        {"client_id": "own"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_identity_wipes_it_in_the_same_transaction(kept: Kept, change: dict[str, str]) -> None:
    registry.edit(kept.public_id, change, ANA)
    assert held() is (change == {"ca_pem": ""}), "an authority that stays as it was changes nothing"


def test_what_leaves_the_identity_alone_leaves_it_alone(kept: Kept) -> None:
    registry.edit(kept.public_id, {"label": "Other", "tags": ["eu"]}, ANA)
    assert lent.password_of(kept.row, SESSION) == PASSWORD


def test_a_deleted_connection_keeps_none(kept: Kept) -> None:
    actions.delete(kept.public_id, ANA)
    assert not held()


def test_it_does_not_open_in_another_place(kept: Kept, connect: Connect) -> None:
    other = connect("13.3", sign_in=False, fields={"password": "", "username": "other"})
    lent.lend(other.row, "other", SESSION)
    stolen = LentPassword.objects.get(connection=kept.row)
    LentPassword.objects.filter(connection=other.row).update(secret=stolen.secret)
    with pytest.raises(VaultError):
        lent.password_of(other.row, SESSION)


def test_an_older_loan_does_not_open_as_the_newer(kept: Kept) -> None:
    older = LentPassword.objects.get().secret
    lent.lend(kept.row, "newer", SESSION)
    LentPassword.objects.update(secret=older)
    row = LentPassword.objects.select_related("connection__tenant").get()
    assert row.secret is not None
    with pytest.raises(VaultError):
        keys.keyring().open(row.secret, keys.context_of(row, "secret"))
