"""POST /oauth2/token in the true order of operations (SUGAR.md sections 1 and 8)."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connections.simulator import texts
from connections.simulator.arguments import basic_credentials, cookie, read_arguments, text_of
from connections.simulator.entities import IdmToken, Key, Row, User
from connections.simulator.identity import exchange_refresh, mint
from connections.simulator.issue import Issue, issue_tokens, step
from connections.simulator.refusals import Refusal, invalid_client, invalid_refresh_token, invalid_request
from connections.simulator.signin import check_password
from connections.simulator.status import require_sign_in_allowed
from connections.simulator.wire import Exchange, Json, Request, Response, Step

if TYPE_CHECKING:
    from connections.simulator.instance import Instance

_GRANT = re.compile(r"authorization_code|token|password|client_credentials|refresh_token|https?://.+|urn:.+")
_SAML = "urn:ietf:params:oauth:grant-type:saml2-bearer"
_SESSION_GC = 86400  # seconds after its end that a session file is still found
_NOMAD_MINIMUM = (6, 0, 2)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the token endpoint, its arguments read."""

    instance: Instance
    request: Request
    arguments: Json
    platform: str
    language: str

    def text(self, name: str) -> str:
        return text_of(self.arguments, name)


def token(instance: Instance, request: Request) -> Exchange:
    """Grant first, maintenance and licence last: a refusal there has already burned the old token (section 0.5)."""
    call = _read(instance, request)
    _purge_expired(instance)
    grant = call.text("grant_type")
    if not _GRANT.fullmatch(grant):
        raise invalid_request("Invalid grant_type parameter or parameter missing")
    if grant == "refresh_token" and instance.parameters.idm == "modern" and not _is_local(call):
        user, payload = yield from _refresh_at_sts(call)
    else:
        key = _require_client(call)
        user, payload = yield from _grant(call, grant, key)
    yield step(instance, "check_status")
    require_sign_in_allowed(instance, user, call.platform, call.language)
    return Response.of_json(payload, headers=_cookies(call, payload))


def _read(instance: Instance, request: Request) -> Call:
    own = instance.parameters.language
    arguments = read_arguments(request, own)
    wanted = text_of(arguments, "current_language")
    language = own if not wanted or own == "raw" or instance.parameters.force_language else wanted
    call = Call(instance, request, arguments, text_of(arguments, "platform") or "base", language)
    _refuse_outdated(call)
    instance.require_platform(call.platform, language)
    refusal = texts.say(texts.CLIENT_NOT_ALLOWED, language)
    instance.require_user_agent(call.platform, request.headers.get("user-agent", ""), refusal)
    return call


def _refuse_outdated(call: Call) -> None:
    """433 only for the old mobile application."""
    about = call.arguments.get("client_info")
    app = about.get("app") if isinstance(about, dict) else None
    if not isinstance(app, dict) or app.get("name") != "nomad":
        return
    version = tuple(int(part) for part in re.findall(r"\d+", str(app.get("version", "")))[:3])
    if version < _NOMAD_MINIMUM:
        raise Refusal(433, "client_outdated", texts.say(texts.CLIENT_OUTDATED, call.language))


def _purge_expired(instance: Instance) -> None:
    """1 call in 10: why an expired token is sometimes "expired" and sometimes "Invalid refresh token"."""
    if instance.random.random() >= instance.parameters.cleanup_probability:
        return
    now = instance.seconds()
    instance.tables.drop_rows([row for row in instance.tables.rows.values() if row.expire < now])
    instance.forget_sessions(before=now - _SESSION_GC)


def _require_client(call: Call) -> Key:
    """`sugar` has no secret and refuses one; a key must be OAuth 2 and of the user's kind."""
    basic = basic_credentials(call.request)
    name, secret = basic if basic is not None else (call.text("client_id"), call.text("client_secret"))
    if not name:
        raise invalid_client("Client id was not found in the headers or body")
    key = call.instance.tables.key_named(name)
    if key is None and name == "sugar":
        key = call.instance.key("sugar")
    wanted = "support_portal" if call.platform == "portal" else "user"
    if key is None or key.oauth_type != "oauth2" or key.secret != secret:
        raise invalid_client()
    if key.client_type != wanted and key.c_key != "sugar":
        raise invalid_client()
    return key


def _grant(call: Call, grant: str, key: Key) -> Generator[Step, None, tuple[User, Json]]:
    if grant == "refresh_token":
        presented, user = _require_row(call, key)
    elif grant == "password":
        presented, user = None, _require_password(call)
    elif grant == _SAML:
        raise Refusal(400, "invalid_grant")  # no identity provider stands behind the simulator
    else:
        raise Refusal(400, "unsupported_grant_type")
    if call.text("scope"):
        raise Refusal(400, "invalid_scope", "An unsupported scope was requested.")
    if call.instance.parameters.idm == "modern" and user.kind == "regular":
        yield step(call.instance, "create_session")
        pair = mint(call.instance, user, call.platform, family=call.instance.new_uuid())
        return user, _sts_answer(call.instance, pair, call.instance.parameters.refresh_token_lifetime)
    issue = Issue(
        user=user,
        key=key,
        platform=call.platform,
        presented=presented,
        rotates=call.request.rotates,
        session_id=_session_cookie(call),
    )
    payload, _ = yield from issue_tokens(call.instance, issue)
    return user, payload


def _session_cookie(call: Call) -> str:
    """setAccessToken reads a PHPSESSID cookie (12 and later): a client that keeps cookies gets its old token again."""
    return cookie(call.request, "PHPSESSID") if call.instance.parameters.reads_session_cookie else ""


def _require_password(call: Call) -> User:
    name, password = call.text("username"), call.text("password")
    if call.platform == "portal" and not name:
        raise Refusal(400, "invalid_grant")
    if not name or not password:
        raise invalid_request('Missing parameters. "username" and "password" required')
    return check_password(call.instance, name, password, call.platform, call.language)


def _presented(call: Call) -> str:
    presented = call.text("refresh_token")
    if not presented:
        raise invalid_request('No "refresh_token" parameter found')
    return presented


def _require_row(call: Call, key: Key) -> tuple[Row, User]:
    """The validity test of section 2: row, client, active user, expiry. The platform is not compared."""
    tables = call.instance.tables
    row = tables.rows.get(_presented(call))
    owner = tables.users.get(row.user) if row is not None else None
    if row is None or row.key != key.id or owner is None or not owner.can_use_tokens:
        raise invalid_refresh_token()
    now = call.instance.seconds()
    if row.expire < now:
        raise Refusal(400, "invalid_grant", f"Refresh token has expired: {row.expire} vs {now}")
    return row, owner


def _is_local(call: Call) -> bool:
    """The server asks whether the token is a UUID: portal users keep local rows in IDM mode."""
    return bool(re.fullmatch(r"[0-9a-fA-F-]{36}", call.text("refresh_token")))


def _refresh_at_sts(call: Call) -> Generator[Step, None, tuple[User, Json]]:
    """Handled before the client check: client id and secret are ignored (section 6)."""
    presented = _presented(call)
    yield step(call.instance, "ask_sts")
    pair = exchange_refresh(call.instance, presented, call.platform)
    user = call.instance.tables.users[pair.user]
    # refresh_expires_in is time()+lifetime after an IDM refresh: a bug of the server (section 0.6)
    return user, _sts_answer(call.instance, pair, pair.refresh_expires)


def _sts_answer(instance: Instance, pair: IdmToken, refresh_expires_in: int) -> Json:
    return {
        "access_token": pair.access,
        "expires_in": instance.parameters.access_token_lifetime,
        "token_type": "bearer",
        "scope": None,
        "refresh_token": pair.refresh,
        "refresh_expires_in": refresh_expires_in,
        "download_token": pair.access,
    }


def _cookies(call: Call, payload: Json) -> tuple[tuple[str, str], ...]:
    value = f"download_token_{call.platform}={payload['download_token']}; path=/; httponly"
    return (("Set-Cookie", value), ("Cache-Control", "no-store"))
