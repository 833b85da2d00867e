"""What surrounds every page of a person who signed in."""

from __future__ import annotations

from collections.abc import Callable

from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils.translation import gettext as _

from connections.signin import limits, trail
from connections.signin.freshness import address_to_confirm
from sugaradmin.lanes import PagesOnly

LEFT = "X-Session-Seconds"


class SessionLimits(PagesOnly):
    """Ends a session that is too old, or that nobody has used for too long, before anything is shown from it."""

    def process_request(self, request: HttpRequest) -> None:
        if not request.user.is_authenticated:
            return
        reason = limits.reason_to_end(request.session)
        if not reason:
            limits.seen(request)
            return
        trail.note(request, "sign_out", reason=reason)
        request.session.flush()
        request.user = AnonymousUser()
        messages.info(
            request, _("You were signed out: nothing was done here for a while, or it was time. Sign in again.")
        )

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """A page that looks for news by itself learns too how long is left: another tab may have been used."""
        if "X-Live" in request.headers and request.user.is_authenticated:
            response.headers[LEFT] = " ".join(map(str, limits.seconds_left(request.session)))
        return response


class AskAgain:
    """Sends who must prove who he is to the page for it. In place of django-allauth's own way, which keeps the posted
    form in the session, secrets and all, and acts on it afterwards without another word."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if isinstance(exception, ReauthenticationRequired) and request.user.is_authenticated:
            return HttpResponseRedirect(address_to_confirm(request.get_full_path()))
        return None
