"""Reads what a request says: query parameters and JSON fields, each with its type, bounds and place in the docs."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from gunicorn.http.errors import ParseException

from connections.api.problems import Errors, Invalid, TooLarge

MOST_BYTES = 1_048_576
MOST_READ_ON = 8  # times as much
BODY = "body"
NEEDED = "This is needed."
CUT_SHORT = "This broke off, or is not as long as its headers say."
_UNSTORABLE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000|[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """One query parameter. `read` turns its text into a value, or raises ValueError with a sentence."""

    name: str
    schema: Schema
    read: Callable[[str], Any]
    default: Any = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One member of a JSON body. `check` raises ValueError with a sentence; None: a deeper layer checks it."""

    name: str
    schema: Schema
    check: Callable[[Any], None] | None = None
    is_required: bool = False
    description: str = ""


# -- query ---------------------------------------------------------------------------------------------------


def read_query(request: HttpRequest, params: Sequence[Param]) -> dict[str, Any]:
    """Values by name. Raises Invalid, for unknown names too: a filter misspelt would filter nothing."""
    if not request.META.get("QUERY_STRING"):
        return {param.name: param.default for param in params}
    errors: Errors = {}
    values: dict[str, Any] = {}
    given = dict(request.GET.lists())
    for param in params:
        texts = given.pop(param.name, None)
        values[param.name] = param.default if texts is None else _read(param, texts, errors)
    errors |= {name: ["There is no such parameter here."] for name in given}
    if errors:
        raise Invalid(errors)
    return values


def _read(param: Param, texts: list[str], errors: Errors) -> Any:
    try:
        if len(texts) > 1:
            raise ValueError("Give this once.")
        return param.read(texts[0])
    except ValueError as refused:
        errors[param.name] = [str(refused)]
        return None


def number(most: float) -> Callable[[str], float]:
    """Seconds; more than `most` counts as `most`."""

    def read(text: str) -> float:
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
            raise ValueError("A number of seconds in digits, 0 or more, as in 60 or 2.5.")
        return min(float(text), most)

    return read


def whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
            raise ValueError(f"A whole number, {least} to {most}.")
        return int(text)

    return read


def words(known: Sequence[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        given = [word.strip() for word in text.split(",")]
        unknown = [word for word in given if word not in known]
        if unknown:
            raise ValueError(f"Words of {', '.join(known)}, separated by commas.")
        return given

    return read


def text(most: int) -> Callable[[str], str]:
    def read(given: str) -> str:
        if len(given) > most or _CONTROL.search(given):
            raise ValueError(f"Up to {most} characters, no control characters.")
        return given.strip()

    return read


def name(most: int) -> Callable[[str], str]:
    """A text that must say something: a filter left empty would filter nothing, and find somebody else's."""
    read_text = text(most)

    def read(given: str) -> str:
        found = read_text(given)
        if not found:
            raise ValueError("This is empty: leave the parameter out, or say what to find.")
        return found

    return read


def cursor_to(word: str) -> str:
    """What `next` carries: opaque to callers, so that it may change."""
    return base64.urlsafe_b64encode(word.encode()).decode().rstrip("=")


def cursor(shape: str) -> Callable[[str], str]:
    pattern = re.compile(shape)

    def read(given: str) -> str:
        try:
            word = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True).decode("ascii")
        except (binascii.Error, ValueError):
            word = ""
        if not pattern.fullmatch(word) or cursor_to(word) != given:
            raise ValueError("This is no cursor; take it from `next`.")
        return word

    return read


# -- body ----------------------------------------------------------------------------------------------------


def read_bytes(request: HttpRequest) -> bytes:
    """The whole body, at most 1 MiB. Raises TooLarge before reading more than that, Invalid where it does not all come:
    a body cut short could still be JSON, or empty, and would do something else than was asked."""
    try:
        body = _as_sent(request)
    except (OSError, ParseException):
        raise Invalid({"body": [CUT_SHORT]}) from None
    if len(body) > MOST_BYTES:
        raise TooLarge(MOST_BYTES)
    return body


def _as_sent(request: HttpRequest) -> bytes:
    if request.META.get("HTTP_TRANSFER_ENCODING") and request.META.get("wsgi.input_terminated"):
        # Sent in chunks: Django reads nothing without a length, the server knows where it ends.
        stream = request.META["wsgi.input"]
        body: bytes = stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            _read_on(stream)
        return body
    length = _length(request)
    if length > MOST_BYTES:
        raise TooLarge(MOST_BYTES)
    if len(request.body) < length:
        raise Invalid({"body": [CUT_SHORT]})
    return request.body


def _read_on(stream: Any) -> None:
    """A connection that is closed with bytes unread is reset, and the answer lost with it: a few more are read, for
    the sender's sake, and thrown away."""
    for _ in range(MOST_READ_ON):
        if not stream.read(MOST_BYTES):
            return


def _length(request: HttpRequest) -> int:
    told = str(request.META.get("CONTENT_LENGTH") or "")
    return int(told) if told.isdecimal() else 0


def read_body(body: bytes, fields: Sequence[Field]) -> dict[str, Any]:
    """The members given, types checked. An empty body is an empty object. Raises Invalid."""
    given = _parsed(body)
    known = {item.name: item for item in fields}
    errors: Errors = {name: ["There is no such field here."] for name in given if name not in known}
    for name, item in known.items():
        try:
            _check(item, given)
        except ValueError as refused:
            errors[name] = [str(refused)]
    if errors:
        raise Invalid(errors)
    return given


def _parsed(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        given = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_each_once)
    except _NamedTwice as twice:
        raise Invalid({str(twice): ["This is named twice."]}) from None
    except (ValueError, RecursionError):
        raise Invalid({BODY: ["This is not JSON."]}) from None
    if not isinstance(given, dict):
        raise Invalid({BODY: ["This must be a JSON object."]})
    try:
        json.dumps(list(given), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Invalid({BODY: ["Half of a surrogate pair is no text."]}) from None
    return given


class _NamedTwice(Exception):
    """Which of two values is meant, nobody knows."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    given = dict(pairs)
    if len(given) < len(pairs):
        names = [name for name, _ in pairs]
        raise _NamedTwice(next(name for name in names if names.count(name) > 1))
    return given


def _refuse_constant(word: str) -> None:
    raise ValueError(word)


def _check(item: Field, given: Mapping[str, Any]) -> None:
    value = given.get(item.name)
    if value is None:
        if item.is_required:
            raise ValueError(NEEDED)
        return
    if item.check is anything:
        return
    # Neither fits into a database: refused here, whatever the field.
    if _UNSTORABLE.search(json.dumps(value, ensure_ascii=False)):
        raise ValueError("Neither a zero character nor half of a surrogate pair can be part of this.")
    if item.check is not None:
        item.check(value)


def is_flag(value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError("This must be true or false.")


def anything(value: Any) -> None:
    """A courtesy field: whatever it holds, the call matters more. Custody cleans what it keeps."""


def is_text(value: Any) -> None:
    if not isinstance(value, str):
        raise ValueError("This must be text.")


def is_whole(least: int) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"A whole number from {least}.")

    return check


def is_seconds(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError("A number of seconds, 0 or more.")
