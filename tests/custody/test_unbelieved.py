"""What a ping cannot know: SugarIdentity's token service may be away, and a token may not open here."""

from __future__ import annotations

import base64
import secrets

import pytest

from connections.custody import checkpoints, guard
from connections.custody.checkpoints import Point
from connections.models import Connection, database_now
from tests.conftest import Configured
from tests.custody.conftest import Connect, Kept


def look(kept: Kept) -> None:
    """The background's look at the token, as if its time had come."""
    now = database_now()
    Connection.objects.filter(public_id=kept.public_id).update(probe_due_at=now, due_at=now)
    kept.tend()


@pytest.mark.parametrize("has_password", [True, False])
def test_a_new_token_that_has_expired_in_the_same_second_is_the_token_services_trouble(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, has_password: bool
) -> None:
    kept = connect("cloud", fields={"store_password": has_password})
    monkeypatch.setattr(checkpoints, "watcher", lambda point, _: point == Point.SETTLED and kept.sugar.sts_down())
    kept.make_due()
    kept.tend()
    monkeypatch.undo()
    assert (kept.row.status, kept.row.diagnosis_code) == ("unreachable", "identity_unavailable")
    assert "has expired" in str(kept.row.diagnosis)
    for _ in range(4):
        look(kept)
    assert (kept.grants("password"), kept.grants("refresh"), kept.row.version_count) == (1, 1, 2)
    kept.sugar.sts_up()
    look(kept)
    assert (kept.row.status, kept.row.version_count) == ("healthy", 2)


def test_a_token_that_worked_is_believed_dead_the_second_time(connect: Connect) -> None:
    kept = connect("cloud")
    kept.make_due()
    kept.tend()
    assert kept.row.status == "healthy"
    kept.sugar.sts_down()
    look(kept)
    assert kept.row.access_dead_at is None
    Connection.objects.filter(public_id=kept.public_id).update(access_doubtful_until=database_now())
    look(kept)
    assert kept.row.access_dead_at is not None
    assert (kept.grants("refresh"), kept.grants("password")) == (2, 1), "then its refresh token is used"


@pytest.mark.parametrize("has_password", [True, False])
def test_a_look_that_cannot_open_the_token_says_so(
    connect: Connect, configured: Configured, has_password: bool
) -> None:
    """Also where its refresh is due too: the look comes first."""
    kept = connect("13.3", fields={"store_password": has_password})
    kept.make_due()
    configured(encryption_keys=f"other:{base64.b64encode(secrets.token_bytes(32)).decode()}")
    guard.forget()
    look(kept)
    assert kept.row.diagnosis_code == "encryption_key_missing"
    assert kept.row.status == "dying"
    assert kept.grants() == 0
