"""Who is calling: the access token, and everything that can be wrong with it (SUGAR.md sections 0.1, 2 and 5)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connections.simulator.arguments import text_of
from connections.simulator.identity import introspect
from connections.simulator.issue import CHECK_EVERY
from connections.simulator.refusals import Refusal, access_token_expired, access_token_invalid, session_rejected
from connections.simulator.wire import Json, Request

if TYPE_CHECKING:
    from connections.simulator.entities import Session, User
    from connections.simulator.instance import Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The result of authentication; its error is kept until a route wants a login."""

    user: User | None = None
    platform: str = ""
    token: str = ""
    session: Session | None = None
    error: Refusal | None = None


def authenticate(instance: Instance, request: Request, arguments: Json) -> Caller:
    """Nobody, somebody, or an error to be raised later."""
    token = _token_of(instance, request, arguments)
    if not token:
        return Caller()
    try:
        return _from_sts(instance, token) or _from_session(instance, request, token)
    except Refusal as refusal:
        return Caller(token=token, error=refusal)


def _token_of(instance: Instance, request: Request, arguments: Json) -> str:
    """Section 5: header, then body, then (where allowed) query, then Bearer."""
    posted = text_of(arguments, "oauth_token") if "oauth_token" not in request.query else ""
    asked = request.query.get("oauth_token", "") if instance.parameters.allow_oauth_via_get else ""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    is_bearer = instance.parameters.bearer and scheme.lower() == "bearer"
    found = request.headers.get("oauth-token") or posted or asked or text_of(arguments, "OAuth-Token")
    return found or (bearer.strip() if is_bearer else "")


def _from_sts(instance: Instance, token: str) -> Caller | None:
    known = instance.idm.get(token)
    if known is None:
        return None
    introspect(instance, known)
    user = instance.tables.users.get(known.user)
    if user is None or not user.can_use_tokens:
        raise session_rejected(instance.parameters.language)
    return Caller(user=user, platform=known.platform, token=token)


def _from_session(instance: Instance, request: Request, token: str) -> Caller:
    """Known, not expired, sibling row alive, then the second look. Each failure but the last wipes the session."""
    session = instance.sessions.get(token)
    if session is None or session.wiped:
        raise access_token_invalid()
    if instance.seconds() > session.expires:
        session.wiped = True  # so "has expired" is said once, later calls hear "is invalid"
        raise access_token_expired()
    if not _has_row(instance, session):
        session.wiped = True
        raise access_token_invalid()
    user = instance.tables.users.get(session.user)
    if user is None or not user.can_use_tokens or not _is_at_home(instance, request, session):
        del instance.sessions[token]
        raise session_rejected(instance.parameters.language)
    return Caller(user=user, platform=session.platform, token=token, session=session)


def _has_row(instance: Instance, session: Session) -> bool:
    """7.1 never looks, 7.7 to 12 every 120 s, 13.3 and later on every request. A sudo session has no row."""
    generation, now = instance.parameters.generation, instance.seconds()
    if session.row_id is None or generation == "never":
        return True
    if generation == "120s" and now <= session.check_at:
        return True
    session.check_at = now + CHECK_EVERY
    return session.row_id in instance.tables.rows


def _is_at_home(instance: Instance, request: Request, session: Session) -> bool:
    """Same site key, and the same /24 as at the first API use, where the instance looks at addresses."""
    if session.site_key != instance.parameters.site_key:
        return False
    if not instance.parameters.verify_ip:
        return True
    address = instance.address_of(request)
    if session.ip is None:
        session.ip = address
    return _network(session.ip) == _network(address)


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    width = 24 if parsed.version == 4 else 64
    return str(ipaddress.ip_network(f"{parsed}/{width}", strict=False))
