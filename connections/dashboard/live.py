"""Live pages: a page asks its own address again and takes over the regions that changed.

What a page shows depends on a few facts that are cheap to read. Their mark is its ETag: where it is still the same, a
poll costs no rendering and no body.
"""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse

HEADER = "X-Live"
LAYOUT = "connections/live.html"


class Unchanged(Exception):
    """The browser shows exactly this already; the gate answers 304."""

    def __init__(self, mark: str) -> None:
        super().__init__("Nothing changed.")
        self.mark = mark

    def response(self) -> HttpResponse:
        return HttpResponse(status=304, headers={"ETag": f'"{self.mark}"'})


def is_poll(request: HttpRequest) -> bool:
    """Asked by the script of a page, not by a person who opens it."""
    return request.headers.get(HEADER) == "1"


def compare(request: HttpRequest, *facts: object) -> str:
    """The mark of these facts. Raises Unchanged where a poll brought the same one along."""
    mark = hashlib.sha256(repr(facts).encode()).hexdigest()[:20]
    if is_poll(request) and request.headers.get("If-None-Match") == f'"{mark}"':
        raise Unchanged(mark)
    return mark
