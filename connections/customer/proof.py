"""What shows that a browser came through the link: a signed cookie of that one link's pages, and a signed form.

The form carries its own proof, because a page with `Referrer-Policy: no-referrer` makes the browser send
`Origin: null`, which Django's protection against forged forms refuses.
"""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from connections.models import CustomerLink

GOOD_FOR = 3600  # seconds; each page that is shown starts it anew
COOKIE_SALT = "connections.customer.cookie"
FORM_SALT = "connections.customer.form"


def cookie_name() -> str:
    """`__Host-` would have to be sent to every page of the site."""
    return "__Secure-link" if settings.SESSION_COOKIE_SECURE else "link"


def let_in(response: HttpResponse, link: CustomerLink, path: str) -> None:
    """Lax, not strict: one comes here from a mail."""
    value = signing.dumps(link.public_id, salt=COOKIE_SALT)
    response.set_cookie(
        cookie_name(), value, max_age=GOOD_FOR, path=path, secure=settings.SESSION_COOKIE_SECURE, httponly=True,
        samesite="Lax",
    )  # fmt: skip


def is_let_in(request: HttpRequest, link_id: str) -> bool:
    given = request.COOKIES.get(cookie_name(), "")
    return _opened(given, COOKIE_SALT) == link_id


def form_proof(link: CustomerLink) -> str:
    """Good for one submission: it holds their number."""
    return signing.dumps([link.public_id, link.submissions], salt=FORM_SALT)


def submission_of(request: HttpRequest, link_id: str) -> int | None:
    """Which submission the form was made for; None: it is not ours, too old, or of another link."""
    opened = _opened(request.POST.get("proof", ""), FORM_SALT)
    if not isinstance(opened, list) or opened[0] != link_id:
        return None
    return int(opened[1])


def _opened(value: str, salt: str) -> object:
    try:
        return signing.loads(value, salt=salt, max_age=GOOD_FOR)
    except signing.BadSignature:
        return None
