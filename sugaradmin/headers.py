"""What every answer carries: who we are, which request it was, and what a browser may do with it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from sugaradmin import __version__
from sugaradmin.lanes import is_of_api
from sugaradmin.logs import REQUEST_ID, request_id

REPORTS_PATH = "/policy-reports"
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        # Browsers that know `report-to` take it and leave the other alone.
        f"report-uri {REPORTS_PATH}",
        "report-to policy",
    )
)
# An answer of the API is no page: opened as one, it may do nothing at all.
ANSWER_POLICY = "default-src 'none'; frame-ancestors 'none'"
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()" for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
)
SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class ResponseHeaders:
    """Outside everything else, so that an error page and a redirect carry the same headers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = _request_id(request)
        request.META[REQUEST_ID] = name
        token = request_id.set(name)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response.headers["X-Request-Id"] = name
        response.headers["X-Sugaradmin-Version"] = __version__
        if is_of_api(request.path_info):
            _protect_answer(response)
        else:
            _protect_page(request, response)
        return response


def _request_id(request: HttpRequest) -> str:
    """The caller's own id where it is harmless in a log line, else a new one."""
    given: str = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if SAFE_REQUEST_ID.fullmatch(given) else f"r_{secrets.token_hex(6)}"


def _protect_answer(response: HttpResponseBase) -> None:
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Content-Security-Policy"] = ANSWER_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    if isinstance(response, HttpResponse) and "Content-Length" not in response.headers:
        # Else the server sends it in chunks, which costs a worker's client a second read.
        response.headers["Content-Length"] = str(len(response.content))


def _protect_page(request: HttpRequest, response: HttpResponseBase) -> None:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers.setdefault("Reporting-Endpoints", f'policy="{REPORTS_PATH}"')
    headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        headers["Cache-Control"] = "no-store"  # without asking who it was: the database may be what is away
        return
    user = getattr(request, "user", None)
    # Pages of signed-in people stay out of every cache, and so does any page that sets a cookie.
    if (user is not None and user.is_authenticated) or response.cookies:
        headers["Cache-Control"] = "no-store"
