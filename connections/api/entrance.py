"""The way in, the same for every call: key, rate, scope, query, body; one function; an answer or a problem."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from connections.api import denials, idempotency
from connections.api.keys import Key, authenticate
from connections.api.problems import (
    NoSuchThing,
    Refusal,
    ScopeMissing,
    TooFast,
    WrongMethod,
    as_response,
    refusal_of,
    unforeseen,
)
from connections.api.rate import buckets
from connections.api.reading import Field, Param, read_body, read_bytes, read_query
from connections.choices import Scope
from connections.custody import wire
from connections.custody.audit import Actor
from connections.models.fields import CROCKFORD

JSON = "application/json"
CONNECTION_ID = re.compile(rf"c_[{CROCKFORD}]{{10}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request whose key, scope and shape are in order."""

    request: HttpRequest
    key: Key
    public_id: str
    query: Mapping[str, Any]
    body: Mapping[str, Any]

    @property
    def tenants(self) -> frozenset[int] | None:
        return self.key.tenants

    @property
    def actor(self) -> Actor:
        return actor_of(self.request, self.key)


def actor_of(request: HttpRequest, key: Key) -> Actor:
    address = request.META.get("REMOTE_ADDR") or None
    return Actor(kind="key", name=key.name, address=address, key=key.prefix)


View = Callable[[Call], HttpResponse]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One call of the contract: what it needs, what it takes, what it answers. Tests and docs are made from this.

    `scope`: None for what anybody may read. `deed`: what the audit calls it; empty: as the call itself.
    `answers`: status → (sentence, name of the schema, "" for no body).
    """

    method: str
    path: str
    name: str
    view: View
    scope: Scope | None
    summary: str
    description: str = ""
    query: tuple[Param, ...] = ()
    fields: tuple[Field, ...] = ()
    takes_body: bool = False
    is_idempotent: bool = False
    deed: str = ""
    answers: Mapping[int, tuple[str, str]]


class Entrance:
    """Everything that can be done at one address."""

    csrf_exempt = True
    login_required = False

    def __init__(self, *routes: Route) -> None:
        self.routes = {route.method: route for route in routes}
        if "GET" in self.routes:
            self.routes["HEAD"] = self.routes["GET"]
        self.allowed = ", ".join(sorted([*self.routes, "OPTIONS"]))

    def __call__(self, request: HttpRequest, public_id: str = "") -> HttpResponse:
        try:
            response = self._answer(request, public_id)
        except Exception as error:  # the outermost loop: whatever happens, the caller gets a problem document
            response = _explained(request, error, public_id)
        if request.method == "HEAD":
            response.headers["Content-Length"] = str(len(response.content))
            response.content = b""  # the server would send it
        return response

    def _answer(self, request: HttpRequest, public_id: str) -> HttpResponse:
        if request.method == "OPTIONS":
            return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"Allow": self.allowed})
        route = self.routes.get(request.method or "")
        if route is not None and route.scope is None:
            return route.view(Call(request=request, key=NOBODY, public_id="", query={}, body={}))
        key = authenticate(request)
        rate = settings.SUGARADMIN.key_rate
        seconds = buckets.take(key.pk, rate)
        if seconds:
            raise TooFast(seconds, rate)
        if route is None:
            raise WrongMethod(self.allowed)
        if route.scope not in key.scopes:
            _note_denied(route, actor_of(request, key), public_id)
            raise ScopeMissing(str(route.scope))
        if public_id and not CONNECTION_ID.fullmatch(public_id):
            raise NoSuchThing
        query = read_query(request, route.query)
        if not route.takes_body:
            return route.view(Call(request=request, key=key, public_id=public_id, query=query, body={}))
        return _change(request, route, key, public_id, query)


def _change(request: HttpRequest, route: Route, key: Key, public_id: str, query: Mapping[str, Any]) -> HttpResponse:
    body = read_bytes(request)
    given = read_body(body, route.fields)
    call = Call(request=request, key=key, public_id=public_id, query=query, body=given)

    def carry_out() -> HttpResponse:
        # The instance may be slow to answer, or its name to resolve: until then the database is free for others.
        wire.release_database()
        try:
            return route.view(call)
        except Exception as error:
            refusal = refusal_of(error, public_id)
            if refusal is None:
                raise
            if refusal.status == HTTPStatus.NOT_FOUND:
                _note_denied(route, call.actor, public_id)
            return as_response(refusal)

    return idempotency.once(request, key, body, carry_out) if route.is_idempotent else carry_out()


def _note_denied(route: Route, actor: Actor, public_id: str) -> None:
    denials.note(route.method, actor, route.deed or route.name, public_id)


def _explained(request: HttpRequest, error: Exception, public_id: str) -> HttpResponse:
    refusal: Refusal | None = refusal_of(error, public_id)
    return unforeseen(request, error) if refusal is None else as_response(refusal)


def answer(shown: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    return HttpResponse(
        json.dumps(shown, ensure_ascii=False).encode(), status=status, content_type=JSON, headers=headers
    )


def nothing_here(request: HttpRequest, rest: str = "") -> HttpResponse:
    return as_response(NoSuchThing("There is no such address; /api/docs lists them all."))


nothing_here.login_required = False  # type: ignore[attr-defined]
nothing_here.csrf_exempt = True  # type: ignore[attr-defined]
NOBODY = Key(
    pk=0, prefix="", name="", scopes=frozenset(), tenants=frozenset(), secret_hash="", looked_up=0.0, used_at=None,
    is_use_due=False,
)  # fmt: skip
