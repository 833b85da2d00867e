"""A customer's browser before the real pages, with the simulator behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.http import HttpResponse
from django.test import Client

from connections.choices import LinkKind
from connections.models import CustomerLink
from connections.onboarding import links
from tests.conftest import Configured
from tests.custody.clock import Clock
from tests.custody.conftest import ANA, Connect, Kept, clock, connect, simulator
from tests.dashboard.conftest import Draft, draft

__all__ = ["clock", "connect", "draft", "simulator"]
NO_PASSWORD: dict[str, object] = {"store_password": False}


def make_link(public_id: str, kind: LinkKind = LinkKind.SIGN_IN) -> links.Issued:
    seen = CustomerLink.objects.filter(connection__public_id=public_id).count()
    return links.issue(public_id, kind, ANA, tenants=None, seen=seen)


@dataclass
class Customer:
    """The admin at the other end: a link in a mail, a browser without an account of ours."""

    issued: links.Issued
    browser: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    @property
    def link(self) -> CustomerLink:
        return CustomerLink.objects.get(pk=self.issued.link.pk)

    @property
    def path(self) -> str:
        """Of the link as it was sent, with the token."""
        return "/" + self.issued.url.split("/", 3)[3]

    @property
    def page(self) -> str:
        return f"/r/{self.issued.link.public_id}/"

    def open(self) -> HttpResponse:
        return self.browser.get(self.path, follow=True)

    def proof(self) -> str:
        found = re.search(r'name="proof" value="([^"]+)"', self.open().content.decode())
        assert found, "the page has no form"
        return found[1]

    def type(self, password: str, *, proof: str | None = None) -> HttpResponse:
        data = {"password": password, "proof": self.proof() if proof is None else proof}
        return self.browser.post(self.page, data, follow=True)

    def ask(self) -> HttpResponse:
        return self.browser.post(f"{self.page}ask/", {"proof": self.proof()})


def told(response: HttpResponse) -> str:
    """What the page says, as one line."""
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", text)


Invite = Callable[..., tuple[Kept, Customer]]


@pytest.fixture
def invite(connect: Connect) -> Invite:
    """A connection without a stored password whose session somebody ended, and the customer with a link."""

    def make(preset: str = "13.3", **own: object) -> tuple[Kept, Customer]:
        fields = NO_PASSWORD | own.pop("fields", {})  # type: ignore[operator]
        kept = connect(preset, fields=fields, **own)
        return kept, Customer(issued=make_link(kept.public_id))

    return make


__all__ += ["Clock", "Configured", "Draft"]
