"""The overview says in its figures and sentences what the pages behind it show."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from connections.choices import DiagnosisCode, Trouble
from connections.custody import actions
from connections.models import Connection, database_now
from tests.custody.conftest import ANA, Connect
from tests.dashboard.conftest import Draft
from tests.dashboard.people import signed_in
from tests.dashboard.test_figures import journal

pytestmark = pytest.mark.django_db


def overview() -> str:
    return signed_in("viewer").get("/overview/").content.decode()


def diagnosed(row: Connection, code: str, trouble: str = Trouble.NONE) -> None:
    since = None if trouble == Trouble.NONE else database_now()
    Connection.objects.filter(pk=row.pk).update(diagnosis_code=code, trouble=trouble, trouble_since=since)


def causes(page: str) -> dict[str, int]:
    """By code, in their order."""
    found = re.findall(r'<li id="cause-(\w+)">.*?<span class="row">([\d,]+)', page)
    return {code: int(count) for code, count in found}


def test_a_cause_counts_what_its_link_opens(connect: Connect, draft: Draft) -> None:
    """Drafts and paused connections too."""
    code = DiagnosisCode.TIMEOUT
    diagnosed(connect("14.0").row, code, Trouble.UNREACHABLE)
    diagnosed(draft("Draft"), code)
    paused = connect("14.0", fields={"label": "Paused"})
    actions.pause(paused.public_id, ANA)
    diagnosed(paused.row, code)
    assert causes(overview()) == {code: 3}
    assert "3 match" in signed_in("viewer").get(f"/connections/?cause={code}").content.decode()


def test_the_causes_of_what_is_most_urgent_come_first_and_all_are_there(connect: Connect, draft: Draft) -> None:
    dying = connect("14.0", fields={"store_password": False}).row
    diagnosed(dying, DiagnosisCode.REFRESH_TOKEN_EXPIRED, Trouble.PERSON)
    common = [code for code in DiagnosisCode.values if code != DiagnosisCode.REFRESH_TOKEN_EXPIRED][:9]
    for number, code in enumerate(common * 2):
        diagnosed(draft(f"Draft {number}"), code)
    page = overview()
    assert list(causes(page)) == [DiagnosisCode.REFRESH_TOKEN_EXPIRED, *sorted(common)]
    shown, folded = page.split("2 more causes")
    assert (len(causes(shown)), len(causes(folded))) == (8, 2)


def test_one_is_said_otherwise_than_many(draft: Draft) -> None:
    row, now = draft(), database_now()
    Connection.objects.filter(pk=row.pk).update(access_expires_at=now + timedelta(hours=1), version_count=1)
    for state in ("settled", "settled", "refused", "in_doubt"):
        journal(row, now, state=state)
    page = overview()
    assert "2 grants succeeded, 1 was refused, 0 were not sent, 1 has an unknown outcome." in page
    assert "1 access token ends within two hours." in page


def test_all_well_is_said_with_the_time_of_the_next_refresh(connect: Connect, draft: Draft) -> None:
    first = connect("14.0").row
    assert "The one connection is healthy." in overview()
    connect("14.0", fields={"label": "Later"})
    draft("Draft")
    soon = (database_now() + timedelta(minutes=5)).replace(microsecond=0)
    Connection.objects.filter(pk=first.pk).update(next_refresh_at=soon)
    said = re.search(r'<p class="lead">All 2 healthy. Next refresh <time [^>]*>([^<]*)<', overview())
    assert said is not None
    assert said[1].split()[-1] == f"{soon:%H:%M:%S}"  # after midnight its day stands before it
    Connection.objects.filter(pk=first.pk).update(next_refresh_at=database_now())
    assert "All 2 healthy. A refresh is due now." in overview()
    diagnosed(first, DiagnosisCode.TIMEOUT, Trouble.UNREACHABLE)
    assert "healthy." not in overview()
