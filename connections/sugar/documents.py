"""What the good answers of single endpoints hold."""

from __future__ import annotations

from dataclasses import replace

from connections.choices import Fault
from connections.sugar.answers import Answer, Reading, UserInfo
from connections.sugar.wire import Json

WORD_CHARACTERS = 255


def pong(reading: Reading) -> Answer:
    """Good only for Sugar's own word: a cache or a portal in front also answers 200."""
    if reading.answer.is_good and reading.document != "pong":
        return _bad(reading.answer)
    return reading.answer


def me(reading: Reading) -> Answer:
    if not reading.answer.is_good:
        return reading.answer
    user = _member(reading.document, "current_user")
    if not _word(user, "id"):
        return _bad(reading.answer)
    return replace(
        reading.answer,
        user=UserInfo(
            id=_word(user, "id"),
            user_name=_word(user, "user_name"),
            is_admin=_word(user, "type") == "admin",
            is_password_expired=_member_is(user, "is_password_expired"),
        ),
    )


def server_info(reading: Reading) -> Answer:
    return _with_version(reading.answer, _member(reading.document, "server_info"))


def legacy_server_info(reading: Reading) -> Answer:
    return _with_version(reading.answer, reading.document if isinstance(reading.document, dict) else {})


def password_check(reading: Reading) -> Answer:
    if not reading.answer.is_good:
        return reading.answer
    valid = reading.document.get("valid") if isinstance(reading.document, dict) else None
    return replace(reading.answer, is_password_valid=valid) if isinstance(valid, bool) else _bad(reading.answer)


def rest_version(reading: Reading, rest_path: str) -> Answer:
    """The refusal of version 99 is the good answer: its text names the versions that are spoken."""
    answer = reading.answer
    if answer.fault == Fault.VERSION_UNSUPPORTED:
        return replace(answer, fault=None, rest_path=rest_path)
    return _bad(answer) if answer.is_good and answer.status == 200 else answer


def public_metadata(reading: Reading) -> Answer:
    if not reading.answer.is_good:
        return reading.answer
    config = _member(reading.document, "config")
    if not config:
        return _bad(reading.answer)
    is_idm = _member_is(config, "idmModeEnabled")
    return replace(reading.answer, is_idm=is_idm, is_external_login=is_idm or _member_is(config, "externalLogin"))


def _with_version(answer: Answer, document: dict[str, Json]) -> Answer:
    if not answer.is_good:
        return answer
    version = _word(document, "version")
    if not version:
        return _bad(answer)
    return replace(answer, server_version=version, server_flavor=_word(document, "flavor"))


def _bad(answer: Answer) -> Answer:
    return replace(answer, fault=Fault.BAD_RESPONSE, is_definite=False)


def _member(document: Json, name: str) -> dict[str, Json]:
    value = document.get(name) if isinstance(document, dict) else None
    return value if isinstance(value, dict) else {}


def _member_is(document: dict[str, Json], name: str) -> bool:
    """PHP says true as true, 1 or "1"."""
    return document.get(name) in (True, 1, "1", "true")


def _word(document: dict[str, Json], name: str) -> str:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return "".join(char for char in str(value) if char.isprintable())[:WORD_CHARACTERS]
