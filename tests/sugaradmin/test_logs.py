"""Log lines: allowed fields, one line each, no secret."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from sugaradmin.logs import REDACTED, JsonLines, Text, logging_config, redact, request_id

Told = Callable[[], list[dict[str, str]]]
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def line(message: str, *args: object, **extra: object) -> dict[str, object]:
    record = logging.getLogger("test").makeRecord("test", logging.INFO, "f", 1, message, args, None, extra=extra)
    written = JsonLines().format(record)
    assert "\n" not in written
    parsed: dict[str, object] = json.loads(written)
    return parsed


def test_a_line_carries_the_sentence_and_the_allowed_fields_alone() -> None:
    written = line("Refreshed %s.", "c_1", action="refresh", connection="c_1", ms=12, body="never", token="never")
    assert written["event"] == "Refreshed c_1."
    assert (written["action"], written["connection"], written["ms"]) == ("refresh", "c_1", 12)
    assert "never" not in json.dumps(written)


def test_a_line_names_its_request() -> None:
    token = request_id.set("r_1")
    try:
        assert line("x")["request_id"] == "r_1"
    finally:
        request_id.reset(token)


def test_a_line_break_in_a_value_starts_no_new_line() -> None:
    assert line("a\nb", code="x\ny")["event"] == "a\nb"


@pytest.mark.parametrize(
    "text",
    [
        f"token {UUID}",
        f"token {UUID.upper()}",
        '{"access_token": "canary1", "x": 1}',
        "{'refresh_token': 'canary1'}",
        "grant_type=password&password=canary1&platform=x",
        "client_secret=canary1",
        "Authorization: Bearer canary1-canary1",
        "'OAuth-Token': 'canary1'",
        "OAuth-Token canary1canary1",
        "key sga_abc_canary1",
        "v1:k1:canary1:canary1==",
        "eyJcanary1.eyJcanary1.canary1",
        "GET https://host/rest?sid=canary1 failed",
        "postgresql://user:canary1@host/db",
        "Not Found: /r/canary1",
        "Not Found: /s/canary1/x",
        "Not Found: //R/can ary1 canary1",
        "Not Found: /sign-in/link/x canary1/",
        "Method Not Allowed (OPTIONS): /sign-in/link/canary1/",
        "https://admin.example/sign-in/link/canary1/",
        "Not Found: /r/l_0123456789canary1",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str) -> None:
    cleaned = redact(text)
    assert REDACTED in cleaned
    assert "canary1" not in cleaned
    assert UUID not in cleaned.lower()


@pytest.mark.parametrize(
    "text",
    [
        "Refreshed c_7f3k9q2mvx to version 20.", "code=timeout", "https://host/rest/v11_20/",
        "Not Found: /r/l_0123456789/done/x", "Not Found: /sign-in/link/",
    ],
)  # fmt: skip
def test_an_ordinary_sentence_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("formatter", [JsonLines(), Text()])
def test_a_traceback_loses_its_secrets_too(formatter: logging.Formatter) -> None:
    try:
        raise ValueError(f"bad token {UUID}")
    except ValueError:
        record = logging.getLogger("test").makeRecord("test", logging.ERROR, "f", 1, "x", (), sys.exc_info())
    written = formatter.format(record)
    assert "ValueError" in written
    assert UUID not in written


@pytest.fixture
def told() -> Iterator[Told]:
    """The lines that are written meanwhile, as a server writes them."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    logging.getLogger("django").addHandler(handler)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logging.getLogger("django").removeHandler(handler)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/sign-in/link/{}/", "/sign-in/link/{}/x", "/sign-in/link/{}", "/r/{}", "/s/{}/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_no_refusal_of_any_kind_tells_what_opens_a_link(told: Told, path: str, method: str) -> None:
    token = "canary1" * 6
    Client(enforce_csrf_checks=True).generic(method, path.format(token))
    assert "canary1" not in json.dumps(told())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere/", 404), ("OPTIONS", "/healthz", 405), ("POST", "/sign-in/", 403), ("PUT", "/sign-in/", 413)],
)
def test_the_line_of_every_refused_request_names_it(told: Told, method: str, path: str, status: int) -> None:
    length = {"CONTENT_LENGTH": str(300 * 1024 * 1024)} if status == 413 else {}
    answer = Client(enforce_csrf_checks=True).generic(method, path, headers={"X-Request-Id": "seen-1"}, **length)
    assert answer.status_code == status
    assert [line["request_id"] for line in told()] == ["seen-1"]
    assert request_id.get() == "", "nor does it name the next one"


def test_who_is_told_to_come_again_is_no_error(told: Told) -> None:
    logger = logging.getLogger("django.request")
    for status in (500, 503):
        record = logger.makeRecord(
            logger.name, logging.ERROR, "f", 1, "%s", (status,), None, extra={"status_code": status}
        )
        logger.handle(record)
    assert [(line["event"], line["level"]) for line in told()] == [("500", "error"), ("503", "warning")]


def test_libraries_that_write_addresses_stay_quiet_at_any_level() -> None:
    config = logging_config(level="DEBUG", format_name="json")
    assert {config["loggers"][name]["level"] for name in ("httpx", "httpcore", "psycopg")} == {"WARNING"}
