"""Hand out a token, and take a worker's word that one was rejected. The hot path: one query, nothing else."""

from __future__ import annotations

import re
from collections.abc import Container
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from connections.api import representation
from connections.api.entrance import Call, answer
from connections.custody import handout, reports
from connections.custody.handout import HandedOut
from connections.custody.problems import Unchanged

MOST_MIN_TTL = 86_400.0  # seconds: nothing above 24 hours is believed
MOST_WAIT = 30.0
WORKER = "worker"  # who asked, in the history: any number of programs share one key
ANY_VERSION = range(1, 2**63)
_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def show(call: Call) -> HttpResponse:
    query = call.query
    try:
        given = handout.token(
            call.public_id,
            tenants=call.key.tenants,
            min_ttl=query["min_ttl"],
            wait=query["wait"],
            held=_held(call.request),
            actor=WORKER,
        )
    except Unchanged as same:
        return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": f'"{same.version}"'})
    return _answer(given)


def rejected(call: Call) -> HttpResponse:
    said = call.body
    wait = said["wait"] if said.get("wait") is not None else call.query["wait"]
    given = reports.rejected(
        call.public_id,
        tenants=call.tenants,
        version=said["version"],
        wait=float(wait),
        actor=WORKER,
        report={name: said.get(name) for name in ("status", "error", "error_message")},
    )
    return _answer(given)


def _answer(given: HandedOut) -> HttpResponse:
    return answer(representation.token(given), headers={"ETag": f'"{given.version}"'})


def _held(request: HttpRequest) -> Container[int]:
    """If-None-Match: one tag, several, weak ones, or `*`. A version with too little life is not answered 304."""
    tags = request.META.get("HTTP_IF_NONE_MATCH")
    if not tags:
        return ()
    if tags.strip() == "*":
        return ANY_VERSION
    return frozenset(int(tag) for tag in _TAG.findall(tags) if tag.isascii() and tag.isdecimal() and len(tag) < 19)
