"""The OpenAPI 3.1 document and the docs page, both made from the table of routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connections.api.entrance import Route
from connections.api.reading import Field
from connections.api.schemas import CONNECTION_ID, SCHEMAS, a

Json = dict[str, Any]

BASE = "/api/v1/"
ABOUT = (
    "Hands valid access tokens of SugarCRM instances to workers. Send `Authorization: Bearer sga_…` with every call. "
    "Errors are RFC 9457 problem documents; each `type` is a help page."
)
PROBLEMS: Mapping[int, str] = {
    401: "No key, or none that is valid.",
    403: "The key lacks the scope that is named.",
    404: "Unknown, or another tenant's.",
    409: "A person is needed, or the state forbids it.",
    413: "The body is larger than 1 MiB.",
    422: "Bad input; `errors` says what is wrong per field.",
    429: "Too fast; see Retry-After.",
    503: "Transient; see Retry-After.",
}
IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any text of your choice: sent again within 24 hours, the call is answered again, not done again.",
    "schema": {"type": "string", "maxLength": 255},
}
IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": 'ETag of the version you have, as in "19".',
    "schema": {"type": "string"},
}


def problems_of(route: Route) -> list[int]:
    """Which problems a call may end in."""
    if route.scope is None:
        return []
    statuses = [401, 403, 422, 429, 503]
    if "{id}" in route.path or route.name in ("create_connection", "list_connections"):
        statuses.append(404)
    if route.method != "GET" or route.name == "token":
        statuses.append(409)
    if route.takes_body:
        statuses.append(413)
    return sorted(statuses)


def openapi(routes: Sequence[Route], *, server: str, version: str) -> Json:
    paths: Json = {}
    for route in routes:
        paths.setdefault(f"/{route.path}", {})[route.method.lower()] = _operation(route)
    for path, item in paths.items():
        if "{id}" in path:
            item["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": CONNECTION_ID}]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sugaradmin worker API",
            "version": version,
            "description": ABOUT,
            "license": {"name": "MIT"},
        },
        "servers": [{"url": server + BASE.rstrip("/")}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "sga_<prefix>_<secret>"}},
        },
    }


def _operation(route: Route) -> Json:
    described: Json = {
        "operationId": route.name,
        "summary": route.summary,
        "description": _description(route),
        "parameters": _parameters(route),
        "responses": {str(int(status)): _answer(text, name) for status, (text, name) in route.answers.items()}
        | {str(status): _problem(status) for status in problems_of(route)},
    }
    if route.scope is None:
        described["security"] = []
    if route.fields:
        described["requestBody"] = {
            "required": any(item.is_required for item in route.fields),
            "content": {"application/json": {"schema": body_schema(route.fields)}},
        }
    return described


def _description(route: Route) -> str:
    scope = f"Needs the scope `{route.scope}`." if route.scope else "Needs no key."
    return f"{route.description} {scope}".strip()


def _parameters(route: Route) -> list[Json]:
    shown: list[Json] = [
        {
            "name": param.name,
            "in": "query",
            "required": False,
            "description": param.description,
            "schema": param.schema,
        }
        for param in route.query
    ]
    if route.name == "token":
        shown.append(IF_NONE_MATCH)
    if route.is_idempotent:
        shown.append(IDEMPOTENCY_KEY)
    return shown


def body_schema(fields: Sequence[Field]) -> Json:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            item.name: item.schema | ({"description": item.description} if item.description else {}) for item in fields
        },
        "required": [item.name for item in fields if item.is_required],
    }


def _answer(text: str, name: str) -> Json:
    return {"description": text} | ({"content": {"application/json": {"schema": a(name)}}} if name else {})


def _problem(status: int) -> Json:
    return {
        "description": PROBLEMS[status],
        "content": {"application/problem+json": {"schema": a("Problem")}},
    }
