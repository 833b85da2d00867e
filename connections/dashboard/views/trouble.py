"""What is answered when a view could not: without the database, which may be what is away."""

from __future__ import annotations

import sys
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from connections.choices import Theme
from connections.dashboard.shell import THEME_COOKIE, page_for_anybody
from sugaradmin.lanes import CUSTOMER_PATHS

RETRY_AFTER = 30  # seconds


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404. What does not exist and what is another tenant's look alike."""
    return page_for_anybody(request, "404.html", {}, status=HTTPStatus.NOT_FOUND)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403: the exception says which right is missing."""
    return page_for_anybody(request, "403.html", {"exception": str(exception)}, status=HTTPStatus.FORBIDDEN)


def broken(request: HttpRequest) -> HttpResponse:
    """Django's handler500: a fault of ours, or a database that does not answer, which passes by itself."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return _unavailable(request)
    return HttpResponse(_rendered(request, "500.html"), status=HTTPStatus.INTERNAL_SERVER_ERROR)


def _unavailable(request: HttpRequest) -> HttpResponse:
    """A customer is told no more than that it is not his fault."""
    is_customer = request.path_info.startswith(CUSTOMER_PATHS)
    text = _rendered(request, "customer/unavailable.html" if is_customer else "503.html")
    return HttpResponse(
        text, status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": RETRY_AFTER, "Cache-Control": "no-store"}
    )


def _rendered(request: HttpRequest, template: str) -> str:
    """Without context processors: they would ask who is signed in."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    context = {"request": request, "chosen": chosen if chosen in Theme.values else Theme.AUTO, "here": ""}
    return render_to_string(template, context)
