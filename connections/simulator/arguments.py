"""Arguments of a REST call: form or JSON body, with the query winning (SUGAR.md section 1)."""

from __future__ import annotations

import base64
import binascii
import json
from urllib.parse import parse_qsl

from connections.simulator import texts
from connections.simulator.refusals import Refusal
from connections.simulator.wire import Json, Request


def read_arguments(request: Request, language: str = "en_us") -> Json:
    """All arguments. PHP fills $_POST from forms only; anything else is taken for JSON, whatever its Content-Type."""
    return {**_body_arguments(request, language), **request.query}


def _body_arguments(request: Request, language: str) -> Json:
    if not request.body:
        return {}
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        payload = json.loads(request.body)
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise Refusal(422, "invalid_parameter", texts.say(texts.INVALID_JSON, language))
    return payload


def text_of(arguments: Json, name: str, default: str = "") -> str:
    """One argument as PHP would read it: absent, null and objects are the default."""
    value = arguments.get(name)
    return str(value) if isinstance(value, str | int | float) else default


def basic_credentials(request: Request) -> tuple[str, str] | None:
    """Client credentials from HTTP Basic, which win over the body: a protected staging site breaks grants."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded).decode("utf-8", "replace").partition(":")
    except (binascii.Error, ValueError):
        return None
    return name, secret


def cookie(request: Request, name: str) -> str:
    for part in request.headers.get("cookie", "").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return ""
