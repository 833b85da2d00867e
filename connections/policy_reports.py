"""What browsers say that our content policy stopped: a line in the log, of words that we know.

Anybody can send anything here. So little is read, seldom, and nothing of it is repeated but the directive, the site
that was to be loaded, and which of our pages it was; never a path, since that of a customer's link opens something.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from connections.customer.pacing import Pace, wait

logger = logging.getLogger(__name__)

MOST_BYTES = 16_384
MOST_AT_ONCE = 5
PACE = Pace(name="policy_reports", most=20, window=timedelta(minutes=1))
OF_ALL = Pace(name="policy_reports_of_all", most=300, window=timedelta(minutes=1))
DIRECTIVE = re.compile(r"[a-z-]{3,40}")
SITE = re.compile(r"(https?|wss?)://[a-z0-9.:-]{1,100}")
WORDS = frozenset({"inline", "eval", "wasm-eval", "data", "blob", "self", "trusted-types-policy"})


@login_not_required
@csrf_exempt
@require_POST
def collect(request: HttpRequest) -> HttpResponse:
    """Browsers look at no answer, so what is no report gets the same as one."""
    if waiting := wait(PACE, request.META.get("REMOTE_ADDR", "")) or wait(OF_ALL, ""):
        return HttpResponse(status=429, headers={"Retry-After": str(waiting)})
    body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        return HttpResponse(status=413)
    for report in _reports(body):
        _note(report)
    return HttpResponse(status=204)


def _reports(body: bytes) -> Iterator[dict[str, Any]]:
    """Of both kinds: one object of `report-uri`, or a list of `report-to`."""
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        return
    for entry in (page if isinstance(page, list) else [page])[:MOST_AT_ONCE]:
        report = (entry.get("csp-report") or entry.get("body")) if isinstance(entry, dict) else None
        if isinstance(report, dict):
            yield report


def _note(report: dict[str, Any]) -> None:
    directive = _text(report, "effectiveDirective", "effective-directive", "violated-directive").partition(" ")[0]
    if not DIRECTIVE.fullmatch(directive):
        return
    logger.warning(
        "The content policy stopped something: %s of %s on %s.",
        directive,
        _what(_text(report, "blockedURL", "blocked-uri")),
        _page(_text(report, "documentURL", "document-uri")),
        extra={"action": "policy_report", "code": directive},
    )


def _text(report: dict[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := report.get(name), str)), "")


def _what(blocked: str) -> str:
    """A keyword, or scheme and host."""
    if blocked in WORDS:
        return blocked
    site = SITE.match(blocked.lower())
    return site[0] if site else "something else"


def _page(address: str) -> str:
    """The name of the page, not its address."""
    try:
        return resolve(urlsplit(address).path).view_name or "a page"
    except (Resolver404, ValueError):
        return "no page of ours"
