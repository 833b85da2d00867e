from __future__ import annotations

import pytest

from connections.custody import actions, handout
from connections.custody.problems import Conflict
from connections.simulator import PRESETS
from tests.custody.conftest import ANA, Connect


@pytest.mark.parametrize("preset", list(PRESETS))
def test_it_signs_in_and_hands_out_a_token_that_sugar_accepts(connect: Connect, preset: str) -> None:
    kept = connect(preset)
    given = handout.token(kept.public_id, tenants=None, actor="worker")
    assert given.version == 1
    assert 3500 < given.expires_in <= 3600
    assert kept.row.status == "healthy"
    checks = actions.test(kept.public_id, ANA)
    assert [(check.name, check.ok) for check in checks] == [("instance", True), ("token", True), ("user", True)]


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_due_refresh_yields_the_next_version(connect: Connect, preset: str) -> None:
    kept = connect(preset)
    kept.make_due()
    assert kept.tend() == "version"
    assert kept.row.version_count == 2
    assert kept.row.status == "healthy"
    assert kept.grants() == 1
    verdict = kept.simulator.control.verdict()
    assert verdict["violations"] == []
    assert verdict["without_platform"] == []


def test_an_outside_login_is_named_and_repaired_with_the_stored_password(connect: Connect) -> None:
    kept = connect("13.3")
    kept.sugar.outside_login("svc", "intg")
    kept.make_due()
    kept.tend()
    assert kept.row.version_count == 2
    assert kept.row.status == "healthy"
    assert kept.row.superseded_at is not None
    codes = set(kept.row.events.values_list("code", flat=True))
    assert "refresh_token_superseded" in codes


def test_without_a_password_it_asks_for_a_person_and_says_why(connect: Connect) -> None:
    kept = connect("13.3", fields={"store_password": False})
    assert kept.row.password is None
    kept.sugar.outside_login("svc", "intg")
    kept.make_due()
    kept.tend()
    row = kept.row
    assert row.diagnosis_code == "refresh_token_superseded"
    assert row.diagnosis["evidence"]
    assert row.status == "down"
    with pytest.raises(Conflict) as refused:
        handout.token(kept.public_id, tenants=None, actor="worker")
    assert refused.value.code == "refresh_token_superseded"


def test_on_identity_a_superseded_chain_is_dying_while_the_token_lives(connect: Connect) -> None:
    kept = connect("7.1", fields={"store_password": False})
    kept.sugar.delete_rows("svc")
    kept.make_due()
    kept.tend()
    row = kept.row
    assert row.status == "dying"
    assert row.dies_at == row.access_expires_at
    given = handout.token(kept.public_id, tenants=None, actor="worker")
    assert given.warning == "refresh_token_superseded"
