"""Every call of the contract, once: urls, checks, OpenAPI document, docs page and tests are made from this table."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from connections.api.entrance import Route, View
from connections.api.reading import (
    Field,
    Param,
    anything,
    cursor,
    is_flag,
    is_seconds,
    is_text,
    is_whole,
    name,
    number,
    text,
    whole,
    words,
)
from connections.api.views import actions, connections, events, tokens
from connections.choices import Scope, Status
from connections.models.fields import CROCKFORD

# -- query parameters ----------------------------------------------------------------------------------------

SECONDS = {"type": "number", "minimum": 0}
MIN_TTL = Param(
    name="min_ttl",
    schema=SECONDS | {"default": 60},
    read=number(tokens.MOST_MIN_TTL),
    default=60.0,
    description="Seconds the token must still live; more than half its lifetime counts as half.",
)
WAIT = Param(
    name="wait",
    schema=SECONDS | {"default": 10},
    read=number(tokens.MOST_WAIT),
    default=10.0,
    description="Seconds to wait for a refresh, where one is needed; more than 30 counts as 30.",
)
LIMIT = Param(
    name="limit",
    schema={"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    read=whole(1, 200),
    default=50,
    description="Items on a page.",
)
SAYING = {"type": "string", "minLength": 1}
FILTERS = (
    Param(
        name="status",
        schema={"type": "string", "examples": ["down,dying"]},
        read=words(Status.values),
        description=f"One or several, separated by commas: {', '.join(Status.values)}.",
    ),
    Param(name="tenant", schema=SAYING, read=name(63), description="Slug of a tenant."),
    Param(name="tag", schema=SAYING, read=name(50), description="Only connections with this tag."),
    Param(
        name="q",
        schema={"type": "string"},
        read=text(200),
        description="Words to find in label, id, external id, host or user; empty: no search.",
    ),
    Param(name="external_id", schema=SAYING, read=name(200), description="Your own id of the connection."),
)


def _after(shape: str) -> Param:
    return Param(name="after", schema={"type": "string"}, read=cursor(shape), description="`next` of the page before.")


# -- fields of a body ----------------------------------------------------------------------------------------

STRING = {"type": "string"}
SECRET = STRING | {"writeOnly": True}
FLAG = {"type": "boolean"}
VERSION = {"type": "integer", "minimum": 1}

# What a connection is described by; onboarding checks the values, with sentences of its own.
DESCRIPTION = (
    Field(name="label", schema=STRING, description="What people call it."),
    Field(name="instance_url", schema=STRING, description="Address of the Sugar instance, as people paste it."),
    Field(name="platform", schema=STRING, description="The API platform that the customer's admin registered for us."),
    Field(name="username", schema=STRING),
    Field(name="password", schema=SECRET, description="Not needed where a chain is adopted by `refresh_token`."),
    Field(name="client_id", schema=STRING | {"default": "sugar"}),
    Field(name="client_secret", schema=SECRET),
    Field(name="ca_pem", schema=STRING, description="Own certificate authority of the instance, PEM."),
    Field(name="refresh_token", schema=SECRET, description="Adopts an existing chain: the first grant is a refresh."),
    Field(name="external_id", schema=STRING, description="Your own id, unique per tenant."),
    Field(name="contact_name", schema=STRING),
    Field(name="contact_email", schema=STRING | {"format": "email"}),
    Field(name="store_password", schema=FLAG | {"default": True}, description="False: used once, then forgotten."),
    Field(name="tags", schema={"type": "array", "items": STRING}),
    Field(name="allow_shared_platform", schema=FLAG | {"default": False}, description="Accept a built-in platform."),
    Field(
        name="server_seconds",
        schema={"type": "integer", "minimum": 0, "maximum": 3600},
        description="How long the server may still work on a request we gave up on.",
    ),
)
NEEDED = ("label", "instance_url", "platform", "username")
CREATION = (
    Field(name="tenant", schema=STRING, check=is_text, is_required=True, description="Slug; an unknown one is made."),
    *(replace(item, is_required=item.name in NEEDED) for item in DESCRIPTION),
    Field(
        name="sign_in", schema=FLAG | {"default": False}, check=is_flag, description="Sign in before this is answered."
    ),
)
REPORT = (
    Field(
        name="version",
        schema=VERSION,
        check=is_whole(1),
        is_required=True,
        description="The version whose token Sugar rejected.",
    ),
    Field(name="status", schema={"type": "integer"}, check=anything, description="Status of Sugar's answer."),
    Field(name="error", schema=STRING, check=anything, description="`error` of Sugar's answer."),
    Field(name="error_message", schema=STRING, check=anything, description="`error_message` of Sugar's answer."),
    Field(name="wait", schema=SECONDS, check=is_seconds),
)
ONLY_VERSION = (
    Field(
        name="version", schema=VERSION, check=is_whole(1), description="Do nothing if the version is no longer this."
    ),
)
ONCE_PASSWORD = Field(name="password", schema=SECRET, check=is_text, description="Used once, not stored.")

# -- the calls -----------------------------------------------------------------------------------------------

ONE = "connections/{id}"
HANDED_OUT = {200: ("A living token.", "Token")}
CONNECTION_CURSOR = rf"c_[{CROCKFORD}]{{10}}"
EVENT_CURSOR = r"[0-9]{1,18}"
REPORTED = {
    200: ("Done, or unchanged because the version had moved on.", "ActionReport"),
    202: ("Not over after 30 seconds; it goes on.", "ActionReport"),
}


def _action(
    name: str,
    view: View,
    summary: str,
    *,
    fields: tuple[Field, ...] = (),
    answers: dict[int, tuple[str, str]] | None = None,
) -> Route:
    return Route(
        method="POST",
        path=f"{ONE}/{name}",
        name=name.replace("-", "_"),
        view=view,
        scope=Scope.CONNECTIONS_WRITE,
        summary=summary,
        fields=fields,
        takes_body=True,
        is_idempotent=True,
        answers=answers or {200: ("The connection as it is now.", "Connection")},
    )


ROUTES: tuple[Route, ...] = (
    # First, because it is asked for most: addresses are tried in this order.
    Route(
        method="GET",
        path=f"{ONE}/token",
        name="token",
        view=tokens.show,
        scope=Scope.TOKEN_READ,
        summary="Fetch a living access token",
        description="Send it to `api_url` in the header named by `header`. With `If-None-Match` the answer is 304 "
        "while the version you have is still good.",
        query=(MIN_TTL, WAIT),
        answers=HANDED_OUT | {304: ("The version you have is still good.", "")},
    ),
    Route(
        method="POST",
        path=f"{ONE}/token/rejected",
        name="rejected",
        view=tokens.rejected,
        scope=Scope.TOKEN_READ,
        summary="Report that Sugar rejected a token",
        description="Evidence, not an order: at most one ping and one refresh, however many report it. "
        "`verified` is true when Sugar still accepts the token.",
        query=(WAIT,),
        fields=REPORT,
        takes_body=True,
        answers=HANDED_OUT,
    ),
    Route(
        method="GET",
        path="connections",
        name="list_connections",
        view=connections.index,
        scope=Scope.CONNECTIONS_READ,
        summary="List connections",
        query=(*FILTERS, _after(CONNECTION_CURSOR), LIMIT),
        answers={200: ("One page; `next` is null on the last.", "ConnectionPage")},
    ),
    Route(
        method="POST",
        path="connections",
        name="create_connection",
        deed="create",
        view=connections.create,
        scope=Scope.CONNECTIONS_WRITE,
        summary="Create a connection",
        fields=CREATION,
        takes_body=True,
        is_idempotent=True,
        answers={
            HTTPStatus.CREATED: ("Stored; `status` and `diagnosis` tell what a sign-in came to.", "Connection"),
            HTTPStatus.ACCEPTED: ("Stored; the sign-in is not over after 30 seconds and goes on.", "Connection"),
        },
    ),
    Route(
        method="GET",
        path=ONE,
        name="show_connection",
        view=connections.show,
        scope=Scope.CONNECTIONS_READ,
        summary="Show a connection",
        answers={200: ("The connection.", "Connection")},
    ),
    Route(
        method="PATCH",
        path=ONE,
        name="edit_connection",
        deed="edit",
        view=connections.change,
        scope=Scope.CONNECTIONS_WRITE,
        summary="Change a connection",
        description="Another instance, user, platform or client id starts a new chain and needs the password again; "
        "another scheme, host, port or `ca_pem` wipes every secret.",
        fields=DESCRIPTION,
        takes_body=True,
        answers={200: ("The connection as it is now.", "Connection")},
    ),
    Route(
        method="DELETE",
        path=ONE,
        name="delete_connection",
        deed="delete",
        view=connections.delete,
        scope=Scope.CONNECTIONS_WRITE,
        summary="Delete a connection",
        description="Wipes its secrets and logs the session out at Sugar. Its history stays.",
        takes_body=True,
        answers={204: ("Deleted.", "")},
    ),
    _action(
        "test",
        actions.test,
        "Look at the instance with the current access token; only GETs",
        answers={200: ("What was asked, and the answers.", "TestReport")},
    ),
    _action("rotate", actions.rotate, "Refresh now", fields=ONLY_VERSION, answers=REPORTED),
    _action(
        "sign-in",
        actions.sign_in,
        "Sign in now; ends every other session of this user and platform",
        fields=(*ONLY_VERSION, ONCE_PASSWORD),
        answers=REPORTED,
    ),
    _action("repair", actions.repair, "Run the resolve ladder, and report each rung", answers=REPORTED),
    _action("pause", actions.pause, "No refreshes for workers; the chain is kept alive"),
    _action("resume", actions.resume, "End a pause or a hold"),
    _action("hold", actions.hold, "Nothing leaves, nothing is handed out"),
    Route(
        method="GET",
        path=f"{ONE}/events",
        name="connection_events",
        view=events.of_connection,
        scope=Scope.EVENTS_READ,
        summary="History of a connection, oldest first",
        query=(_after(EVENT_CURSOR), LIMIT),
        answers={200: ("One page; `next` is always there, so that a reader can tail.", "EventPage")},
    ),
    Route(
        method="GET",
        path="events",
        name="events",
        view=events.index,
        scope=Scope.EVENTS_READ,
        summary="History of everything this key may see, oldest first",
        query=(_after(EVENT_CURSOR), LIMIT),
        answers={200: ("One page; `next` is always there, so that a reader can tail.", "EventPage")},
    ),
)
