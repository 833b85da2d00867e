"""Switches that make an instance, its proxy or the network misbehave, for a count of requests or until cleared.

Three families: in front (Sugar never sees the request), around (what Sugar sees is altered), behind (Sugar has done its
work, the answer suffers). A lost answer is therefore always a rotation that the client does not learn of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from connections.simulator.pages import ERROR_PAGE, LOGIN_PAGE, WAF_PAGE, cut_place
from connections.simulator.wire import Json, Request, Response

ENDPOINTS = ("any", "token", "api", "legacy", "page")
GRANTS = ("any", "refresh", "password")


@dataclass(slots=True, kw_only=True)
class Switch:
    """One fault. `count` None: until cleared. `options` belong to the kind, see the tables below."""

    kind: str
    endpoint: str = "any"
    grant: str = "any"
    path: str = ""  # only requests whose route starts with this, such as ping/whattimeisit
    count: int | None = None
    options: Json = field(default_factory=dict)
    number: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown chaos {self.kind!r}: one of {', '.join(sorted(KINDS))}")
        if self.endpoint not in ENDPOINTS or self.grant not in GRANTS:
            raise ValueError("endpoint or grant unknown")

    def matches(self, endpoint: str, grant: str, route: str) -> bool:
        if self.endpoint not in ("any", endpoint) or not route.startswith(self.path):
            return False
        return self.grant == "any" or self.grant == grant

    def text(self, name: str, default: str) -> str:
        return str(self.options.get(name, default))

    def number_of(self, name: str, default: float) -> float:
        return float(str(self.options.get(name, default)))

    def whole(self, name: str, default: int) -> int:
        return int(self.number_of(name, default))


class Chaos:
    """The switches of one instance, in the order in which they were set."""

    def __init__(self) -> None:
        self.switches: list[Switch] = []
        self._last = 0

    def set(
        self,
        kind: str,
        *,
        endpoint: str = "any",
        grant: str = "any",
        path: str = "",
        count: int | None = None,
        **options: object,
    ) -> Switch:
        self._last += 1
        switch = Switch(
            kind=kind, endpoint=endpoint, grant=grant, path=path, count=count, options=options, number=self._last
        )
        _rehearse(switch)
        self.switches.append(switch)
        return switch

    def clear(self, kind: str | None = None) -> None:
        self.switches = [switch for switch in self.switches if kind is not None and switch.kind != kind]

    def take(self, endpoint: str, grant: str, route: str) -> list[Switch]:
        """The switches that act on this request; each counts down."""
        taken = [switch for switch in self.switches if switch.matches(endpoint, grant, route)]
        for switch in taken:
            if switch.count is not None:
                switch.count -= 1
        self.switches = [switch for switch in self.switches if switch.count is None or switch.count > 0]
        return taken


def _rehearse(switch: Switch) -> None:
    """Fail where the switch is set, not where it strikes."""
    sample = Response.of_json({"access_token": "a", "refresh_token": "r", "expires_in": 3600})
    try:
        instead([switch])
        suffered(sample, [switch])
        seconds_before([switch])
    except (LookupError, ValueError) as exc:
        raise ValueError(f"bad options for {switch.kind}: {exc}") from exc


def seconds_before(switches: list[Switch]) -> float:
    """How long the request waits before Sugar sees it."""
    return sum(switch.number_of("seconds", 1.0) for switch in switches if switch.kind == "slow_before")


def instead(switches: list[Switch]) -> Response | None:
    """The answer of whoever stands in front of Sugar, if one of them answers."""
    for switch in switches:
        answer = _IN_FRONT.get(switch.kind)
        if answer is not None:
            return answer(switch)
    return None


def altered(request: Request, switches: list[Switch]) -> Request:
    """The request as it reaches Sugar."""
    for switch in switches:
        if switch.kind == "strip_auth":
            kept = {k: v for k, v in request.headers.items() if k not in ("oauth-token", "authorization")}
            request = replace(request, headers=kept)
        if switch.kind == "same_refresh_token" or (
            switch.kind == "no_refresh_token" and not switch.options.get("rotates")
        ):
            request = replace(request, rotates=False)
    return request


def replayed(switches: list[Switch]) -> str:
    """Which of two answers a replaying proxy hands back: first, second, or empty where nothing is replayed."""
    return next((switch.text("answer", "second") for switch in switches if switch.kind == "replay"), "")


def suffered(response: Response, switches: list[Switch]) -> Response:
    """The answer after everything that happened to it on the way back."""
    for switch in switches:
        change = _BEHIND.get(switch.kind)
        if change is not None:
            response = change(switch, response)
    return response


# --- in front of Sugar


def _error_before(switch: Switch) -> Response:
    return Response.of_html(ERROR_PAGE, status=switch.whole("status", 503))


def _html(switch: Switch) -> Response:
    status = switch.whole("status", 200)
    return Response.of_html(LOGIN_PAGE if status == 200 else ERROR_PAGE, status=status)


def _redirect(switch: Switch) -> Response:
    location = switch.text("location", "https://moved.example/")
    return Response.of_html("", status=switch.whole("status", 302), headers=(("Location", location),))


def _throttle(switch: Switch) -> Response:
    wait = switch.text("retry_after", "30")
    headers = (("Retry-After", wait),) if wait else ()
    return Response.of_html("Too Many Requests", status=429, headers=headers)


def _outdated(switch: Switch) -> Response:
    message = "Your software is out of date, please update your client before attempting to connect again."
    return Response.of_json({"error": "client_outdated", "error_message": message}, status=433)


def _answer(switch: Switch) -> Response:
    """Any JSON answer, such as Sugar's own 403 not_authorized."""
    payload = switch.options.get("payload", {"error": switch.text("error", "unknown_error")})
    return Response.of_json(payload, status=switch.whole("status", 500))


_IN_FRONT: dict[str, Callable[[Switch], Response]] = {
    "drop": lambda switch: Response.undelivered("lost"),
    "reset_before": lambda switch: Response.undelivered("reset"),
    "error_before": _error_before,  # status
    "html": _html,  # status 200 (a login page), 403, 502 …
    "redirect": _redirect,  # location, status
    "throttle": _throttle,  # retry_after
    "outdated": _outdated,
    "waf": lambda switch: Response.of_html(WAF_PAGE, status=403),
    "answer": _answer,  # status, payload
}


# --- behind Sugar


def _with(response: Response, **changes: object) -> Response:
    return replace(response, delivery=replace(response.delivery, **changes))  # type: ignore[arg-type]


def _cut(switch: Switch, response: Response) -> Response:
    """Cut after `at` bytes, or at a place: after/inside + _access_token or _refresh_token."""
    place = switch.options.get("place")
    at = cut_place(response.body, str(place)) if place else switch.whole("at", 20)
    return response if at is None else _with(response, cut_at=at)


def _drip(switch: Switch, response: Response) -> Response:
    return _with(
        response,
        drip_bytes=switch.whole("bytes", 1),
        drip_seconds=switch.number_of("seconds", 0.5),
        drips_headers=switch.kind == "drip_headers",
    )


def _error_after(switch: Switch, response: Response) -> Response:
    return replace(Response.of_html(ERROR_PAGE, status=switch.whole("status", 502)), delivery=response.delivery)


def _patched(response: Response, change: Callable[[Json], object]) -> Response:
    """The same JSON answer with fields changed; other answers stay as they are."""
    if response.status != 200:
        return response
    try:
        payload = response.json()
    except ValueError:
        return response
    change(payload)
    return replace(response, body=json.dumps(payload).encode())


def _no_refresh_token(switch: Switch, response: Response) -> Response:
    return _patched(response, lambda payload: payload.pop("refresh_token", None))


def _expires_in(switch: Switch, response: Response) -> Response:
    """`value` goes into `field` (expires_in by default): 0, negative, huge, a string, an absolute epoch, null."""
    name = switch.text("field", "expires_in")
    return _patched(response, lambda payload: payload.update({name: switch.options.get("value", 0)}))


def _fields(switch: Switch, response: Response) -> Response:
    changes = switch.options.get("fields")
    return _patched(response, lambda payload: payload.update(changes if isinstance(changes, dict) else {}))


def _huge(switch: Switch, response: Response) -> Response:
    padding = b" " * max(0, switch.whole("size", 2_000_000) - len(response.body))
    return replace(response, body=padding + response.body)


def _invalid_json(switch: Switch, response: Response) -> Response:
    body = response.body
    variants: dict[str, bytes] = {
        "truncated": body[:-1],  # with a Content-Length that fits: the server itself wrote half
        "nan": re.sub(rb'"expires_in": [^,}]+', b'"expires_in": NaN', body, count=1),
        "duplicate": body[:-1] + b', "refresh_token": "duplicate", "access_token": "duplicate"}',
        "warning": b"<b>Warning</b>: Undefined variable in include/api/RestService.php<br />" + body,
        "array": b"[" + body + b"]",
        "null": b"null",
        "text": b"OK",
        "bom": b"\xef\xbb\xbf" + body,
        "bytes": b"\xff\xfe\x00" + body,
        "deep": b"[" * 100_000 + b"]" * 100_000,
    }
    return replace(response, body=variants[switch.text("variant", "truncated")])


def _body(switch: Switch, response: Response) -> Response:
    kind = switch.text("content_type", "application/json")
    text = switch.text("text", "").encode()
    status = switch.whole("status", response.status)
    return replace(response, status=status, body=text, headers=(("Content-Type", kind),))


_BEHIND: dict[str, Callable[[Switch, Response], Response]] = {
    "lost": lambda switch, response: _with(response, kind="lost"),
    "reset": lambda switch, response: _with(response, kind="reset"),
    "slow": lambda switch, response: _with(response, delay=switch.number_of("seconds", 1.0)),
    "cut": _cut,  # at | place
    "drip": _drip,  # bytes, seconds
    "drip_headers": _drip,
    "error_after": _error_after,  # status
    "no_refresh_token": _no_refresh_token,  # rotates
    "expires_in": _expires_in,  # value, field
    "fields": _fields,  # fields: {name: value}
    "huge": _huge,  # size
    "invalid_json": _invalid_json,  # variant
    "empty": lambda switch, response: replace(response, body=b""),
    "body": _body,  # text, content_type, status
    "html_after": lambda switch, response: replace(
        Response.of_html(LOGIN_PAGE, status=switch.whole("status", 200)), delivery=response.delivery
    ),
}
_AROUND = ("slow_before", "strip_auth", "replay", "same_refresh_token")

KINDS = frozenset({*_IN_FRONT, *_BEHIND, *_AROUND})
