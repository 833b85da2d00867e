"""One answer of a Sugar server, parsed strictly and classified. Pure: bytes in, an Answer out."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from connections.choices import AttemptKind, Endpoint, Fault
from connections.egress import Timings
from connections.sugar import texts, verdicts
from connections.sugar.tokens import BadToken, TokenSet, read_tokens
from connections.sugar.wire import Json, NotJson, parse, parse_cut_object

RETRY_AFTER_MAX = 86_400
_ERROR = re.compile(r"[a-z0-9_.-]{1,64}")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,60}")
_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]{1,253})(:[0-9]{1,5})?(?=[/?#]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInfo:
    """Who `GET me` says the token belongs to."""

    id: str
    user_name: str
    is_admin: bool
    is_password_expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, or why nothing did. `fault` None: good.

    `is_sent`: a byte of the request may have reached the server. `is_definite`: Sugar's own JSON says what happened;
    False for every timeout, reset, 5xx, page, cut or unreadable body. `is_candidate`: `tokens` come from a body whose
    end is missing; they are worth keeping and prove nothing. Texts are untrusted, capped, without secrets.
    """

    endpoint: Endpoint
    fault: Fault | None
    status: int | None = None
    error: str = ""
    error_message: str = ""
    detail: str = ""  # our own sentence on what the network did
    external_login_host: str = ""
    moved_to: str = ""  # scheme, host and port that a redirect points at
    tokens: TokenSet | None = field(default=None, repr=False)
    is_sent: bool = True
    is_definite: bool = False
    is_candidate: bool = False
    lockout_minutes: int | None = None
    retry_after: int | None = None
    server_version: str = ""
    server_flavor: str = ""
    rest_max: str = ""
    rest_path: str = ""
    is_idm: bool | None = None
    is_external_login: bool | None = None
    is_password_valid: bool | None = None
    user: UserInfo | None = None
    body_length: int = 0
    content_type: str = ""
    clock_skew_seconds: int | None = None  # the server's clock minus ours
    certificate_ends: int | None = None  # seconds since 1970
    timings: Timings = field(default_factory=Timings)

    @property
    def is_good(self) -> bool:
        return self.fault is None

    @property
    def is_sugars(self) -> bool:
        """Sugar's own word, be it good or bad: no page, portal or other program says it."""
        return self.error in verdicts.OWN_ERRORS

    @property
    def is_kept_back(self) -> bool:
        """Our own pacing let it not out in time: that says nothing about the host."""
        return self.fault == Fault.RATE_LIMITED and not self.is_sent and self.status is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An Answer, and the JSON it was read from, which goes no further than `sugar`."""

    answer: Answer
    document: Json = field(default=None, repr=False)


def classify(
    endpoint: Endpoint,
    grant: AttemptKind | None,
    status: int,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    *,
    cut: Fault | None = None,
    is_token_sent: bool = False,
    now_epoch: float | None = None,
    secrets: Iterable[str] = (),
) -> Answer:
    """Read one answer; never raises. See `read` for the parameters."""
    return read(
        endpoint,
        grant,
        status,
        headers,
        body,
        cut=cut,
        is_token_sent=is_token_sent,
        now_epoch=now_epoch,
        secrets=secrets,
    ).answer


def fault_told(status: int | None, error: str, message: str) -> Fault | None:
    """What somebody else says that Sugar answered to his access token, read like an answer to ours."""
    case = verdicts.Case(
        endpoint=Endpoint.API,
        grant=None,
        status=status or 0,
        error=error.lower(),
        texts=texts.recognise(message),
        has_login_url=False,
        is_token_sent=True,
    )
    return verdicts.judge(case)[0]


def read(
    endpoint: Endpoint,
    grant: AttemptKind | None,
    status: int,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    *,
    cut: Fault | None = None,
    is_token_sent: bool = False,
    now_epoch: float | None = None,
    secrets: Iterable[str] = (),
) -> Reading:
    """Read one answer; never raises.

    `cut`: what ended the body early (timeout or connection_lost), None if it is whole. `now_epoch`: our wall clock.
    `secrets`: what we sent and must not read back in an error text.
    """
    server_epoch = _date(headers)
    blank = Answer(
        endpoint=endpoint,
        fault=cut or Fault.BAD_RESPONSE,
        status=status,
        retry_after=_retry_after(_header(headers, "retry-after"), server_epoch or now_epoch),
        body_length=len(body),
        content_type=_media_type(_header(headers, "content-type")),
        clock_skew_seconds=_skew(server_epoch, now_epoch),
    )
    try:
        document = parse(body) if cut is None else None
        is_json = cut is None
    except NotJson:
        document, is_json = None, False
    clock = server_epoch if server_epoch is not None else now_epoch
    if grant is not None and status == 200:
        return Reading(answer=_read_grant(blank, document, body, is_json=is_json, clock=clock))
    if cut is not None:
        return Reading(answer=blank)
    if isinstance(document, dict) and _error_of(document):
        return Reading(answer=_read_error(blank, grant, document, is_token_sent, tuple(secrets)))
    if 200 <= status < 300 and endpoint != Endpoint.TOKEN and (is_json or (status == 204 and not body)):
        return Reading(answer=replace(blank, fault=None, is_definite=True), document=document)
    return Reading(answer=_read_foreign(blank, headers, body))


def _read_grant(blank: Answer, document: Json, body: bytes, *, is_json: bool, clock: float | None) -> Answer:
    """A 200 from the token endpoint: a version, a candidate, or nothing that could be believed."""
    if not is_json:
        candidate = _candidate(body, clock)
        if candidate is not None:
            return replace(blank, tokens=candidate, is_candidate=True)
        is_page = blank.fault == Fault.BAD_RESPONSE and _is_html(blank.content_type, body)
        return replace(blank, fault=Fault.NOT_SUGAR) if is_page else blank
    if not isinstance(document, dict) or _error_of(document):
        return blank
    try:
        return replace(blank, fault=None, tokens=read_tokens(document, now_epoch=clock), is_definite=True)
    except BadToken:
        return blank


def _candidate(body: bytes, clock: float | None) -> TokenSet | None:
    """Tokens of a body whose end is missing, if both strings are complete; less is worth nothing."""
    members = parse_cut_object(body)
    if members is None or not members.get("refresh_token") or _error_of(members):
        return None
    try:
        return read_tokens(members, now_epoch=clock)
    except BadToken:
        return None


def _read_error(
    blank: Answer, grant: AttemptKind | None, document: dict[str, Json], is_token_sent: bool, secrets: tuple[str, ...]
) -> Answer:
    message = document.get("error_message")
    message = message if isinstance(message, str) else ""
    url = document.get("url")
    url = url if isinstance(url, str) else ""
    error = _error_of(document)
    case = verdicts.Case(
        endpoint=blank.endpoint,
        grant=grant,
        status=blank.status or 0,
        error=error,
        texts=texts.recognise(message),
        has_login_url=bool(url),
        is_token_sent=is_token_sent,
    )
    fault, is_definite = verdicts.judge(case)
    return replace(
        blank,
        fault=fault,
        error=_shown_error(error, secrets),
        error_message=texts.shown(message, secrets=secrets),
        external_login_host=_origin_of(url)[1],
        is_definite=is_definite,
        lockout_minutes=texts.lockout_minutes(message) if fault == Fault.LOCKED_OUT else None,
        rest_max=_rest_max(message[: texts.READ_CHARACTERS]) if fault == Fault.VERSION_UNSUPPORTED else "",
    )


def _read_foreign(blank: Answer, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
    location = _header(headers, "location")
    fault = verdicts.judge_foreign(
        blank.status or 0, is_html=_is_html(blank.content_type, body), has_location=bool(location)
    )
    return replace(blank, fault=fault, moved_to=_origin_of(location)[0] if fault == Fault.MOVED else "")


def _error_of(document: dict[str, Json]) -> str:
    """Sugar's error code; empty where there is none that Sugar could have written."""
    error = document.get("error")
    return error.lower() if isinstance(error, str) and _ERROR.fullmatch(error.lower()) else ""


def _shown_error(error: str, secrets: tuple[str, ...]) -> str:
    """A code of Sugar's own is shown whatever the password is; of others, none that echoes what we sent."""
    is_echo = any(len(secret) >= texts.HIDDEN_FROM and secret.lower() in error for secret in secrets)
    return "" if is_echo and error not in verdicts.KNOWN_ERRORS else error


def _origin_of(url: str) -> tuple[str, str]:
    """(scheme://host[:port], host) of a stranger's URL; empty where it is odd."""
    match = _ORIGIN.match(url)
    return (match[0].lower(), match[2].lower()) if match else ("", "")


def _rest_max(message: str) -> str:
    """The highest version in "between 10 and 11.23", in any language; the 99 we may have asked for is none."""
    found = [number for number in re.findall(r"(?<![\d.])\d{2}(?:\.\d{1,2})?(?![\d.]*\d)", message) if number != "99"]
    return max(found, key=lambda number: tuple(map(int, number.split("."))), default="")


def _is_html(content_type: str, body: bytes) -> bool:
    return "html" in content_type or body.lstrip()[:1] == b"<"


def _header(headers: Sequence[tuple[str, str]], name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


def _media_type(value: str) -> str:
    media_type = value.split(";")[0].strip().lower()
    return media_type if _MEDIA_TYPE.fullmatch(media_type) else ""


def _date(headers: Sequence[tuple[str, str]]) -> float | None:
    return _http_date(_header(headers, "date"))


def _http_date(value: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _skew(server_epoch: float | None, now_epoch: float | None) -> int | None:
    """A `Date` header has lost its fraction: half a second is put back, else every server would seem late."""
    return None if server_epoch is None or now_epoch is None else round(server_epoch + 0.5 - now_epoch)


def _retry_after(value: str, now_epoch: float | None) -> int | None:
    """Seconds from now, at most a day; both forms of the header."""
    if re.fullmatch(r"[0-9]{1,9}", value.strip()):
        return min(int(value), RETRY_AFTER_MAX)
    moment = _http_date(value)
    if moment is None or now_epoch is None:
        return None
    return max(0, min(round(moment - now_epoch), RETRY_AFTER_MAX))
