"""JSON from a stranger: read strictly or not at all."""

from __future__ import annotations

import codecs
import json
import re
from typing import NoReturn

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None

MAX_DEPTH = 64
MAX_DIGITS = 18
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)  # an open end matches too: else it is quadratic
_BRACKET = re.compile(r"[\[\]{}]")
_SPACE = re.compile(r"[ \t\r\n]*")
_COLON = re.compile(r"[ \t\r\n]*:[ \t\r\n]*")
_CUT_VALUE = re.compile(r'"(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f])*\\?|[-+.0-9eE]*|[a-z]{0,5}')
_CUT_KEY = re.compile(r'(?:"(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f])*(?:\\|"[ \t\r\n]*(?::[ \t\r\n]*)?)?)?')


class NotJson(ValueError):
    """The bytes are not one JSON value that every parser reads alike."""


def parse(body: bytes) -> Json:
    """The value in `body`; NotJson for NaN, repeated keys, deep nesting, anything but UTF-8, or trailing bytes."""
    try:
        text = body.removeprefix(codecs.BOM_UTF8).decode("utf-8")
        _refuse_depth(text)
        value: Json = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise NotJson from None
    return value


def parse_cut_object(body: bytes) -> dict[str, Json] | None:
    """The members that are complete in an object whose end may be missing; None if `body` is anything else.

    A number at the very end is left out: more digits may have been on their way.
    """
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(body.removeprefix(codecs.BOM_UTF8))
        return _cut_members(text)
    except (ValueError, RecursionError):
        return None


def _cut_members(text: str) -> dict[str, Json] | None:
    position = _skip(text, 0)
    if text[position : position + 1] != "{":
        return None
    _refuse_depth(text)
    members: dict[str, Json] = {}
    while True:
        position = _skip(text, position + 1)  # past the brace or the comma
        if _CUT_KEY.fullmatch(text, position):
            return members
        key, position = _DECODER.raw_decode(text, position)
        colon = _COLON.match(text, position)
        if not isinstance(key, str) or key in members or colon is None:
            return None
        position = colon.end()
        is_string = text[position : position + 1] == '"'
        try:
            value, position = _DECODER.raw_decode(text, position)
        except ValueError:
            return members if _CUT_VALUE.fullmatch(text, position) else None
        after = _skip(text, position)
        if after == len(text):
            return members | {key: value} if is_string else members
        members[key] = value
        position = after
        if text[position] != ",":
            is_whole = text[position] == "}" and _skip(text, position + 1) == len(text)
            return members if is_whole else None


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _refuse_depth(text: str) -> None:
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            raise NotJson


def _refuse_constant(_name: str) -> NoReturn:
    raise NotJson


def _distinct(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotJson
    return members


def _bounded_int(digits: str) -> int | float:
    """A number of a thousand digits is a lie to be sanitised later, not a reason to lose the answer it stands in."""
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_refuse_constant, parse_int=_bounded_int)
