"""What the pages of a connection say is so: no moment that nobody named, no button that is not there."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from connections.choices import AttemptState, DiagnosisCode, FixBy, Trouble
from connections.custody import actions
from connections.dashboard.doings import DOINGS
from connections.diagnosis import CATALOGUE
from connections.models import Attempt, Connection, database_now
from tests.custody.conftest import ANA, Connect
from tests.dashboard.conftest import Draft
from tests.dashboard.people import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.once]
TITLES = {str(doing.title): doing.name for doing in DOINGS.values()}


def diagnosed(row: Connection, code: str, steps: Any, *, fix_by: str, **changed: object) -> str:
    """The card that the status page shows for it."""
    found = {
        "code": code, "title": "It is broken", "confidence": "certain", "cause": "", "evidence": [], "fix_by": fix_by,
        "fix": [str(step) for step in steps],
    }  # fmt: skip
    changed = {"trouble": Trouble.RETRYING, "trouble_since": database_now(), "version_count": 1} | changed
    Connection.objects.filter(pk=row.pk).update(diagnosis=found, diagnosis_code=code, **changed)
    page = signed_in("admin").get(row.get_absolute_url()).content.decode()
    return page[page.index("<article") : page.index("</article>")]


@pytest.mark.parametrize("code", DiagnosisCode.values)
def test_every_button_that_a_step_names_stands_beside_it(draft: Draft, code: str) -> None:
    row, entry = draft(), CATALOGUE[DiagnosisCode(code)]
    for steps, fix_by in ((entry.fix, entry.fix_by), (entry.waiting, FixBy.NOBODY)):
        card = diagnosed(row, code, steps, fix_by=fix_by)
        named = {TITLES[word] for step in steps for word in re.findall("“([^”]+)”", str(step)) if word in TITLES}
        offered = set(re.findall(r"/actions/([a-z-]+)/", card))
        assert named <= offered, f"{fix_by}: {offered}"
        if any("send the customer a sign-in link" in str(step) for step in steps):
            assert "Send the customer a sign-in link" in card
        if any("Save the right password in this connection" in str(step) for step in steps):
            assert "Open settings" in card
        assert offered or "Open settings" in card or "System health" in card


def test_without_a_token_no_moment_is_spoken_of_that_was_not_named(draft: Draft) -> None:
    card = diagnosed(draft(), DiagnosisCode.TIMEOUT, ["Wait."], fix_by=FixBy.NOBODY, due_at=None, retry_at=None)
    assert "Workers have no token meanwhile." in card
    assert "Until then" not in card


def test_steps_are_folded_only_where_a_button_does_the_first_of_them(draft: Draft) -> None:
    row = draft()
    assert "<details><summary>Steps" in diagnosed(row, DiagnosisCode.USER_INACTIVE, ["Ask."], fix_by="customer_admin")
    held = {"held_at": database_now()}
    card = diagnosed(row, DiagnosisCode.USER_INACTIVE, ["Ask."], fix_by="customer_admin", **held)
    assert "<details open><summary>Steps" in card


def test_a_wait_that_is_over_is_not_told_as_an_end_that_has_been(connect: Connect) -> None:
    kept = connect("13.3", fields={"server_seconds": 3600})
    kept.sugar.chaos("lost", grant="refresh", count=1)
    actions.rotate(kept.public_id, ANA)
    client, path = signed_in("operator"), f"/connections/{kept.public_id}/"
    assert "It is resolved in" in client.get(path).content.decode()
    past = database_now() - timedelta(seconds=25)
    Attempt.objects.filter(connection=kept.row, state=AttemptState.SENT).update(drain_until=past)
    page = client.get(path).content.decode()
    assert "Its wait is over; the worker resolves it next." in page
    assert "It is resolved" not in page


def test_only_the_newest_grant_that_is_asked_for_is_in_doubt_and_can_be_repaired(connect: Connect) -> None:
    kept = connect("13.3", fields={"server_seconds": 3600})
    for _ in range(2):
        kept.sugar.chaos("lost", grant="refresh", count=1)
        actions.rotate(kept.public_id, ANA)
        now = database_now()
        Attempt.objects.filter(connection=kept.row, state=AttemptState.SENT).update(
            state=AttemptState.IN_DOUBT, closed_at=now
        )
    kept.sugar.chaos("lost", grant="refresh", count=1)
    actions.rotate(kept.public_id, ANA)
    page = signed_in("operator").get(f"/connections/{kept.public_id}/tokens/").content.decode()
    table = page[page.index("<tbody>") :]
    assert table.count("In doubt") == 1
    assert table.count("Answer lost, outcome never known") == 2
    assert table.count("Repair") == 1
