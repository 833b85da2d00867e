"""From path to answer: version, platform, user agent, route, status, login, in this order (SUGAR.md section 4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connections.simulator import texts
from connections.simulator.arguments import read_arguments, text_of
from connections.simulator.handlers import METADATA_HASH, find_route
from connections.simulator.refusals import Refusal
from connections.simulator.sessions import Caller, authenticate
from connections.simulator.status import need_login, require_happy_system
from connections.simulator.token import token
from connections.simulator.wire import Exchange, Json, Request, Response

if TYPE_CHECKING:
    from connections.simulator.instance import Instance

_IN_PATH = re.compile(r"v(\d\d)(?:_(\d{1,2}))?")
_IN_ACCEPT = re.compile(r"application/vnd\.sugarcrm\.core\+json;\s*version=(\d\d)(?:\.(\d{1,2}))?")


def rest(instance: Instance, request: Request, path: str) -> Exchange:
    """Answer `path`, which is what follows `/rest/`."""
    try:
        route = _without_version(instance, request, path)
        if request.method == "POST" and route == "oauth2/token":
            return (yield from token(instance, request))
        return (yield from _api(instance, request, route))
    except Refusal as refusal:
        return refusal.response()


def route_of(path: str) -> str:
    """The route without its version, for the journal."""
    first, _, rest_of_path = path.strip("/").partition("/")
    return rest_of_path if re.match(r"v\d", first) else path.strip("/")


def _without_version(instance: Instance, request: Request, path: str) -> str:
    """301 without a Location header when the version does not fit (section 3)."""
    first, _, route = path.strip("/").partition("/")
    in_accept = _IN_ACCEPT.search(request.headers.get("accept", ""))
    if not re.match(r"v\d", first):
        if in_accept is None:
            raise Refusal(301, "incorrect_version", "No version provided in the request.")
        _require_version(instance, in_accept)
        return path.strip("/")
    if in_accept is not None:
        raise Refusal(301, "incorrect_version", "Version must be provided in the url or in the header, not both.")
    in_path = _IN_PATH.fullmatch(first)
    if in_path is None:
        raise Refusal(301, "incorrect_version", "Invalid url version format.")
    _require_version(instance, in_path)
    return route


def _require_version(instance: Instance, found: re.Match[str]) -> None:
    highest = instance.parameters.rest_max
    asked = (int(found[1]), int(found[2] or 0))
    major, _, minor = highest.partition(".")
    if (10, 0) <= asked <= (int(major), int(minor or 0)):
        return
    text = f"Please change your requested API version to value between 10 and {highest}."
    if not minor:
        text = f"Please change your url to reflect version between 10 and {highest}."
    raise Refusal(301, "incorrect_version", text)


def _api(instance: Instance, request: Request, path: str) -> Exchange:
    language = instance.parameters.language
    arguments = read_arguments(request, language)
    caller = authenticate(instance, request, arguments)
    platform = caller.platform or text_of(arguments, "platform") or "base"
    instance.require_platform(platform, language)  # the session's platform too, on every request
    refusal = texts.say(texts.CLIENT_NOT_ALLOWED, language)
    instance.require_user_agent(platform, request.headers.get("user-agent", ""), refusal)
    route = find_route(request.method, path)
    if not route.ignores_status or (route.name == "ping" and instance.parameters.ping_shows_status):
        require_happy_system(instance, caller.user, language)
    if route.needs_login:
        _require_login(instance, caller, platform, language)
        _require_fresh_metadata(request, language)
    return (yield from route.answer(instance, caller, arguments, route.values))


def _require_login(instance: Instance, caller: Caller, platform: str, language: str) -> None:
    if caller.error is not None:
        raise caller.error
    if caller.user is None:
        raise need_login(instance, texts.NO_AUTHENTICATION, platform, language)


def _require_fresh_metadata(request: Request, language: str) -> None:
    sent = request.headers.get("x-metadata-hash")
    if sent is not None and sent != METADATA_HASH:
        extra: Json = {"metadata_hash": METADATA_HASH, "user_hash": METADATA_HASH}
        raise Refusal(412, "metadata_out_of_date", texts.say(texts.METADATA_OUT_OF_DATE, language), **extra)


def get_server_info(instance: Instance, request: Request) -> Response:
    """The legacy API: version and flavor without a session (section 4, probe 5)."""
    arguments = read_arguments(request)
    if text_of(arguments, "method") != "get_server_info":
        return Response.of_json({"name": "Invalid Session ID", "number": 11, "description": "The session is invalid"})
    gmt = instance.iso_time().replace("T", " ")[:19]
    version, flavor = instance.parameters.version, instance.parameters.flavor
    return Response.of_json({"flavor": flavor, "version": version, "gmt_time": gmt})
