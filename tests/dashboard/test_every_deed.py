"""R21: every change that the pages offer is one row of the audit, done or denied, with actor, target and outcome.

A grant is two: one that it was begun, and one for how it ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.test import Client

from connections.choices import Role
from connections.models import ApiKey, Attempt, AuditRow, CustomerLink, Draft, Note
from tests.custody.conftest import Connect, Kept
from tests.dashboard.people import signed_in
from tests.dashboard.sending import send

pytestmark = pytest.mark.django_db
PASSWORD = "secret"
GRANTS = ("rotate", "sign_in", "repair")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One form that is sent. `action`: what the audit calls it; `target`: what it is about, empty for a new thing."""

    action: str
    path: str
    form: dict[str, Any] = field(default_factory=dict)
    role: str = Role.OPERATOR
    target: str = ""
    status: int = 302
    also: str = ""
    """What the same form asks for besides."""
    tried_as: str = ""
    """The first deed of a page that has several: who was stopped at its door is noted with that."""


def test_r21_every_deed_is_one_row_whether_done_or_denied(connect: Connect) -> None:
    kept = connect("13.3", fields={"label": "Acme EU", "store_password": False})
    people = {role: signed_in(role) for role in (Role.OPERATOR, Role.ADMIN, Role.VIEWER)}
    told = [line for deed in deeds(kept) for line in complaints(deed, people)]
    assert told == [], "\n".join(told)


def deeds(kept: Kept) -> Iterator[Deed]:
    """In an order in which each of them can be done; what one needs of those before is looked up in between."""
    one, page = kept.public_id, f"/connections/{kept.public_id}/"

    def on(action: str, tail: str, role: str = Role.OPERATOR, **form: Any) -> Deed:
        return Deed(action=action, path=page + tail, form=form, role=role, target=one)

    def now(name: str, **form: Any) -> Deed:
        return on(name.replace("-", "_"), f"actions/{name}/", version=kept.row.version_count, **form)

    yield now("test")
    yield now("rotate")
    yield now("sign-in", password=PASSWORD)
    yield now("repair")
    yield now("pause")
    yield now("resume")
    yield now("snooze", span="1h", reason="They know.")
    yield now("wake")
    yield on("hold", "actions/hold/", Role.ADMIN, version=kept.row.version_count)
    yield now("resume")
    yield on("write_note", "notes/", text="They call back.")
    yield on("delete_note", f"notes/{Note.objects.get().pk}/delete/", Role.ADMIN)
    yield replace(on("make_link", "links/", kind="sign_in", seen="0"), status=201)
    yield on("revoke_link", f"links/{CustomerLink.objects.get().public_id}/revoke/")
    yield on("edit", "describe/", Role.ADMIN, owner="admin")
    yield on("edit", "describe/", Role.ADMIN, tags="gold eu")
    yield on("edit", "settings/", Role.ADMIN, section="description", label="Acme Europe", owner="operator")
    yield on("edit", "settings/", Role.ADMIN, section="secrets", password="another", store_password="on")
    kept.sugar.outside_login("svc", "intg")
    kept.make_due()
    kept.tend()
    failure = Attempt.objects.exclude(failure="").latest("pk").failure
    for action, form in (("mark_failure", {"span": "", "reason": "Seen."}), ("open_failure", {"open": "1"})):
        yield Deed(action=action, path=f"/errors/{failure}/mark/", form=form, target=failure, tried_as="mark_failure")
    address = {"tenant": "acme", "label": "New", "instance_url": f"{kept.row.instance_url}"}
    yield Deed(action="create_draft", also="look_at_instance", path="/connections/new/", form=address, role=Role.ADMIN)
    draft = Draft.objects.get()
    yield Deed(
        action="discard_draft", path=f"/connections/new/{draft.public_id}/", role=Role.ADMIN, target=draft.public_id
    )
    shown = signed_in(Role.ADMIN).get("/api-keys/new/").content.decode()
    ticket = re.search(r'name="ticket" value="([^"]+)"', shown)[1]  # type: ignore[index]
    key = {"name": "Nightly", "scopes": ["token:read"], "ticket": ticket}
    yield Deed(action="create_api_key", path="/api-keys/new/", form=key, role=Role.ADMIN, status=201)
    made = ApiKey.objects.get()
    form = {"name": made.name}
    yield Deed(
        action="revoke_api_key", path=f"/api-keys/{made.prefix}/revoke/", form=form, role=Role.ADMIN, target=made.prefix
    )
    yield replace(on("delete", "settings/", Role.ADMIN, section="delete", name="Acme Europe"), tried_as="edit")


def complaints(deed: Deed, people: dict[str, Client]) -> Iterator[str]:
    """First by the viewer, whose form the server never showed; then by who may."""
    for role, status, outcome in ((Role.VIEWER, 403, "denied"), (deed.role, deed.status, "ok")):
        before = AuditRow.objects.count()
        response = send(people[role], deed.path, deed.form)
        added = AuditRow.objects.order_by("pk")[before:]
        rows = [(row.actor, row.target, row.outcome, row.action) for row in added if row.action != deed.also]
        target = deed.target or (rows[0][1] if rows and outcome == "ok" else "")  # a new thing names itself
        action = deed.tried_as or deed.action if outcome == "denied" else deed.action
        wanted = [(role, target, outcome, action)]
        if action in GRANTS and outcome == "ok":
            wanted.insert(0, (role, target, "begun", action))
        if response.status_code != status or rows != wanted:
            yield f"{deed.action} by the {role}: {response.status_code} {rows}"
