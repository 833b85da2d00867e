"""Probes for machines: is the process alive, may traffic come, how is the fleet."""

from __future__ import annotations

import hmac
import re

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from connections.choices import NotReady
from connections.condition import pending_migrations
from connections.custody import keycheck
from connections.metrics import exposition

BEARER = re.compile(r"(?i)bearer +(\S+)")


@login_not_required
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers: nothing else is looked at, so that a database that is away restarts nobody."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """May traffic come. A silent worker does not count: it must not take the web nodes out."""
    reasons = reasons_not_ready()
    return JsonResponse({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)


@login_not_required
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format, computed from the database at each scrape."""
    if not _may_scrape(request):
        return HttpResponse(
            "Send SUGARADMIN_METRICS_TOKEN as a bearer token.\n",
            status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"},
        )  # fmt: skip
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def reasons_not_ready() -> list[str]:
    """Words of NotReady, most fundamental first; what cannot be asked without the one before is not asked."""
    try:
        connection.ensure_connection()
        if pending_migrations():
            return [NotReady.MIGRATIONS]
        return [NotReady.KEYS] if keycheck.trouble() else []
    except DatabaseError:
        return [NotReady.DATABASE]


def _may_scrape(request: HttpRequest) -> bool:
    wanted: str = settings.SUGARADMIN.metrics_token
    if not wanted:
        return bool(settings.SUGARADMIN.development)
    given = BEARER.fullmatch(request.headers.get("Authorization", ""))
    return given is not None and hmac.compare_digest(given[1].encode(), wanted.encode())
