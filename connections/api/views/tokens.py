"""Hand out a token, and take a worker's word that one was rejected. The hot path: one query, nothing else."""

from __future__ import annotations

import re
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from connections.api import representation
from connections.api.entrance import Call, answer
from connections.custody import handout, reports
from connections.custody.handout import HandedOut

MOST_MIN_TTL = 86_400.0  # seconds: nothing above 24 hours is believed
MOST_WAIT = 30.0
WORKER = "worker"  # who asked, in the history: any number of programs share one key
_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def show(call: Call) -> HttpResponse:
    query = call.query
    given = handout.token(
        call.public_id, tenants=call.key.tenants, min_ttl=query["min_ttl"], wait=query["wait"], actor=WORKER
    )
    if _has_already(call.request, given.version):
        return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": f'"{given.version}"'})
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


def _has_already(request: HttpRequest, version: int) -> bool:
    """If-None-Match: one tag, several, weak ones, or `*`. What is handed out is good, so having it is enough."""
    tags = request.META.get("HTTP_IF_NONE_MATCH")
    if not tags:
        return False
    return tags.strip() == "*" or str(version) in _TAG.findall(tags)
