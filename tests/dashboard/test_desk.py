"""What staff tell each other: snoozes, notes, pauses; and how each wants to see the pages."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from connections.models import AuditRow, Connection, Event, Note, Profile, database_now
from tests.custody.conftest import Connect
from tests.dashboard.conftest import Draft
from tests.dashboard.people import person, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def press(client: Client, row: Connection, action: str, **data: object) -> str:
    path = f"{row.get_absolute_url()}actions/{action}/"
    return client.post(path, {"version": row.version_count, **data}, follow=True).content.decode()


def test_a_snooze_shows_on_list_and_detail_with_its_end_and_who_said_so(draft: Draft) -> None:
    row, client = draft(), signed_in("operator")
    page = press(client, row, "snooze", span="1h", reason="SUP-4411")
    assert "Snoozed: nobody is called." in page
    assert "Snoozed until" in page
    assert "operator: SUP-4411" in page
    assert "Snoozed until" in client.get("/connections/").content.decode()
    row.refresh_from_db()
    assert row.snoozed_until is not None
    assert timedelta(minutes=59) < row.snoozed_until - database_now() <= timedelta(hours=1)
    assert Event.objects.filter(connection=row, kind="snoozed").exists()
    assert AuditRow.objects.get(action="snooze").difference["reason"] == "SUP-4411"


def test_a_snooze_ends_by_its_time_by_hand_and_once_only(draft: Draft) -> None:
    row, client = draft(), signed_in("operator")
    press(client, row, "snooze", span="1d", reason="x")
    Connection.objects.filter(pk=row.pk).update(snoozed_until=database_now())
    assert "Snoozed until" not in client.get("/connections/").content.decode()
    press(client, row, "snooze", span="1d", reason="x")
    assert "Awake again." in press(client, row, "wake")
    assert "It is not snoozed." in press(client, row, "wake")
    assert AuditRow.objects.filter(action="wake").count() == 1


def test_recovery_ends_a_snooze_and_refreshes_go_on_meanwhile(connect: Connect) -> None:
    kept = connect("13.3")
    kept.sugar.maintenance(True)
    kept.make_due()
    kept.tend()
    client = signed_in("operator")
    press(client, kept.row, "snooze", span="1w", reason="their upgrade")
    assert kept.row.status == "unreachable"
    assert kept.row.snoozed_until is not None
    kept.sugar.maintenance(False)
    kept.lapse()
    kept.tend()
    assert kept.row.status == "healthy"
    assert kept.row.version_count == 2
    assert kept.row.snoozed_until is None


def test_who_is_snoozed_is_left_out_of_the_count_in_the_titles(connect: Connect) -> None:
    kept = connect("13.3", fields={"store_password": False})
    kept.sugar.outside_login("svc", "intg")
    kept.make_due()
    kept.tend()
    client = signed_in("operator")
    assert "<title>(1!) " in client.get("/system/").content.decode()
    press(client, kept.row, "snooze", span="4h", reason="x")
    assert "<title>System" in client.get("/system/").content.decode().replace("\n", "")
    assert kept.row.status in client.get("/connections/").content.decode(), "the list still shows it"


@pytest.mark.parametrize(
    "data", [{}, {"span": "1h"}, {"span": "forever", "reason": "x"}, {"span": "1h", "reason": " "}]
)
def test_a_snooze_without_a_span_or_a_reason_is_refused_and_keeps_what_was_typed(
    draft: Draft, data: dict[str, str]
) -> None:
    row, client = draft(), signed_in("operator")
    answer = client.post(f"{row.get_absolute_url()}actions/snooze/", {"version": 0, **data})
    assert answer.status_code == 422
    row.refresh_from_db()
    assert row.snoozed_until is None


def test_pause_acts_at_once_and_offers_the_way_back(draft: Draft) -> None:
    row, client = draft(), signed_in("operator")
    page = press(client, row, "pause")
    undo = f'<form method="post" action="{row.get_absolute_url()}actions/resume/">'
    assert undo in page.split('<ul class="messages"')[1].split("</ul>")[0]
    assert "Undo" not in client.get(row.get_absolute_url()).content.decode(), "it is offered once"
    page = press(client, row, "resume")
    assert "Resumed." in page
    assert "Undo" not in page
    row.refresh_from_db()
    assert row.paused_at is None


def test_a_note_is_shown_marked_on_the_list_and_audited(draft: Draft) -> None:
    row, client = draft(), signed_in("operator")
    page = client.post(f"{row.get_absolute_url()}notes/", {"text": "Call <b>Sam</b>\nfirst"}, follow=True)
    assert "Call &lt;b&gt;Sam&lt;/b&gt;<br>first" in page.content.decode()
    assert f'{row.get_absolute_url()}#notes">note' in client.get("/connections/").content.decode()
    assert AuditRow.objects.get(action="write_note").difference == {}
    assert client.post(f"{row.get_absolute_url()}notes/", {"text": "x" * 2001}).status_code == 422
    assert client.post(f"{row.get_absolute_url()}notes/", {"text": ""}).status_code == 422


def test_a_note_is_deleted_by_its_author_or_an_admin(draft: Draft) -> None:
    row = draft()
    author, admin = signed_in("operator"), signed_in("admin")
    other = Client()
    other.force_login(person("operator", name="another"))
    for text in ("first", "second"):
        author.post(f"{row.get_absolute_url()}notes/", {"text": text})
    first, second = Note.objects.order_by("pk")
    path = f"{row.get_absolute_url()}notes/%s/delete/"
    assert other.post(path % first.pk).status_code == 403
    assert author.post(path % first.pk).status_code == 302
    assert admin.post(path % second.pk).status_code == 302
    assert admin.post(path % second.pk).status_code == 404
    assert not Note.objects.exists()


def test_a_note_of_another_connection_is_not_deleted_through_this_one(draft: Draft) -> None:
    row, foreign = draft("Ours", tenant="ours"), draft("Foreign", tenant="foreign")
    signed_in("admin").post(f"{foreign.get_absolute_url()}notes/", {"text": "theirs"})
    note = Note.objects.get()
    assert (
        signed_in("admin", tenants=("ours",)).post(f"{row.get_absolute_url()}notes/{note.pk}/delete/").status_code
        == 404
    )
    assert Note.objects.exists()


def test_zone_and_colours_are_kept_for_the_person_on_every_machine(draft: Draft) -> None:
    row = draft()
    Connection.objects.filter(pk=row.pk).update(last_success_at="2026-01-15T23:30:00Z")
    client = signed_in("viewer")
    assert client.post("/profile/", {"time_zone": "Asia/Kolkata", "theme": "dark"}).status_code == 302
    elsewhere = signed_in("viewer")
    page = elsewhere.get("/connections/").content.decode()
    assert 'data-theme="dark"' in page
    assert "all times Asia/Kolkata" in page
    assert 'title="2026-01-16 05:00:00 IST · 2026-01-15 23:30:00 UTC"' in page
    elsewhere.post("/profile/zone/", {"zone": "utc", "next": "/"})
    assert "all times UTC" in elsewhere.get("/connections/").content.decode()
    assert "all times Asia/Kolkata" in client.get("/connections/").content.decode(), "for that session alone"


@pytest.mark.parametrize(
    "data", [{"time_zone": "Mars/Base", "theme": "dark"}, {"time_zone": "UTC", "theme": "pink"}, {}]
)
def test_a_zone_or_colours_that_do_not_exist_are_refused(db: None, data: dict[str, str]) -> None:
    assert signed_in("viewer").post("/profile/", data).status_code == 422
    assert not Profile.objects.exists()


def test_a_zone_that_this_machine_does_not_know_shows_utc(db: None) -> None:
    client = signed_in("viewer")
    Profile.objects.create(user=person("viewer"), time_zone="Mars/Base")
    assert "all times UTC" in client.get("/overview/").content.decode()


def test_the_theme_of_the_foot_is_kept_too(db: None) -> None:
    signed_in("viewer").post("/theme/", {"theme": "dark"})
    assert 'data-theme="dark"' in signed_in("viewer").get("/help/").content.decode()
    assert "data-theme" not in signed_in("operator").get("/help/").content.decode()


def test_owner_and_tags_change_at_once_and_are_taken_back(draft: Draft) -> None:
    row, client = draft(), signed_in("admin")
    path = f"{row.get_absolute_url()}describe/"
    page = client.post(path, {"tags": "gold eu"}, follow=True).content.decode()
    assert "Tags: eu, gold." in page
    page = client.post(path, {"tags": "eu\x00 silver"}, follow=True).content.decode()
    assert "Tags: eu, silver." in page
    undo = re.search(rf'action="({path}[^"]+)"', page)
    assert undo is not None
    page = client.post(undo[1], follow=True).content.decode()
    assert "Tags: eu, gold." in page
    assert "Undo" not in page
    page = client.post(path, {"owner": "admin"}, follow=True).content.decode()
    assert "Owner: admin." in page
    assert client.post(f"{path}?owner=", follow=True).status_code == 200
    row.refresh_from_db()
    assert row.owner is None
    page = client.post(path, {"owner": "nobody-here"}, follow=True).content.decode()
    assert "Nobody of this name may see this connection." in page
    assert AuditRow.objects.filter(target=row.public_id, action="edit").count() == 5


def test_who_may_not_edit_sees_why(draft: Draft) -> None:
    row, client = draft(), signed_in("operator")
    page = client.get(row.get_absolute_url()).content.decode()
    assert "Your role does not edit: an admin may do this." in page.split('id="describe"')[1].split("</section>")[0]
    assert client.post(f"{row.get_absolute_url()}describe/", {"tags": "x"}).status_code == 403
