"""What an attempt sent, written anew from the journal with fingerprints where secrets were; and the same for curl.

Nothing that was sent is kept. What Sugar is sent is decided by the kind of the attempt alone, so it can be told.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from connections.choices import GRANT_KINDS, AttemptKind, AttemptState, Rung, Trigger
from connections.custody.wire import USER_AGENT
from connections.dashboard import queries
from connections.models import Attempt, Connection, TokenVersion

PREFLIGHT = "ping/whattimeisit"
LANGUAGE = "en_us"  # whoever reads the answers, knows the English ones best
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Stands where a secret stood: `shown` to people, `variable` for a shell that knows it."""

    shown: str
    variable: str


Value = str | Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request. `is_grant`: sending it again is a deed, and would take the session from us."""

    method: str
    url: str
    headers: tuple[tuple[str, Value], ...]
    form: tuple[tuple[str, Value], ...] = ()
    is_grant: bool = False

    @property
    def text(self) -> str:
        """As it went over the wire, the form one field to a line."""
        parts = urlsplit(self.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        lines = [f"{self.method} {path} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {_shown(value)}" for name, value in self.headers]
        lines += [f"Content-Type: {FORM}", ""] if self.form else []
        return "\n".join([*lines, *(f"{name}={_shown(value)}" for name, value in self.form)])

    @property
    def curl(self) -> str:
        words = ["curl --include", *(f"--header {_quoted(f'{name}: ', value)}" for name, value in self.headers)]
        words += [f"--data-urlencode {_quoted(f'{name}=', value)}" for name, value in self.form]
        return " \\\n  ".join([*words, shlex.quote(self.url)])


def _shown(value: Value) -> str:
    return f"[{value.shown}]" if isinstance(value, Secret) else value


def _quoted(before: str, value: Value) -> str:
    return f'"{before}${value.variable}"' if isinstance(value, Secret) else shlex.quote(before + value)


def exchanges(row: Connection, attempt: Attempt) -> list[Exchange]:
    """What left for this attempt, in order; what was seen before a grant that was not sent."""
    if attempt.kind in GRANT_KINDS:
        was_sent = attempt.sent_at is not None and attempt.state != AttemptState.ABANDONED
        return [_grant(row, attempt)] if was_sent else list(_looked(row, attempt))
    if attempt.kind == AttemptKind.TEST:
        return list(_test(row, attempt))
    return [] if attempt.trigger == Trigger.REPORT else [_ask(row, attempt, "ping")]


def _looked(row: Connection, attempt: Attempt) -> Iterator[Exchange]:
    if attempt.preflight_status or attempt.preflight_fault:
        yield _look(row, attempt)


def _test(row: Connection, attempt: Attempt) -> Iterator[Exchange]:
    asked = {check.get("name") for check in attempt.report.get("checks", []) if check.get("status")}
    if "instance" in asked:
        yield _look(row, attempt)
    if "token" in asked:
        yield _ask(row, attempt, "ping")
    if "user" in asked:
        yield _ask(row, attempt, "me")


def _look(row: Connection, attempt: Attempt) -> Exchange:
    query = urlencode({"platform": _platform(row, attempt)})
    return Exchange(method="GET", url=f"{_root(row, attempt)}/{PREFLIGHT}?{query}", headers=_headers())


def _ask(row: Connection, attempt: Attempt, path: str) -> Exchange:
    version = _base(row, attempt)
    token = _secret("access_token", version.fingerprint if version else "")
    return Exchange(method="GET", url=f"{_root(row, attempt)}/{path}", headers=(*_headers(), ("OAuth-Token", token)))


def _grant(row: Connection, attempt: Attempt) -> Exchange:
    form: tuple[tuple[str, Value], ...]
    if attempt.kind == AttemptKind.REFRESH:
        form = (("grant_type", "refresh_token"), ("refresh_token", _presented(row, attempt)))
    else:
        form = (
            ("grant_type", "password"), ("username", _username(row, attempt)), ("password", _secret("password")),
        )  # fmt: skip
    return Exchange(
        method="POST",
        url=f"{_root(row, attempt)}/oauth2/token",
        headers=_headers(),
        form=(
            *form, *_client(row, attempt), ("platform", _platform(row, attempt)), ("current_language", LANGUAGE),
        ),
        is_grant=True,
    )  # fmt: skip


def _client(row: Connection, attempt: Attempt) -> tuple[tuple[str, Value], ...]:
    """After an edit nobody knows any more which OAuth client it was."""
    if not _is_unchanged(row, attempt):
        return ("client_id", _secret("client_id")), ("client_secret", _secret("client_secret"))
    return ("client_id", row.client_id), (
        "client_secret",
        "" if row.client_secret is None else _secret("client_secret"),
    )


def _presented(row: Connection, attempt: Attempt) -> Secret:
    """The refresh token of the version it began at; that of a kept answer belongs to no version yet."""
    version = None if attempt.rung == Rung.CANDIDATE else _base(row, attempt)
    return _secret("refresh_token", version.refresh_fingerprint if version else "")


def _base(row: Connection, attempt: Attempt) -> TokenVersion | None:
    return queries.versions_of(row).filter(number=attempt.base_version).first() if attempt.base_version else None


def _secret(name: str, fingerprint: str = "") -> Secret:
    return Secret(shown=f"{name} {fingerprint}".strip(), variable=name.upper())


def _headers() -> tuple[tuple[str, Value], ...]:
    return (("Accept", "application/json"), ("User-Agent", USER_AGENT))


def _root(row: Connection, attempt: Attempt) -> str:
    return f"{attempt.instance_url}/{row.rest_path}"


def _is_unchanged(row: Connection, attempt: Attempt) -> bool:
    """Only of this generation is it known how its words were spelled; before, the journal has them in small letters."""
    return attempt.generation == row.generation


def _username(row: Connection, attempt: Attempt) -> str:
    return row.username if _is_unchanged(row, attempt) else attempt.username_key


def _platform(row: Connection, attempt: Attempt) -> str:
    return row.platform if _is_unchanged(row, attempt) else attempt.platform_key
