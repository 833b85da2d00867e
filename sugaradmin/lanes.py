"""Two lanes through one server: pages get all of Django's middleware, the worker API none of what only pages need.

A token call authenticates by its key and touches no session, cookie or form; the middleware for pages would cost it
100 µs on top of 80, more than the view itself. Subclasses, so that Django's own checks still find what they look for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware, LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseRedirect
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin

API_PATH = "/api/v1/"
CUSTOMER_PATHS = ("/r/", "/s/")
PROBES = ("/healthz", "/readyz", "/metrics")
"""Probes too: a load balancer asks by whatever address it has, and no session or host name is looked at."""


def is_of_api(path: str) -> bool:
    """Without its last slash too: that is an unknown address of the API, and no page."""
    return f"{path}/".startswith(API_PATH)


def _is_for_machines(path: str) -> bool:
    return is_of_api(path) or path in PROBES


class PagesOnly(MiddlewareMixin):
    """Mixed in before a middleware: requests of the worker API pass it by."""

    async_capable = False

    def __call__(self, request: HttpRequest) -> Any:
        if _is_for_machines(request.path_info):
            return self.get_response(request)
        return super().__call__(request)


class Room(PagesOnly):
    """All frames of a page lie side by side.

    CPython keeps frames in chunks of 16 kB, and gives one back to the kernel as soon as the first frame in it returns:
    where the rows of a page happen to be written at such an edge, every call maps a chunk anew, which took up to half
    of the time. A frame that is greater than a chunk gets a greater one, with room for those that follow.
    """

    def __call__(self, request: HttpRequest) -> Any:
        if _is_for_machines(request.path_info):
            return self.get_response(request)
        return _great(self.get_response, request)


def _great(call: Callable[[HttpRequest], Any], request: HttpRequest) -> Any:
    return call(request)


_great.__code__ = _great.__code__.replace(co_stacksize=2**15)


class PageViewsOnly(PagesOnly):
    """The same for middleware that also looks at the view before it runs."""

    def process_view(self, request: HttpRequest, *view: Any) -> Any:
        if _is_for_machines(request.path_info):
            return None
        return super().process_view(request, *view)  # type: ignore[misc]  # of the middleware behind the mixin


class Sessions(PagesOnly, SessionMiddleware):
    pass


class Locale(PagesOnly, LocaleMiddleware):
    """Customers read their own language. Staff pages have one, and Django's words would else be mixed into it."""

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith(CUSTOMER_PATHS):
            super().process_request(request)
            return
        translation.activate(settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = translation.get_language()


class Common(PagesOnly, CommonMiddleware):
    pass


class Csrf(PageViewsOnly, CsrfViewMiddleware):
    pass


class Authentication(PagesOnly, AuthenticationMiddleware):
    pass


class LoginRequired(PageViewsOnly, LoginRequiredMiddleware):
    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseRedirect:
        """A form came too late. One comes back by GET: to the page with the form, not to where it was sent."""
        page = urlsplit(request.headers.get("Referer", ""))
        if request.method in ("GET", "HEAD") or page.netloc != request.get_host():
            return super().handle_no_permission(request, view_func)
        back = page.path + (f"?{page.query}" if page.query else "")
        return redirect_to_login(back, self.get_login_url(view_func), self.get_redirect_field_name(view_func))


class Messages(PagesOnly, MessageMiddleware):
    pass
