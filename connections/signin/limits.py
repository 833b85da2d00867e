"""How long a session lives: so long without use, and so long in all. By the clock of the node, to the minute."""

from __future__ import annotations

import time

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone

BEGAN, SEEN = "began_at", "seen_at"
NOTED_EVERY = 60.0
"""Seconds: a page does not write the session each time it is opened."""


def listen() -> None:
    """Called once, when the application is ready."""
    user_logged_in.connect(_begin, dispatch_uid=f"{__name__}.begin")


def _begin(request: HttpRequest, **_: object) -> None:
    request.session[BEGAN] = request.session[SEEN] = time.time()


def reason_to_end(session: SessionBase) -> str:
    """`old` or `idle`; empty while the session may go on. One that does not know its age is old."""
    now, config = time.time(), settings.SUGARADMIN
    if now - session.get(BEGAN, 0) > config.session_limit.total_seconds():
        return "old"
    if now - session.get(SEEN, 0) > config.session_idle.total_seconds():
        return "idle"
    return ""


def seconds_left(session: SessionBase) -> tuple[int, int]:
    """Until nobody has used it for too long, and until it is too old whatever one does."""
    now, config = time.time(), settings.SUGARADMIN
    unused, old = now - session.get(SEEN, 0), now - session.get(BEGAN, 0)
    return int(config.session_idle.total_seconds() - unused), int(config.session_limit.total_seconds() - old)


def seen(request: HttpRequest) -> None:
    """A person opened a page. What a page fetches by itself is no sign of one; the browser says so, or our script."""
    if request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate" and "X-Live" not in request.headers:
        stay(request)


def stay(request: HttpRequest) -> None:
    noted_every = min(NOTED_EVERY, settings.SUGARADMIN.session_idle.total_seconds() / 10)
    if time.time() - request.session.get(SEEN, 0) < noted_every:
        return
    request.session[SEEN] = time.time()
    UserSession.objects.filter(session_key=request.session.session_key).update(
        last_seen_at=timezone.now(), ip=request.META["REMOTE_ADDR"]
    )
