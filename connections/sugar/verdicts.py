"""What an answer means: by endpoint, grant, HTTP status and `error` first, by its text last (SUGAR.md sections 3, 7).

The first row that fits counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connections.choices import AttemptKind, Endpoint, Fault
from connections.sugar.texts import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the rows look at. `grant` None: not a grant."""

    endpoint: Endpoint
    grant: AttemptKind | None
    status: int
    error: str
    texts: frozenset[Text]
    has_login_url: bool
    is_token_sent: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A pattern; an empty column fits everything. `is_definite` False: Sugar answered, yet the outcome is open."""

    fault: Fault | None
    endpoint: Endpoint | None = None
    grant: AttemptKind | None = None
    status: int | None = None
    error: str | None = None
    text: Text | None = None
    has_login_url: bool | None = None
    is_token_sent: bool | None = None
    is_definite: bool = True

    def fits(self, case: Case) -> bool:
        return (
            self.endpoint in (None, case.endpoint)
            and self.grant in (None, case.grant)
            and self.status in (None, case.status)
            and self.error in (None, case.error)
            and (self.text is None or self.text in case.texts)
            and self.has_login_url in (None, case.has_login_url)
            and self.is_token_sent in (None, case.is_token_sent)
        )


TOKEN, PREFLIGHT, API = Endpoint.TOKEN, Endpoint.PREFLIGHT, Endpoint.API
REFRESH, PASSWORD = AttemptKind.REFRESH, AttemptKind.PASSWORD

ANYWHERE = (
    Row(Fault.VERSION_UNSUPPORTED, error="incorrect_version"),
    Row(Fault.USER_AGENT_BLOCKED, error="client_not_allowed"),
    Row(Fault.USER_AGENT_BLOCKED, error="client_outdated"),
    Row(Fault.USER_AGENT_BLOCKED, status=433),
    Row(Fault.LICENSE, error="license_seats_needed"),
    Row(Fault.LICENSE, error="admin_only"),
    Row(Fault.MAINTENANCE, error="maintenance"),
    Row(Fault.USER_UNSUITABLE, error="portal_not_configured"),
    Row(Fault.USER_UNSUITABLE, error="inactive_portal_user"),
    Row(Fault.IDENTITY_REJECTED, error="idm_nonrecoverable_error"),
    Row(Fault.PLATFORM_NOT_REGISTERED, status=422, error="invalid_parameter"),
    Row(Fault.PLATFORM_NOT_REGISTERED, status=422, text=Text.PLATFORM),
)

AT_PREFLIGHT = (
    Row(Fault.MAINTENANCE, PREFLIGHT, status=401, text=Text.MAINTENANCE),
    Row(Fault.LICENSE, PREFLIGHT, status=401, text=Text.LICENSE),
    # Asked without a token, so this refusal says that version, platform, client and system status are fine.
    Row(None, PREFLIGHT, status=401),
    # No such route: Sugar speaks, and the platform was looked at before the route.
    Row(None, PREFLIGHT, status=404),
    Row(Fault.ACCESS_DENIED, PREFLIGHT, status=403),
)

AT_TOKEN = (
    Row(Fault.CLIENT_INVALID, TOKEN, error="invalid_client"),
    # SugarIdentity cannot reach its token service: a 400 then says nothing about the token (SUGAR.md section 8).
    Row(Fault.IDENTITY_UNAVAILABLE, TOKEN, status=400, text=Text.STS_AWAY, is_definite=False),
    Row(Fault.REFRESH_TOKEN_EXPIRED, TOKEN, REFRESH, error="invalid_grant", text=Text.EXPIRED),
    Row(Fault.REFRESH_TOKEN_INVALID, TOKEN, REFRESH, error="invalid_grant"),
    Row(Fault.CREDENTIALS_REFUSED, TOKEN, PASSWORD, error="invalid_grant"),
    Row(Fault.UNKNOWN, TOKEN, error="invalid_request", text=Text.OUR_REQUEST),
    # SugarIdentity's words for a dead refresh token (SUGAR.md section 0.6); one that ran out was nobody else's doing.
    Row(Fault.REFRESH_TOKEN_EXPIRED, TOKEN, REFRESH, error="invalid_request", text=Text.EXPIRED),
    Row(Fault.REFRESH_TOKEN_INVALID, TOKEN, REFRESH, error="invalid_request", text=Text.ANY),
    Row(Fault.MAINTENANCE, TOKEN, error="need_login", text=Text.MAINTENANCE),
    Row(Fault.LICENSE, TOKEN, error="need_login", text=Text.LICENSE),
    Row(Fault.LOCKED_OUT, TOKEN, PASSWORD, error="need_login", text=Text.LOCKOUT),
    Row(Fault.USER_UNSUITABLE, TOKEN, PASSWORD, error="need_login", text=Text.USER_KIND),
    Row(Fault.SSO_REQUIRED, TOKEN, PASSWORD, error="need_login", has_login_url=True),
    Row(Fault.CREDENTIALS_REFUSED, TOKEN, PASSWORD, error="need_login"),
    Row(Fault.REFRESH_TOKEN_INVALID, TOKEN, REFRESH, error="need_login", text=Text.NO_LOGIN),
    # A refresh checks no login before it has rotated; what is thrown after that is the system's status in a language
    # we do not know (SUGAR.md section 0.5).
    Row(Fault.MAINTENANCE, TOKEN, REFRESH, error="need_login"),
    Row(Fault.MAINTENANCE, TOKEN, status=403, text=Text.MAINTENANCE),
    Row(Fault.LICENSE, TOKEN, status=403, text=Text.LICENSE),
    Row(Fault.ACCESS_DENIED, TOKEN, status=403),
    Row(Fault.VERSION_UNSUPPORTED, TOKEN, status=404),
)

AT_API = (
    Row(Fault.MAINTENANCE, API, error="need_login", text=Text.MAINTENANCE),
    Row(Fault.LICENSE, API, error="need_login", text=Text.LICENSE),
    Row(Fault.HEADER_STRIPPED, API, status=401, error="need_login", is_token_sent=True),
    Row(Fault.IDENTITY_REJECTED, API, status=401, error="invalid_grant", text=Text.SERVICE_ACCOUNT),
    Row(Fault.ACCESS_TOKEN_EXPIRED, API, status=401, error="invalid_grant", text=Text.EXPIRED),
    Row(Fault.SESSION_REJECTED, API, status=401, error="invalid_grant", text=Text.SESSION),
    Row(Fault.ACCESS_TOKEN_INVALID, API, status=401, error="invalid_grant"),
    Row(Fault.ACCESS_TOKEN_INVALID, API, status=401, error="invalid_token"),
    Row(Fault.ACCESS_DENIED, API, status=403),
)

ROWS = ANYWHERE + AT_PREFLIGHT + AT_TOKEN + AT_API

KNOWN_ERRORS = frozenset(row.error for row in ROWS if row.error) | {"unsupported_grant_type", "invalid_scope"}

# What nobody but Sugar says without a token; `need_login` is its usual word.
OWN_ERRORS = frozenset(row.error for row in ANYWHERE if row.error) | {"need_login"}

IN_FRONT = frozenset({401, 403, 406, 407, 451})
NOWHERE = frozenset({404, 405, 410})


def judge(case: Case) -> tuple[Fault | None, bool]:
    """Fault and definiteness of an answer in Sugar's own JSON with an `error`."""
    if case.status == 429:
        return Fault.RATE_LIMITED, False
    row = _first(ROWS, case)
    if case.status >= 500:  # never proof of "not processed", even where the error is known
        is_known = row is not None and row.fault in (Fault.MAINTENANCE, Fault.LICENSE)
        return (row.fault if row is not None and is_known else Fault.SERVER_ERROR), False
    return (row.fault, row.is_definite) if row is not None else (Fault.UNKNOWN, True)


def judge_foreign(status: int, *, is_html: bool, has_location: bool) -> Fault:
    """Fault of an answer that is not Sugar's JSON: something in front of Sugar, or instead of it."""
    if status == 429:
        return Fault.RATE_LIMITED
    if status >= 500:
        return Fault.SERVER_ERROR
    if status in IN_FRONT:
        return Fault.FIREWALL_BLOCKED
    if status in NOWHERE or (200 <= status < 300 and is_html):
        return Fault.NOT_SUGAR
    if 300 <= status < 400 and has_location:
        return Fault.MOVED
    return Fault.BAD_RESPONSE


def _first(rows: Iterable[Row], case: Case) -> Row | None:
    return next((row for row in rows if row.fits(case)), None)
