"""A call that is sent again under the same `Idempotency-Key` is answered again, not done again: 24 hours per key.

1. The first call writes a row without an answer: from now on the same key finds it running (409).
2. Its answer is stored with the row. What may be tried again (503, 429, bad input) takes the row away instead.
3. A call whose process died leaves a row without an answer; once no call can last that long, the next takes it over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from connections.api.keys import Key
from connections.api.problems import Invalid, Refusal
from connections.models import IdempotentCall, database_now

HEADER = "Idempotency-Key"
GOOD_FOR = timedelta(hours=24)
LONGEST_CALL = timedelta(seconds=120)
AGAIN_AFTER = 2  # seconds
KEPT_HEADERS = ("Location", "Content-Type")
REPLAYED = "Idempotency-Replayed"
_SHAPE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The right to carry out a call under its key."""

    pk: int
    created_at: datetime


def once(request: HttpRequest, key: Key, body: bytes, carry_out: Callable[[], HttpResponse]) -> HttpResponse:
    """`carry_out` at most once per key and 24 hours. Raises Refusal."""
    name = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if name is None:
        return carry_out()
    if not _SHAPE.fullmatch(name):
        raise Invalid({HEADER: ["1 to 255 visible characters."]})
    ticket = _take(key, name, _digest(request, body))
    if isinstance(ticket, HttpResponse):
        return ticket
    is_kept = False
    try:
        response = carry_out()
        is_kept = _is_final(response)
        if is_kept:
            _keep(ticket, response)
    finally:
        if not is_kept:
            _mine(ticket).delete()
    response.headers[REPLAYED] = "false"
    return response


def _is_final(response: HttpResponse) -> bool:
    """Done, or refused for good: a grant may have been spent on it, so it is not tried again under this key."""
    is_conflict = response.status_code == HTTPStatus.CONFLICT and "Retry-After" not in response.headers
    return response.status_code < HTTPStatus.MULTIPLE_CHOICES or is_conflict


def _digest(request: HttpRequest, body: bytes) -> str:
    """Keyed: a body may hold a password, and a plain hash of it could be guessed at."""
    said = f"{request.method} {request.path}\n".encode() + body
    return salted_hmac("connections.api.idempotency", said, algorithm="sha256").hexdigest()


def _take(key: Key, name: str, digest: str) -> Ticket | HttpResponse:
    now = database_now()
    try:
        with transaction.atomic():
            row = IdempotentCall.objects.create(api_key_id=key.pk, key=name, body_hash=digest, created_at=now)
        return Ticket(pk=row.pk, created_at=now)
    except IntegrityError:
        found = IdempotentCall.objects.filter(api_key_id=key.pk, key=name).first()
    if found is None:
        raise _running()  # it was taken away in this very moment
    return _join(found, digest, now)


def _join(row: IdempotentCall, digest: str, now: datetime) -> Ticket | HttpResponse:
    """What a second call under the same key gets."""
    age = now - row.created_at
    if age > GOOD_FOR or (row.status is None and age > LONGEST_CALL):
        return _take_over(row, digest, now)
    if not constant_time_compare(row.body_hash, digest):
        raise Invalid({HEADER: ["This key was used for another request within 24 hours; take a new one."]})
    if row.status is None:
        raise _running()
    return _answer(row)


def _take_over(row: IdempotentCall, digest: str, now: datetime) -> Ticket:
    """Compare-and-set: of two that find the row abandoned one carries out."""
    same = IdempotentCall.objects.filter(pk=row.pk, created_at=row.created_at)
    if not same.update(created_at=now, body_hash=digest, status=None, answer=None, headers={}):
        raise _running()
    return Ticket(pk=row.pk, created_at=now)


def _running() -> Refusal:
    detail = f"A call with this {HEADER} is still running."
    return Refusal(HTTPStatus.CONFLICT, "busy", detail, retry_after=AGAIN_AFTER)


def _mine(ticket: Ticket) -> QuerySet[IdempotentCall]:
    """Empty once somebody has taken over."""
    return IdempotentCall.objects.filter(pk=ticket.pk, created_at=ticket.created_at, status__isnull=True)


def _keep(ticket: Ticket, response: HttpResponse) -> None:
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    _mine(ticket).update(status=response.status_code, answer=json.loads(response.content), headers=headers)


def _answer(row: IdempotentCall) -> HttpResponse:
    assert row.status is not None
    response = HttpResponse(json.dumps(row.answer, ensure_ascii=False).encode(), status=row.status, headers=row.headers)
    response.headers[REPLAYED] = "true"
    return response
