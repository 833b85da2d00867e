"""What one HTTP request meets on its way: the network, a proxy, the web server, Sugar, and the way back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from connections.simulator import chaos, pages
from connections.simulator.arguments import read_arguments, text_of
from connections.simulator.journal import Entry
from connections.simulator.refusals import Refusal
from connections.simulator.rest import get_server_info, rest, route_of
from connections.simulator.wire import Exchange, Json, Request, Response, Step

if TYPE_CHECKING:
    from connections.simulator.instance import Instance

_GRANT_WORDS = {"refresh_token": "refresh", "password": "password"}
_REST = re.compile(r"/(?:rest|api/rest\.php)/(.*)")


def exchange(instance: Instance, request: Request) -> Exchange:
    """Yields the step that comes next; closed at a step, the server has crashed there and its rows stay as they are."""
    entry = _note(instance, request)
    switches = instance.chaos.take(entry.endpoint, entry.grant, entry.route)
    request.number = entry.number
    first, last = ("arrived", "respond") if entry.endpoint == "token" else ("api_arrived", "api_respond")
    with _counted(instance, entry):
        yield Step(first, instance.pacing.get(first, 0.0) + chaos.seconds_before(switches))
        if instance.is_blocked():
            response = Response.undelivered("lost")
        else:
            response = chaos.instead(switches) or (yield from _behind_proxy(instance, request, switches))
        yield Step(last, instance.pacing.get(last, 0.0))
        is_trusted = instance.parameters.sts_up or response.status == 200
        entry.close(response, at=instance.journal_time(), is_trusted=is_trusted)
        return response


def _behind_proxy(instance: Instance, request: Request, switches: list[chaos.Switch]) -> Exchange:
    """A replaying proxy sends the request twice: the second refresh fails, or kills what the first one made."""
    request = chaos.altered(request, switches)
    response = yield from _web_server(instance, request)
    replayed = chaos.replayed(switches)
    if replayed:
        second = yield from _web_server(instance, request)
        response = second if replayed == "second" else response
    return chaos.suffered(response, switches)


def _web_server(instance: Instance, request: Request) -> Exchange:
    """Sugar below its subfolder, `rest/` only with rewriting; all else is the web server's own 404."""
    path = _below_subfolder(instance, request.path)
    found = _REST.match(path)
    if found is not None and (path.startswith("/api/") or instance.parameters.rewrite):
        response: Response = yield from rest(instance, request, found[1])
        return response
    if path in ("", "/", "/index.php"):
        return Response.of_html(pages.LOGIN_PAGE)
    if path == "/service/v4_1/rest.php" and instance.parameters.legacy_api:
        try:
            return get_server_info(instance, request)
        except Refusal as refusal:
            return refusal.response()
    return pages.not_found()


def _below_subfolder(instance: Instance, path: str) -> str:
    """The path inside the installation; outside of it nothing is found."""
    folder = instance.parameters.subfolder
    if path == folder or path.startswith(folder + "/"):
        return path[len(folder) :]
    return "/outside"


@contextmanager
def _counted(instance: Instance, entry: Entry) -> Iterator[None]:
    """Grants in flight: rows may be more than allowed while they run."""
    weight = 1 if entry.endpoint == "token" else 0
    instance.in_flight += weight
    try:
        yield
    finally:
        instance.in_flight -= weight


def _note(instance: Instance, request: Request) -> Entry:
    path = _below_subfolder(instance, request.path)
    found = _REST.match(path)
    route = route_of(found[1]) if found is not None else ""
    is_token = request.method == "POST" and route == "oauth2/token"
    arguments: Json = _arguments(request) if is_token else dict(request.query)
    access = request.headers.get("oauth-token", "")
    user, platform = _who(instance, arguments, access)
    entry = Entry(
        number=instance.journal.next_number(),
        at=instance.journal_time(),
        instance=instance.name,
        method=request.method,
        path=request.path,
        endpoint=_endpoint(path, is_token, found is not None),
        route=route,
        grant=_GRANT_WORDS.get(text_of(arguments, "grant_type"), text_of(arguments, "grant_type")) if is_token else "",
        user=user,
        platform=platform,
        client=text_of(arguments, "client_id"),
        refresh_token=text_of(arguments, "refresh_token"),
        access_token=access,
        user_agent=request.headers.get("user-agent", ""),
        peer=request.peer,
    )
    instance.journal.add(entry)
    return entry


def _endpoint(path: str, is_token: bool, is_rest: bool) -> str:
    if is_token:
        return "token"
    if is_rest:
        return "api"
    return "legacy" if path.startswith("/service/") else "page"


def _arguments(request: Request) -> Json:
    try:
        return read_arguments(request)
    except Refusal:
        return dict(request.query)


def _who(instance: Instance, arguments: Json, access: str) -> tuple[str, str | None]:
    """Whose request this is, as far as the tables tell, and the platform that the request itself named."""
    tables = instance.tables
    platform = text_of(arguments, "platform") if "platform" in arguments else None
    refresh = text_of(arguments, "refresh_token")
    row, session = tables.rows.get(refresh), instance.sessions.get(access)
    holder = row or session or instance.idm.get(access) or instance.idm_by_refresh.get(refresh)
    user = tables.users.get(holder.user) if holder is not None else None
    return (user.name if user else text_of(arguments, "username")), platform
