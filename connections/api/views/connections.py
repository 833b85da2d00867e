"""List, show, create, change and delete connections."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.db.models import Q
from django.http import HttpResponse

from connections.api import representation
from connections.api.entrance import Call, answer
from connections.api.problems import Invalid, NoSuchThing
from connections.api.reading import NEEDED, cursor_to
from connections.custody import actions, handout
from connections.custody.problems import CustodyProblem
from connections.models import Connection, Tenant
from connections.models.status import ConnectionQuerySet
from connections.onboarding import registry
from connections.onboarding.representation import connections_as_json

SEARCHED = ("label", "public_id", "external_id", "host", "username")
# What null means in a PATCH: the field is emptied.
EMPTIED: dict[str, Any] = {
    "external_id": "", "contact_name": "", "contact_email": "", "ca_pem": "", "client_secret": "", "tags": [],
}  # fmt: skip
ADDRESS = "/api/v1/connections/"


def index(call: Call) -> HttpResponse:
    query = call.query
    found = Connection.objects.present().filter(handout.visible(call.tenants)).with_status().select_related("tenant")
    found = _filtered(found, query, call.tenants)
    if query["after"]:
        found = found.filter(pk__gt=_position(query["after"], call.tenants))
    rows = list(found.order_by("pk")[: query["limit"] + 1])
    page = rows[: query["limit"]]
    further = cursor_to(page[-1].public_id) if len(rows) > len(page) else None
    return answer({"items": connections_as_json(page), "next": further})


def _filtered(found: ConnectionQuerySet, query: Any, tenants: frozenset[int] | None) -> ConnectionQuerySet:
    if query["tenant"]:
        found = found.filter(tenant=_tenant(query["tenant"], tenants))
    if query["status"]:
        found = found.filter(Q(status__in=query["status"]))
    if query["tag"]:
        found = found.filter(tags__name=query["tag"])
    if query["external_id"]:
        found = found.filter(external_id=query["external_id"])
    for word in (query["q"] or "").split():
        found = found.filter(_mentions(word))
    return found


def _mentions(word: str) -> Q:
    wanted = Q()
    for column in SEARCHED:
        wanted |= Q(**{f"{column}__icontains": word})
    return wanted


def _tenant(slug: str, tenants: frozenset[int] | None) -> int:
    """Its key, 0 for none. A limited asker is told the same of another's and of one that does not exist."""
    key = Tenant.objects.filter(slug=slug.lower()).values_list("pk", flat=True).first() or 0
    if tenants is not None and key not in tenants:
        raise NoSuchThing("There is no such tenant.")
    return key


def _position(public_id: str, tenants: frozenset[int] | None) -> int:
    """Deleted ones keep their place, so that a reader who was there goes on from there."""
    rows = Connection.objects.filter(handout.visible(tenants), public_id=public_id)
    key = rows.values_list("pk", flat=True).first()
    if key is None:
        raise Invalid({"after": ["This is no cursor; take it from `next`."]})
    return key


def show(call: Call) -> HttpResponse:
    return answer(representation.connection_of(call.public_id, call.tenants))


def create(call: Call) -> HttpResponse:
    """201 whatever a sign-in comes to: the connection is stored, its diagnosis says what is wrong."""
    fields = dict(call.body)
    tenant, is_sign_in = fields.pop("tenant"), fields.pop("sign_in", None)
    if not fields.get("password") and not fields.get("refresh_token"):
        raise Invalid({"password": [NEEDED]})
    row = registry.create(tenant, fields, call.actor, tenants=call.tenants)
    is_over = not is_sign_in or _begin(call, row, fields)
    return answer(
        representation.connection_of(row.public_id, call.tenants),
        HTTPStatus.CREATED if is_over else HTTPStatus.ACCEPTED,
        {"Location": ADDRESS + row.public_id},
    )


def _begin(call: Call, row: Connection, fields: dict[str, Any]) -> bool:
    """The first grant. False when it is not over in time."""
    try:
        report = actions.begin(row.public_id, call.actor, tenants=call.tenants, password=fields.get("password") or None)
    except CustodyProblem:
        return True
    return not report.is_running


def change(call: Call) -> HttpResponse:
    errors = {
        name: ["This cannot be null."] for name, value in call.body.items() if value is None and name not in EMPTIED
    }
    if errors:
        raise Invalid(errors)
    fields = {name: EMPTIED[name] if value is None else value for name, value in call.body.items()}
    registry.edit(call.public_id, fields, call.actor, tenants=call.tenants)
    return show(call)


def delete(call: Call) -> HttpResponse:
    actions.delete(call.public_id, call.actor, tenants=call.tenants)
    gone = HttpResponse(status=HTTPStatus.NO_CONTENT)
    del gone.headers["Content-Type"]  # there is no content to have one
    return gone
