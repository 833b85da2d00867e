"""The routes of the REST API that a keeper of connections meets (SUGAR.md sections 2 and 4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connections.simulator import texts
from connections.simulator.arguments import text_of
from connections.simulator.issue import Issue, issue_tokens
from connections.simulator.pages import HELP_PAGE
from connections.simulator.refusals import Refusal
from connections.simulator.sessions import Caller
from connections.simulator.wire import Exchange, Json, Response, Step

if TYPE_CHECKING:
    from connections.simulator.entities import User
    from connections.simulator.instance import Instance

Answer = Callable[["Instance", Caller, Json, tuple[str, ...]], Exchange]
Plain = Callable[["Instance", Caller, Json], Response]

METADATA_HASH = "8b6d3f7d6f8d4d0f9a1c"
_MODULES = ("Accounts", "Contacts", "Leads", "Opportunities")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    name: str
    answer: Answer
    needs_login: bool = True
    ignores_status: bool = False
    values: tuple[str, ...] = ()


def find_route(method: str, path: str) -> Route:
    """The route, or 404 no_method."""
    words = tuple(word for word in path.split("/") if word)
    if method == "POST" and len(words) == 3 and words[:2] == ("oauth2", "sudo"):
        return Route(name="sudo", answer=_sudo, values=words[2:])
    if method == "GET" and len(words) == 1 and words[0] in _MODULES:
        return Route(name="list", answer=_plain(_records))
    route = _ROUTES.get((method, "/".join(words)))
    if route is None:
        raise Refusal(404, "no_method", f"Could not find a route with {len(words)} elements")
    return route


def _plain(answer: Plain) -> Answer:
    """A route that answers in one step."""

    def run(instance: Instance, caller: Caller, arguments: Json, values: tuple[str, ...]) -> Exchange:
        yield from ()
        return answer(instance, caller, arguments)

    return run


def _signed_in(caller: Caller) -> User:
    if caller.user is None:
        raise RuntimeError("a route that needs a login was reached without one")
    return caller.user


def _ping(instance: Instance, caller: Caller, arguments: Json) -> Response:
    return Response.of_json("pong")


def _what_time_is_it(instance: Instance, caller: Caller, arguments: Json) -> Response:
    return Response.of_json(instance.iso_time())


def _me(instance: Instance, caller: Caller, arguments: Json) -> Response:
    """An expired password is no error for the API; it only shows here. Not in IDM."""
    user = _signed_in(caller)
    current: Json = {
        "type": "admin" if user.admin else "user",
        "id": user.id,
        "user_name": user.name,
        "full_name": user.name,
        "preferences": {"timezone": "UTC", "datepref": "Y-m-d", "timepref": "H:i", "language": "en_us"},
        "is_password_expired": False,
    }
    if user.password_expired and instance.parameters.idm == "off":
        message = texts.say(texts.PASSWORD_EXPIRED, instance.parameters.language)
        current |= {"is_password_expired": True, "password_expired_message": message}
    return Response.of_json({"current_user": current})


def _verify_password(instance: Instance, caller: Caller, arguments: Json) -> Response:
    """Compares the local hash only, so it says nothing where SugarIdentity keeps the password (section 6)."""
    user = _signed_in(caller)
    is_local = instance.parameters.idm == "off"
    return Response.of_json({"valid": is_local and text_of(arguments, "password_to_verify") == user.password})


def _server_info(instance: Instance, caller: Caller, arguments: Json) -> Response:
    version = instance.parameters.version
    about: Json = {
        "flavor": instance.parameters.flavor,
        "version": version,
        "build": "2024",
        "marketing_version": f"{version} (simulated)",
        "product_name": "Sugar Enterprise",
        "licenses": ["SUGAR_SERVE", "SUGAR_SELL"],
        "portal_active": instance.parameters.portal_configured,
        "host_environment": "cloud" if instance.parameters.idm == "modern" else "onpremise",
        "host_designation": "production",
    }
    return Response.of_json({"server_info": about, "_hash": METADATA_HASH})


def _public_metadata(instance: Instance, caller: Caller, arguments: Json) -> Response:
    """Says whether SugarIdentity or another external sign-in is in charge; no server_info."""
    parameters = instance.parameters
    config: Json = {"idmModeEnabled": parameters.idm != "off", "maxQueryResult": 20}
    if parameters.idm != "off":
        config |= {"stsUrl": "https://sts.service.sugarcrm.example", "tenant": parameters.tenant}
    elif parameters.external_login_url:
        config |= {"externalLogin": True, "externalLoginUrl": parameters.external_login_url}
    return Response.of_json({"config": config, "_hash": "2f1c0a"})


def _records(instance: Instance, caller: Caller, arguments: Json) -> Response:
    return Response.of_json({"next_offset": -1, "records": []})


def _help(instance: Instance, caller: Caller, arguments: Json) -> Response:
    return Response.of_html(HELP_PAGE)


def _logout(instance: Instance, caller: Caller, arguments: Json) -> Response:
    """With `refresh_token` that row goes, anybody's. Without: up to 8.0 the sibling row survives (section 2, d)."""
    tables = instance.tables
    given = text_of(arguments, "refresh_token")
    if given:
        tables.drop_row(given)
    elif instance.parameters.logout_deletes_row and caller.session is not None and caller.session.row_id:
        tables.drop_row(caller.session.row_id)
    instance.sessions.pop(caller.token, None)
    if caller.token in instance.idm:
        instance.idm[caller.token].active = False
    return Response.of_json({"success": True})


def _sudo(instance: Instance, caller: Caller, arguments: Json, values: tuple[str, ...]) -> Exchange:
    """Inserts a row for the target, which evicts the target's own, then deletes its own again (section 2)."""
    language = instance.parameters.language
    if not _signed_in(caller).admin or (caller.session is not None and caller.session.sudo):
        raise Refusal(403, "not_authorized", texts.say(texts.NOT_AUTHORIZED, language))
    target = instance.tables.user_named(values[0])
    if target is None:
        raise Refusal(404, "not_found", texts.say(texts.NOT_FOUND, language))
    platform = text_of(arguments, "platform", "base")
    instance.require_platform(platform, language)
    key = instance.tables.key_named(text_of(arguments, "client_id", "sugar")) or instance.key("sugar")
    issue = Issue(user=target, key=key, platform=platform, is_sudo=True)
    payload, row = yield from issue_tokens(instance, issue)
    yield Step("delete_presented")
    if not instance.parameters.sudo_keeps_row:
        instance.tables.drop_row(row.id)
        payload = {k: v for k, v in payload.items() if not k.startswith("refresh_")}
    return Response.of_json(payload)


_ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "ping"): Route(name="ping", answer=_plain(_ping), ignores_status=True),
    ("GET", "ping/whattimeisit"): Route(name="whattimeisit", answer=_plain(_what_time_is_it)),
    ("GET", "me"): Route(name="me", answer=_plain(_me)),
    ("POST", "me/password"): Route(name="me/password", answer=_plain(_verify_password)),
    ("GET", "metadata"): Route(name="metadata", answer=_plain(_server_info)),
    ("GET", "metadata/public"): Route(
        name="metadata/public", answer=_plain(_public_metadata), needs_login=False, ignores_status=True
    ),
    ("GET", "help"): Route(name="help", answer=_plain(_help), needs_login=False, ignores_status=True),
    ("POST", "oauth2/logout"): Route(name="logout", answer=_plain(_logout), ignores_status=True),
}
