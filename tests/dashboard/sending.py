"""Forms as a browser sends them: with what the page that was looked at has put into hidden fields."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

FENCES = re.compile(r'<input type="hidden" name="(version|generation|attempts|seen)" value="([^"]*)">')


def seen_on(client: Client, path: str) -> dict[str, str]:
    """What the page shows of the state that it was made at; empty where it has no form."""
    return dict(FENCES.findall(client.get(path).content.decode()))


def send(client: Client, path: str, data: dict[str, Any], *, follow: bool = False) -> HttpResponse:
    """Look at the page, fill in its form, send it."""
    response: HttpResponse = client.post(path, seen_on(client, path) | data, follow=follow)
    return response
