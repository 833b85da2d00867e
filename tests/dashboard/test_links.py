"""Staff make links, see what came of them, and take them back."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from connections.choices import DiagnosisCode, EventKind, LinkKind
from connections.dashboard import wording
from connections.models import AuditRow, Connection, CustomerLink, Event
from connections.onboarding import links
from tests.custody.conftest import ANA, Connect
from tests.dashboard.conftest import Draft
from tests.dashboard.people import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def make(client: Client, row: Connection, kind: str = "sign_in", **data: object) -> str:
    seen = CustomerLink.objects.filter(connection=row).count()
    response = client.post(f"{row.get_absolute_url()}links/", {"kind": kind, "seen": seen} | data)
    return response.content.decode()


def address_in(page: str) -> str:
    found = re.search(r"<code>(http[^<]+/[rs]/[^<]+)</code>", page)
    assert found, page
    return found[1]


@pytest.mark.parametrize("role", ["operator", "admin"])
@pytest.mark.parametrize("kind", ["sign_in", "guide"])
def test_a_link_is_shown_once_and_audited(draft: Draft, role: str, kind: str) -> None:
    row, client = draft(), signed_in(role)
    address = address_in(make(client, row, kind))
    path = "/" + address.split("/", 3)[3]
    assert Client().get(path, follow=True).status_code == 200
    again = client.get(f"{row.get_absolute_url()}links/").content.decode()
    assert address not in again
    link = CustomerLink.objects.get()
    assert link.public_id in again
    assert (link.made_by, link.kind) == (role, kind)
    audited = AuditRow.objects.get(action="make_link")
    assert (audited.actor, audited.target, audited.difference["link"]) == (role, row.public_id, link.public_id)
    assert Event.objects.filter(connection=row, kind=EventKind.LINK_MADE).count() == 1


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_who_only_reads_makes_and_revokes_none(draft: Draft, role: str) -> None:
    row, client = draft(), signed_in(role)
    link = links.issue(row.public_id, LinkKind.SIGN_IN, ANA, tenants=None, seen=0).link
    page = client.get(f"{row.get_absolute_url()}links/")
    assert (page.status_code, b"only reads" in page.content) == (200, True)
    assert b"Revoke l_" not in page.content
    assert client.post(f"{row.get_absolute_url()}links/", {"kind": "sign_in", "seen": 1}).status_code == 403
    assert client.post(f"{row.get_absolute_url()}links/{link.public_id}/revoke/").status_code == 403
    assert [one.action for one in AuditRow.objects.filter(outcome="denied")] == ["make_link", "revoke_link"]
    assert CustomerLink.objects.get().revoked_at is None


def test_a_form_sent_twice_makes_one_link(draft: Draft) -> None:
    row, client = draft(), signed_in("operator")
    make(client, row)
    for seen in ("0", "", "x", "9" * 40):
        assert "Nothing was made" in make(client, row, seen=seen)
    assert CustomerLink.objects.count() == 1


def test_another_tenants_links_do_not_exist(draft: Draft) -> None:
    row = draft()
    link = links.issue(row.public_id, LinkKind.SIGN_IN, ANA, tenants=None, seen=0).link
    stranger = signed_in("operator", tenants=("other",))
    assert stranger.post(f"{row.get_absolute_url()}links/", {"kind": "guide", "seen": 1}).status_code == 404
    assert stranger.post(f"{row.get_absolute_url()}links/{link.public_id}/revoke/").status_code == 404
    own = draft("Other", tenant="other")
    assert stranger.post(f"{own.get_absolute_url()}links/{link.public_id}/revoke/").status_code == 404
    assert CustomerLink.objects.get().revoked_at is None


def test_revoking_is_noted_once(draft: Draft) -> None:
    row, client = draft(), signed_in("operator")
    make(client, row)
    link = CustomerLink.objects.get()
    path = f"{row.get_absolute_url()}links/{link.public_id}/revoke/"
    assert client.get(path).status_code == 405
    assert b"opens nothing any more" in client.post(path, follow=True).content
    assert b"had been revoked before" in client.post(path, follow=True).content
    assert AuditRow.objects.filter(action="revoke_link").count() == 1
    assert Event.objects.filter(kind=EventKind.LINK_ENDED).count() == 1


def test_the_connection_shows_its_open_links_and_what_came_of_them(connect: Connect) -> None:
    kept = connect("13.3", fields={"store_password": False})
    issued = links.issue(kept.public_id, LinkKind.SIGN_IN, ANA, tenants=None, seen=0)
    links.note_opened(issued.link, None)
    links.sign_in(issued.link, "wrong", seen=0, address=None)
    client = signed_in("viewer")
    page = client.get(kept.row.get_absolute_url()).content.decode()
    assert "Open links" in page
    assert issued.link.public_id in page
    assert "1 failed try" in page
    links.revoke(kept.public_id, issued.link.public_id, ANA, tenants=None)
    assert "Open links" not in client.get(kept.row.get_absolute_url()).content.decode()


def test_the_connection_tells_that_the_customer_wants_a_new_link(draft: Draft) -> None:
    row, client = draft(), signed_in("operator")
    link = links.issue(row.public_id, LinkKind.SIGN_IN, ANA, tenants=None, seen=0).link
    links.revoke(row.public_id, link.public_id, ANA, tenants=None)
    assert links.ask_for_new(link, None)
    words = "The customer asked for a new link</strong>"
    for path in ("", "links/"):
        assert words in client.get(row.get_absolute_url() + path).content.decode()
    make(client, row)
    for path in ("", "links/"):
        assert words not in client.get(row.get_absolute_url() + path).content.decode()


@pytest.mark.parametrize("code", DiagnosisCode.values)
def test_the_diagnosis_offers_the_link_that_its_steps_speak_of(draft: Draft, code: str) -> None:
    row = draft()
    row.diagnosis_code = code
    offered = wording.link_offered(row)
    assert offered in ("", LinkKind.SIGN_IN, LinkKind.GUIDE)
    steps = " ".join(str(step) for step in wording.CATALOGUE[DiagnosisCode(code)].fix)
    if "sign-in link" in steps:
        assert offered == LinkKind.SIGN_IN


def test_a_number_of_links_costs_no_more_queries(draft: Draft, django_assert_max_num_queries: object) -> None:
    row, client = draft(), signed_in("operator")
    for seen in range(8):
        links.issue(row.public_id, LinkKind.SIGN_IN, ANA, tenants=None, seen=seen)
    with django_assert_max_num_queries(30):  # type: ignore[operator]
        client.get(f"{row.get_absolute_url()}links/")
