"""The shapes of the contract as JSON Schema, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from connections.api.problems import CODES
from connections.choices import Confidence, DiagnosisCode, EventKind, FixBy, Status

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
TIME: Schema = {"type": "string", "format": "date-time", "description": "RFC 3339, UTC with Z, whole seconds"}
URL: Schema = {"type": "string", "format": "uri"}
FLAG: Schema = {"type": "boolean"}
CONNECTION_ID: Schema = {"type": "string", "pattern": "^c_[0-9a-z]{10}$"}


def or_null(schema: Schema) -> Schema:
    return schema | {"type": [schema["type"], "null"]} if "type" in schema else {"anyOf": [schema, {"type": "null"}]}


def one_of(words: list[str]) -> Schema:
    return {"type": "string", "enum": words}


def a(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def shape(optional: dict[str, Schema] | None = None, /, **members: Schema) -> Schema:
    return {"type": "object", "properties": members | (optional or {}), "required": list(members)}


CODE_OR_NULL: Schema = {"type": ["string", "null"], "enum": [*DiagnosisCode.values, None]}

TOKEN = shape(
    {"verified": FLAG | {"description": "Only as an answer to a report: Sugar still accepts the token."}},
    connection=CONNECTION_ID,
    access_token=TEXT,
    header={"const": "OAuth-Token"},
    version=WHOLE,
    expires_at=TIME,
    expires_in=WHOLE,
    instance_url=URL,
    api_url=URL,
    platform=TEXT,
    warning=CODE_OR_NULL,
)
DIAGNOSIS = shape(
    code=one_of(DiagnosisCode.values),
    title=TEXT,
    confidence=one_of(Confidence.values),
    cause=TEXT,
    evidence=list_of(
        shape(
            text=TEXT,
            attempt=or_null(WHOLE),
            event=or_null(WHOLE) | {"description": "Id of the event that this sentence rests on"},
        )
    ),
    fix_by=one_of(FixBy.values),
    fix=list_of(TEXT),
    help_url=URL,
)
VERSION = shape(
    version=WHOLE,
    access_expires_at=TIME,
    refresh_expires_at=or_null(TIME),
    chain_ends_at=or_null(TIME),
    fingerprint=TEXT,
)
CONNECTION = shape(
    id=CONNECTION_ID,
    tenant=TEXT,
    label=TEXT,
    instance_url=URL,
    platform=TEXT,
    username=TEXT,
    client_id=TEXT,
    status=one_of(Status.values),
    dies_at=or_null(TIME),
    diagnosis=or_null(a("Diagnosis")),
    token=or_null(a("TokenVersion")),
    last_success_at=or_null(TIME),
    next_refresh_at=or_null(TIME),
    tags=list_of(TEXT),
    created_at=TIME,
)
EVENT = shape(
    id=WHOLE,
    at=TIME,
    connection=CONNECTION_ID,
    kind=one_of(EventKind.values),
    code=CODE_OR_NULL,
    summary=TEXT,
    attempt=or_null(WHOLE),
    version=or_null(WHOLE),
    actor=TEXT,
)
CHECK = shape(name=TEXT, ok=FLAG, status=or_null(WHOLE), ms=WHOLE, detail=TEXT)
RUNG = shape(rung=TEXT, outcome=TEXT, code=or_null(TEXT), attempt=or_null(WHOLE), version=or_null(WHOLE))
PROBLEM = shape(
    {
        "retry_after": WHOLE | {"description": "Seconds; also in the header Retry-After"},
        "diagnosis": a("Diagnosis"),
        "fix_by": one_of(FixBy.values),
        "errors": {"type": "object", "additionalProperties": list_of(TEXT)},
        "scope": TEXT,
        "rungs": list_of(RUNG),
    },
    type=URL,
    title=TEXT,
    status=WHOLE,
    detail=TEXT,
    code=one_of([*CODES, *DiagnosisCode.values]),
    retryable=FLAG,
)
SCHEMAS: dict[str, Schema] = {
    "Token": TOKEN,
    "Connection": CONNECTION,
    "ConnectionPage": shape(items=list_of(a("Connection")), next=or_null(TEXT)),
    "Diagnosis": DIAGNOSIS,
    "TokenVersion": VERSION,
    "Event": EVENT,
    "EventPage": shape(items=list_of(a("Event")), next=TEXT),
    "TestReport": shape(checks=list_of(CHECK), connection=a("Connection")),
    "ActionReport": shape(
        outcome=one_of(["done", "unchanged", "running"]),
        version=WHOLE,
        rungs=list_of(RUNG),
        connection=a("Connection"),
    ),
    "Problem": PROBLEM,
}
