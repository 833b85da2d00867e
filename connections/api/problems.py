"""What goes wrong, as RFC 9457 `application/problem+json`.

Refusal                  any answer of the API that is no success
├── Unauthorized         401
├── ScopeMissing         403, names the scope
├── NoSuchThing          404
├── WrongMethod          405, says which are right
├── TooLarge             413
├── Invalid              422, per field
└── TooFast              429, says when to come again
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from connections.choices import DiagnosisCode, Fault, FixBy
from connections.custody.problems import CustodyProblem, NewerVersion
from connections.diagnosis import code_of, entry_for, fill
from connections.models import Connection
from connections.onboarding.registry import (
    ConnectionExists,
    EditRefused,
    ExternalIdTaken,
    InvalidFields,
    InvalidTenant,
    TripleBusy,
)
from connections.onboarding.representation import stored_diagnosis_as_json

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
DATABASE_AGAIN_AFTER = 2  # seconds
# The codes of the API beside those of a diagnosis: what each is called, and who can do something about it.
CODES: Mapping[str, tuple[str, FixBy | None]] = {
    "unauthorized": ("The key is missing or not valid", None),
    "scope_missing": ("The key lacks a scope", None),
    "not_found": ("Not found", None),
    "invalid": ("The request is not valid", None),
    "draft": ("The connection has never signed in", FixBy.STAFF),
    "paused": ("The connection is paused", FixBy.STAFF),
    "held": ("The connection is held", FixBy.STAFF),
    "busy": ("Something else is under way", FixBy.NOBODY),
    "connection_exists": ("This connection exists already", None),
    "read_only": ("No grant may leave this installation", FixBy.OPERATOR),
    "too_many_requests": ("Too many requests", FixBy.NOBODY),
    "too_large": ("The request is too large", None),
}
Errors = dict[str, list[str]]


class Refusal(Exception):
    """`errors` says what is wrong per field; `more` are further members of the document."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Errors | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        self.errors = errors
        self.more = dict(more or {})

    @property
    def is_retryable(self) -> bool:
        return self.status in (429, 503) or self.retry_after is not None


class Unauthorized(Refusal):
    """No key, or none that is valid."""

    def __init__(self, *, is_key_given: bool) -> None:
        challenge = 'Bearer realm="sugaradmin"' + (', error="invalid_token"' if is_key_given else "")
        detail = (
            "This key is unknown, revoked or expired."
            if is_key_given
            else "Send a key: Authorization: Bearer sga_… (made with create_api_key)."
        )
        super().__init__(401, "unauthorized", detail, headers={"WWW-Authenticate": challenge})


class ScopeMissing(Refusal):
    """The key is good, but not for this."""

    def __init__(self, scope: str) -> None:
        challenge = f'Bearer realm="sugaradmin", error="insufficient_scope", scope="{scope}"'
        super().__init__(
            403,
            "scope_missing",
            f"This call needs the scope {scope}.",
            headers={"WWW-Authenticate": challenge},
            more={"scope": scope},
        )


class NoSuchThing(Refusal):
    """Unknown, or another tenant's: the asker is told the same."""

    def __init__(self, detail: str = "There is no such connection.") -> None:
        super().__init__(404, "not_found", detail)


class WrongMethod(Refusal):
    def __init__(self, allowed: str) -> None:
        super().__init__(405, "invalid", f"Allowed here: {allowed}.", headers={"Allow": allowed})


class TooLarge(Refusal):
    def __init__(self, most: int) -> None:
        super().__init__(413, "too_large", f"A body may have at most {most} bytes.")


class Invalid(Refusal):
    """Bad input, per field; nothing was stored."""

    def __init__(self, errors: Errors, code: str = "") -> None:
        detail = " ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items())
        super().__init__(422, code or "invalid", detail, errors=errors)


class TooFast(Refusal):
    def __init__(self, retry_after: int, rate: int) -> None:
        super().__init__(
            429,
            "too_many_requests",
            f"This key may send {rate} requests a second, {10 * rate} in a burst.",
            retry_after=retry_after,
        )


def refusal_of(error: Exception, public_id: str = "") -> Refusal | None:
    """The refusal that an error of the layers below amounts to; None for what nobody foresaw.

    `public_id`: the connection that was asked for, so that evidence can link to its events.
    """
    match error:
        case Refusal():
            return error
        case NewerVersion():
            return Invalid({"version": [error.detail]})
        case CustodyProblem():
            return _of_custody(error, public_id)
        case InvalidFields():
            return Invalid(error.errors, error.code)
        case InvalidTenant():
            return NoSuchThing("There is no such tenant.")
        case Connection.DoesNotExist():
            return NoSuchThing()
        case EditRefused():
            return _of_edit(error)
        case OperationalError() | InterfaceError():
            logger.error("The database does not answer.", extra={"code": type(error).__name__})
            return Refusal(503, "busy", "The database does not answer.", retry_after=DATABASE_AGAIN_AFTER)
    return None


def _of_custody(error: CustodyProblem, public_id: str) -> Refusal:
    more = {"diagnosis": stored_diagnosis_as_json(error.diagnosis, public_id=public_id)} if error.diagnosis else None
    return Refusal(error.http_status, _public(error.code), error.detail, retry_after=error.retry_after, more=more)


def _public(code: str) -> str:
    """A fault is the word of one answer; outside, only codes of diagnoses and our own are known."""
    if code in CODES or code in DiagnosisCode.values:
        return code
    return str(code_of(Fault(code))) if code in Fault.values else str(DiagnosisCode.UNKNOWN)


def _of_edit(error: EditRefused) -> Refusal:
    match error:
        case ConnectionExists():
            return Refusal(409, "connection_exists", str(error))
        case ExternalIdTaken():
            return Invalid({"external_id": [str(error)]})
        case TripleBusy():
            return Refusal(409, "busy", str(error), retry_after=error.retry_after)
    return Refusal(409, "busy", str(error))


def as_response(refusal: Refusal) -> HttpResponse:
    response = HttpResponse(
        json.dumps(document(refusal), ensure_ascii=False).encode(), status=refusal.status, content_type=CONTENT_TYPE
    )
    for name, value in refusal.headers.items():
        response.headers[name] = value
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def document(refusal: Refusal) -> dict[str, Any]:
    """Members in the order in which a person reads them."""
    title, fix_by = _words(refusal)
    diagnosis = refusal.more.get("diagnosis")
    fix_by = diagnosis["fix_by"] if diagnosis else fix_by
    told: dict[str, Any] = {
        "type": f"{settings.SUGARADMIN.base_url}/help/{refusal.code}/",
        "title": title,
        "status": refusal.status,
        "detail": refusal.detail,
        "code": refusal.code,
        "retryable": refusal.is_retryable,
    }
    if refusal.retry_after is not None:
        told["retry_after"] = refusal.retry_after
    told |= refusal.more
    if fix_by:
        told["fix_by"] = str(fix_by)
    if refusal.errors is not None:
        told["errors"] = refusal.errors
    return told


def _words(refusal: Refusal) -> tuple[str, FixBy | None]:
    if refusal.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return "An error of ours", FixBy.OPERATOR
    if refusal.code in DiagnosisCode.values:
        entry = entry_for(refusal.code)
        return fill(entry.title), entry.fix_by
    return CODES[refusal.code]


def unforeseen(request: HttpRequest, error: Exception) -> HttpResponse:
    """500: the log has the trace, the caller only the request's id (its header) to tell us."""
    logger.error("A request failed.", exc_info=error, extra={"action": f"{request.method} {request.path}"})
    return as_response(Refusal(500, DiagnosisCode.UNKNOWN, "This is our fault; the log of the server knows more."))
