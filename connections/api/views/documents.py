"""The contract for programs, and the same for people. Both are public: they say nothing of this installation."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from connections.api import contract
from connections.api.entrance import Call, Route, answer
from connections.api.problems import CODES
from connections.api.routes import ROUTES
from connections.api.schemas import SCHEMAS
from connections.choices import Scope
from sugaradmin import __version__


def openapi(call: Call) -> HttpResponse:
    return answer(contract.openapi(ALL_ROUTES, server=settings.SUGARADMIN.base_url, version=__version__))


OPENAPI = Route(
    method="GET",
    path="openapi.json",
    name="openapi",
    view=openapi,
    scope=None,
    summary="This contract, as OpenAPI 3.1",
    answers={200: ("The document.", "")},
)
ALL_ROUTES = (*ROUTES, OPENAPI)


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The docs page, rendered from the same table; no script."""
    shown = {
        "routes": [_shown(route) for route in ALL_ROUTES],
        "schemas": [{"name": name, "members": _members(schema)} for name, schema in SCHEMAS.items()],
        "scopes": Scope.choices,
        "base": settings.SUGARADMIN.base_url + contract.BASE,
        "about": contract.ABOUT,
        "codes": CODES,
    }
    return render(request, "api/docs.html", shown)


def _shown(route: Route) -> dict[str, Any]:
    return {
        "route": route,
        "problems": [(status, contract.PROBLEMS[status]) for status in contract.problems_of(route)],
        "answers": [(int(status), text, name) for status, (text, name) in route.answers.items()],
    }


def _members(schema: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Name, type and remark of each member."""
    return [(name, _type(member), member.get("description", "")) for name, member in schema["properties"].items()]


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if "const" in schema:
        return f'"{schema["const"]}"'
    kinds = schema.get("type", "object")
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
