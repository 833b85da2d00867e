"""What every answer carries, whom we believe, and what error reports show."""

from __future__ import annotations

import ipaddress
import resource
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path
from django.views.debug import get_exception_reporter_class

from sugaradmin.lanes import Csrf, LoginRequired, Room, Sessions
from sugaradmin.proxies import TrustedProxies
from tests.conftest import Configured


def whoami(request: HttpRequest) -> HttpResponse:
    parts = (request.META["REMOTE_ADDR"], request.scheme, str(hasattr(request, "session")))
    return HttpResponse(" ".join(parts))


urlpatterns = [path("page/", whoami), path("api/v1/whoami", whoami), path("", include("sugaradmin.urls"))]


@pytest.fixture
def site(settings: LazySettings) -> Client:
    settings.ROOT_URLCONF = __name__
    return Client()


def test_every_answer_says_which_release_and_which_request_it_was(site: Client) -> None:
    for address in ("/api/v1/whoami", "/page/", "/nowhere/"):
        answer = site.get(address)
        assert answer.headers["X-Sugaradmin-Version"]
        assert answer.headers["X-Request-Id"].startswith("r_")


@pytest.mark.parametrize(("given", "kept"), [("abc-1.2_3", True), ("a b", False), ("x" * 65, False), ("ä", False)])
def test_a_request_id_is_kept_only_where_it_is_harmless(site: Client, given: str, kept: bool) -> None:
    answer = site.get("/api/v1/whoami", headers={"X-Request-Id": given})
    assert (answer.headers["X-Request-Id"] == given) is kept


def test_a_page_is_closed_to_everything_that_is_not_ours(site: Client) -> None:
    headers = site.get("/page/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.django_db
def test_a_page_of_somebody_signed_in_is_stored_nowhere(site: Client) -> None:
    site.force_login(User.objects.create(username="ann"))
    assert site.get("/page/").headers["Cache-Control"] == "no-store"


class Unread:
    """What nobody may read a byte of."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("The body was read.")

    readline = read


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/sign-in/", "/theme/", "/r/l_0000000000/", "/page/"])
def test_a_large_body_is_refused_before_it_is_read_whatever_it_is(site: Client, path: str) -> None:
    """A file in a form is no field of it: Django would write it to the disk, however large."""
    site = Client(enforce_csrf_checks=True)
    site.get("/sign-in/")  # with the cookie, the form is read in order to find its token
    form = {"CONTENT_TYPE": "multipart/form-data; boundary=b", "REQUEST_METHOD": "POST", "PATH_INFO": path}
    answer = site.request(**form, **{"CONTENT_LENGTH": str(300 * 1024 * 1024), "wsgi.input": Unread()})
    assert answer.status_code == 413
    assert answer.headers["Content-Security-Policy"]


def test_a_page_wants_somebody_signed_in_and_the_api_sees_to_that_itself(site: Client) -> None:
    assert site.get("/page/").status_code == 302
    answer = site.post("/api/v1/whoami")
    assert answer.status_code == 200
    assert answer.content.decode().endswith("False"), "the API has no session"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Length"] == str(len(answer.content))


@pytest.mark.parametrize("lane", [Sessions, Csrf, LoginRequired])
def test_only_the_api_itself_passes_the_middleware_of_pages_by(lane: Any) -> None:
    for address in ("/api/v1x", "/api/v1x/", "/API/v1/", "/x/api/v1/", "/healthz/x"):
        request = RequestFactory().post(address)
        request.user = request.session = None  # type: ignore[assignment]
        seen: list[str] = []
        middleware = lane(lambda request: HttpResponse())
        middleware.process_request = lambda request, seen=seen: seen.append("looked")
        middleware(request)
        assert seen == ["looked"], address


def most_faults(request: HttpRequest) -> HttpResponse:
    """Page faults of two hundred calls, at the depth at which they are most."""

    def down(steps: int) -> int:
        return down(steps - 1) if steps else 0

    def faults(depth: int) -> int:
        if depth:
            return faults(depth - 1)
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
        for _ in range(200):
            down(10)
        return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before

    return HttpResponse(str(max(faults(depth) for depth in range(0, 300, 5))))


def test_no_depth_of_a_page_is_slow() -> None:
    found = Room(most_faults)(RequestFactory().get("/page/"))
    assert int(found.content) < 100


TRUSTED = (ipaddress.ip_network("10.0.0.0/8"),)


def seen_through_proxies(trusted: object, configured: Configured, **meta: str) -> HttpRequest:
    configured(trusted_proxies=trusted)
    request = RequestFactory().get("/", **meta)
    TrustedProxies(lambda request: HttpResponse())(request)
    return request


def test_a_strangers_forwarding_headers_are_taken_away(configured: Configured) -> None:
    headers = {"HTTP_X_FORWARDED_FOR": "1.1.1.1", "HTTP_X_FORWARDED_PROTO": "https", "HTTP_FORWARDED": "for=1.1.1.1"}
    for trusted in ((), TRUSTED):
        request = seen_through_proxies(trusted, configured, REMOTE_ADDR="192.0.2.7", **headers)
        assert request.META["REMOTE_ADDR"] == "192.0.2.7"
        assert request.scheme == "http"
        assert not set(headers) & set(request.META)


@pytest.mark.parametrize(
    ("forwarded", "visitor"),
    [
        ("198.51.100.3", "198.51.100.3"),
        ("6.6.6.6, 198.51.100.3, 10.9.9.9", "198.51.100.3"),
        ("6.6.6.6, garbage, 10.9.9.9", "10.9.9.9"),
        ("", "10.0.0.1"),
    ],
)
def test_the_visitor_behind_our_proxies_is_the_last_address_that_is_not_ours(
    configured: Configured, forwarded: str, visitor: str
) -> None:
    request = seen_through_proxies(
        TRUSTED, configured, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded, HTTP_X_FORWARDED_PROTO="https"
    )
    assert request.META["REMOTE_ADDR"] == visitor
    assert request.scheme == "https"


def test_an_error_report_shows_no_local_no_form_and_no_setting(settings: LazySettings) -> None:
    request = RequestFactory().post("/x/?q=canary1", {"password": "canary2"}, HTTP_COOKIE="sessionid=canary3")
    try:
        secret = "canary" + str(4)
        raise ValueError(len(secret), f"access_token={secret[:-1]}5")
    except ValueError as error:
        reporter = get_exception_reporter_class(request)(
            request, type(error), error, error.__traceback__, is_email=True
        )
    report = reporter.get_traceback_text() + reporter.get_traceback_html()
    assert "ValueError" in report
    for canary in ("canary1", "canary2", "canary3", "canary4", "canary5", settings.SECRET_KEY):
        assert canary not in report
