"""The calls of django-allauth to an identity provider, sent through our own egress guard.

The guard knows no redirect, so that nobody is led past it; what comes back must be a JSON object, as all of these are.
"""

from __future__ import annotations

import json
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from connections.custody import wire
from connections.egress import EgressError, Response

DEADLINE_SECONDS = 15.0
CAP = 1_048_576
OURS = frozenset({"host", "user-agent", "accept-encoding", "connection", "content-length"})


class Guarded(BaseAdapter):
    """Raises requests.ConnectionError for whatever the guard refuses or the other side gets wrong."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        headers = [(name, _text(value)) for name, value in request.headers.items() if name.lower() not in OURS]
        content = request.body.encode() if isinstance(request.body, str) else request.body or b""
        assert isinstance(content, bytes)
        wire.release_database()
        try:
            answer = wire.egress().request(
                request.method or "GET", request.url or "",
                headers=headers, content=content, deadline=DEADLINE_SECONDS, cap=CAP,
            )  # fmt: skip
        except EgressError as refused:
            raise requests.ConnectionError(str(refused)) from None
        return _as_requests(answer, request)

    def close(self) -> None:
        """Each request has a connection of its own."""


def session() -> requests.Session:
    """One that can go nowhere but through the guard, and takes neither proxies nor passwords from the environment."""
    made = requests.Session()
    made.trust_env = False
    made.adapters.clear()
    for scheme in ("https://", "http://"):
        made.mount(scheme, Guarded())
    return made


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _as_requests(answer: Response, request: requests.PreparedRequest) -> requests.Response:
    if 300 <= answer.status < 400:
        raise requests.ConnectionError("The identity provider redirects; that is not followed.")
    try:
        is_object = isinstance(json.loads(answer.body), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise requests.ConnectionError("What the identity provider answered is not a JSON object.")
    made = requests.Response()
    made.status_code, made.url, made.request = answer.status, request.url or "", request
    made.headers = CaseInsensitiveDict(answer.headers)
    made.headers["Content-Type"] = "application/json"
    made._content, made.encoding = answer.body, "utf-8"
    made._content_consumed = True  # type: ignore[attr-defined]  # of requests, without types
    return made
