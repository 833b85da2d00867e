"""R15: whatever a page says of a time, it says it in the zone that its foot names; what is stored stays in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from connections.choices import DiagnosisCode, EventKind, Trouble
from connections.custody import journal
from connections.models import AuditCheck, Connection, Event, Profile, database_now
from tests.dashboard.conftest import Draft
from tests.dashboard.people import person, signed_in

pytestmark = pytest.mark.django_db
# Late in the evening, three days ago: in India it is the next day already.
LATE = (datetime.now(UTC) - timedelta(days=3)).replace(hour=20, minute=31, second=32, microsecond=0)
MIDNIGHT = LATE.replace(hour=0, minute=0, second=0)
FULL = "%d %b %Y %H:%M:%S"


@pytest.fixture
def client(db: None) -> Client:
    found = signed_in("admin")
    Profile.objects.create(user=person("admin"), time_zone="Asia/Kolkata")
    return found


def write(row: Connection, summary: str) -> Event:
    event = journal.write_event(row, EventKind.REFRESHED, summary, at=LATE, actor="ana")
    row.save(update_fields=["event_count"])
    return event


def in_india(at: datetime, pattern: str = FULL) -> str:
    """As the page has it: by the clock of the reader, in full in the tooltip."""
    here, full = at + timedelta(hours=5, minutes=30), "%Y-%m-%d %H:%M:%S"
    title = f"{here:{full}} IST · {at:{full}} UTC"
    return f'<time datetime="{at:%Y-%m-%dT%H:%M:%S}.000Z" title="{title}">{here:{pattern}}</time>'


@pytest.mark.parametrize(
    ("summary", "at", "pattern"),
    [
        ("Refreshed: version 2, good until 21:31:32 UTC.", LATE + timedelta(hours=1), FULL),
        (
            "Refreshed: version 2, good until 02:31:30 UTC.",
            MIDNIGHT + timedelta(hours=26, minutes=31, seconds=30),
            FULL,
        ),
        ("Attempt 3 was sent at 23:59:58 UTC, no answer came.", MIDNIGHT - timedelta(seconds=2), FULL),
        ("Snoozed until 2096-12-12 20:41 UTC: later", datetime(2096, 12, 12, 20, 41, tzinfo=UTC), "%d %b %Y %H:%M"),
    ],
)
@pytest.mark.parametrize("page", ["", "timeline/?span=30d", "events/N/"])
def test_r15_a_stored_sentence_tells_its_moment_by_the_clock_of_the_reader(
    draft: Draft, client: Client, summary: str, at: datetime, pattern: str, page: str
) -> None:
    row = draft()
    path = row.get_absolute_url() + page.replace("N", str(write(row, summary).number))
    before, after = re.split(r"(?:\d{4}-\d\d-\d\d )?\d\d:\d\d(?::\d\d)? UTC", summary)
    assert before + in_india(at, pattern) + after in client.get(path).content.decode()
    assert summary in client.get(f"{row.get_absolute_url()}bundle/").content.decode(), "the record stays as it is"


def test_r15_evidence_tells_the_day_where_it_is_not_today(draft: Draft, client: Client) -> None:
    row, now = draft(), database_now()
    at = now.replace(microsecond=0)
    texts = [f"{at:%H:%M:%S} UTC: the refresh was <b>refused</b>.", f"{LATE:%Y-%m-%d %H:%M:%S} UTC: and before."]
    Connection.objects.filter(pk=row.pk).update(
        trouble=Trouble.PERSON, trouble_since=now, diagnosis_code=DiagnosisCode.BAD_CREDENTIALS,
        diagnosis={
            "code": "bad_credentials", "title": "Refused", "confidence": "certain", "cause": "", "fix_by": "customer",
            "fix": [], "evidence": [{"text": text, "attempt": None, "version": None} for text in texts],
        },
    )  # fmt: skip
    page = client.get(row.get_absolute_url()).content.decode()
    assert in_india(at, "%H:%M:%S") in page
    assert in_india(LATE) in page
    assert "&lt;b&gt;refused&lt;/b&gt;" in page


def test_r15_what_only_looks_like_a_moment_stays(draft: Draft, client: Client) -> None:
    row = draft()
    write(row, "Told: 29:61 UTC, 2026-13-41 12:00 UTC, 12:00 UTCX and <i>12:00</i>")
    page = client.get(row.get_absolute_url()).content.decode()
    assert "Told: 29:61 UTC, 2026-13-41 12:00 UTC, 12:00 UTCX and &lt;i&gt;12:00&lt;/i&gt;" in page


def test_r15_the_page_of_a_hold_and_the_health_of_the_system_follow_the_zone(draft: Draft, client: Client) -> None:
    row = draft()
    end = datetime(2126, 12, 12, 20, 41, tzinfo=UTC)
    Connection.objects.filter(pk=row.pk).update(refresh_expires_at=end)
    assert "(until 13 Dec 2126 02:11 IST)" in client.get(f"{row.get_absolute_url()}actions/hold/").content.decode()
    AuditCheck.objects.create(at=LATE, rows=7, head="7:x")
    found = client.get("/system/").content.decode()
    assert f"row 7 at {in_india(LATE.replace(second=0), '%d %b %Y %H:%M')}" in found
