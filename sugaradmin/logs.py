"""Log lines: one JSON object each (text for a person at a terminal), fields from an allow-list, secrets taken out.

The allow-list is the guard; redaction is the net under it, for texts that a library or an exception wrote.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")
REQUEST_ID = "SUGARADMIN_REQUEST_ID"  # in the META of the request

FIELDS = (
    "action", "connection", "attempt", "version", "job", "actor", "ms", "outcome", "code", "status", "count", "pid",
    "part",
)  # fmt: skip
REDACTED = "[redacted]"
SERVERS = ("serve", "demo")
SECRETS = (
    # A name that says secret, in JSON, a form body, a query, a header or a repr; then its value.
    (
        re.compile(
            r"""(?ix) ( (?:access|refresh|download)_?token | client_secret | password | passwd | secret_key
            | encryption_keys | fingerprint_key | authorization | oauth-token | set-cookie | cookie | api_?key )
            (["']?\s*[:=]\s*["']?) ( (?:bearer|basic)\s+ )? [^\s"'&,;}\]]+"""
        ),
        rf"\1\2{REDACTED}",
    ),
    (re.compile(r"(?i)\b(bearer|basic|oauth-token)[\s:]+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {REDACTED}"),
    (re.compile(r"\bsga_\w+"), REDACTED),
    # A customer's link, a guide, a link for one use: Django names the path of what it refuses, however mangled. The
    # public id of a customer's link opens nothing.
    (re.compile(r"""(?i)(/(?:[rs]|sign-in/link)/)(?!l_[0-9a-z]{10}(?![\w-]))[^\n"']+"""), rf"\1{REDACTED}"),
    (re.compile(r"\bv1:[\w.-]+:[\w+/=-]+:[\w+/=-]+"), REDACTED),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"), REDACTED),
    # Sugar's tokens are UUIDs; nothing that we log by intention is one.
    (re.compile(r"(?i)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), REDACTED),
    # Whatever follows a question mark in an address, and a password before its @.
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s?#\"']*)\?[^\s\"']*"), r"\1?" + REDACTED),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@\"']+@"), rf"\1{REDACTED}@"),
)


def redact(text: str) -> str:
    """The text without anything that looks like a secret."""
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text


class JsonLines(logging.Formatter):
    """One line, one object: ts, level, logger, event, then the allowed fields that the call gave."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_line(record, self), ensure_ascii=False, default=str)


class Text(logging.Formatter):
    """The same for eyes: time, level, sentence, fields; a traceback below."""

    def format(self, record: logging.LogRecord) -> str:
        line = _line(record, self)
        head = f"{line.pop('ts')[11:19]} {line.pop('level'):7} {line.pop('event')}"
        trace = line.pop("trace", "")
        line.pop("logger")
        tail = " ".join(f"{name}={value}" for name, value in line.items())
        return "\n".join(part for part in (f"{head}  {tail}".rstrip(), trace) if part)


def _line(record: logging.LogRecord, formatter: logging.Formatter) -> dict[str, Any]:
    line: dict[str, Any] = {
        "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": redact(record.getMessage()),
    }
    for name in FIELDS:
        value = getattr(record, name, None)
        if value is not None:
            line[name] = value if isinstance(value, int | float) else redact(str(value))
    if name := request_id.get() or _of_request(record):
        line["request_id"] = name
    if record.exc_info:
        line["trace"] = redact(formatter.formatException(record.exc_info))
    return line


def _of_request(record: logging.LogRecord) -> str:
    """Django writes of an answer when all middleware is through with it; the record still has the request."""
    meta: dict[str, Any] = getattr(getattr(record, "request", None), "META", {})
    return str(meta.get(REQUEST_ID, ""))


class Transient(logging.Filter):
    """A 503 is said on purpose: an instance that does not answer, a database that is away. What is at fault has a line
    or an event of its own; each caller who is told to come again is no error of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status_code", 0) == HTTPStatus.SERVICE_UNAVAILABLE and record.exc_info is None:
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def logging_config(*, level: str, format_name: str = "auto") -> dict[str, Any]:
    """`auto` is text at a terminal and JSON elsewhere. Servers log to standard output; a command's output is what it
    was asked for, so that programs can read it, and its log goes to standard error."""
    stream = "stdout" if not sys.argv[1:] or sys.argv[1] in SERVERS else "stderr"
    text = format_name == "text" or (format_name == "auto" and getattr(sys, stream).isatty())
    quiet = {"level": "WARNING"}
    of_django = level if level != "DEBUG" else "INFO"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"{__name__}.{'Text' if text else 'JsonLines'}"}},
        "filters": {"transient": {"()": f"{__name__}.Transient"}},
        "handlers": {"line": {"class": "logging.StreamHandler", "stream": f"ext://sys.{stream}", "formatter": "line"}},
        "root": {"handlers": ["line"], "level": level},
        "loggers": {
            # Django brings handlers of its own, which know nothing of redaction.
            "django": {"handlers": [], "level": of_django, "propagate": True},
            "django.request": {"filters": ["transient"], "level": of_django},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            # Both tell of every process and task; what went wrong they say louder.
            "django-q": {"handlers": [], "level": "INFO" if level == "DEBUG" else "WARNING", "propagate": True},
            "gunicorn.error": {"level": "INFO" if level == "DEBUG" else "WARNING", "propagate": True},
            # They write whole addresses and headers at lower levels.
            "httpx": quiet,
            "httpcore": quiet,
            "psycopg": quiet,
            "psycopg.pool": quiet,
            "asyncio": quiet,
        },
    }
