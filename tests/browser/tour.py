"""Every page of the product, each with something on it: from the resolver, so that none is forgotten."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from allauth.mfa.models import Authenticator
from django.test import Client

from connections.choices import LinkKind
from connections.models import Attempt, Connection, CustomerLink, database_now
from connections.onboarding import api_keys, invitations, links
from connections.simulator import SimulatorServer
from tests.authorization.addresses import Address, of_pages
from tests.authorization.expectations import Page, pages_of
from tests.browser.fleet import fleet
from tests.custody.conftest import ANA, Connect, Kept
from tests.dashboard.people import person, signed_in
from tests.dashboard.walking import walk_on
from tests.signin.door import first_step, set_up_app

NO_PAGES = {
    "healthz", "readyz", "metrics", "connections:live", "connections:rows", "connections:audit_export",
    "connections:export", "connections:bundle", "mfa_login_webauthn",
}  # fmt: skip
"""Answers for programs, pieces of pages, files."""
LEAD_AWAY = {"connections:home", "account_login", "mfa_reauthenticate_webauthn", "openid_connect_callback"}
"""To a page that is visited under its own name."""
WITH_A_SECRET = {
    "connections:link", "connections:follow_link", "connections:customer_link", "r/<token:token>/",
    "connections:link_page", "connections:link_done", "connections:guide", "s/<token:token>/",
}  # fmt: skip
"""Those that need a token are visited by `_doors`."""
ASKERS = {
    "connections:sign_in": "",
    "single_sign_on": "",
    "connections:forgotten": "",
    "mfa_authenticate": "half",
    "mfa_add_webauthn": "operator",
}
"""Who looks, where it is not the admin: `half` has given the password, and is asked for a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One page. `asker`: whose browser; `status`: what it answers when all is well."""

    path: str
    asker: str = "admin"
    status: int = 200

    def __str__(self) -> str:
        return f"{self.path} ({self.asker or 'nobody signed in'})"


@dataclass
class Tour:
    kept: dict[str, Kept]
    clients: dict[str, Client]
    wizard: list[str] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)

    def of(self, name: str, tab: str = "") -> str:
        return f"/connections/{self.kept[name].public_id}/{tab}"

    def key_pages(self) -> list[Stop]:
        """The six that are seen most, or by the most people."""
        pages = [Stop(path=path) for path in ("/overview/", "/connections/", self.of("dying"), self.wizard[-1])]
        return [*pages, Stop(path=self._token(self.kept["down"]), asker="customer"), Stop(path="/sign-in/", asker="")]

    def addresses(self) -> list[Stop]:
        """Every page once, and every door."""
        return list(dict.fromkeys(itertools.chain(self._resolved(), self._doors())))

    def stops(self) -> list[Stop]:
        """With all that a page may look like."""
        return list(dict.fromkeys(itertools.chain(self.addresses(), self._faces(), self._refusals())))

    def _resolved(self) -> Iterator[Stop]:
        for address in of_pages():
            if address.name in NO_PAGES | LEAD_AWAY | WITH_A_SECRET:
                continue
            for page in pages_of(address.name):
                if page.get is not None:
                    asker = ASKERS.get(address.name, "admin")
                    status = 403 if address.name == "single_sign_on" else 200
                    yield Stop(path=self._path(address, page), asker=asker, status=status)

    def _path(self, address: Address, page: Page) -> str:
        if address.name.startswith("mfa_") and "pk" in address.parameters:
            return address.path(self.values)
        return address.path(self.values | page.values)

    def _faces(self) -> Iterator[Stop]:
        """The same addresses with something else on them."""
        for name in ("dying", "in_doubt", "retrying", "draft", "held"):
            yield Stop(path=self.of(name))
        for path in ("?status=down&tag=eu&q=zeta", "?q=nothing"):
            yield Stop(path=f"/connections/{path}")
        for path in (self.of("healthy", "tokens/"), self.of("in_doubt", "tokens/"), self.of("in_doubt", "attempts/2/")):
            yield Stop(path=path)
        yield Stop(path=self.of("down", "timeline/?span=30d&kind=trouble"))
        yield Stop(path=self.of("held", "actions/repair/"))
        yield Stop(path="/audit/?actor=nobody")
        yield Stop(path="/help/held/")
        yield Stop(path="/overview/", asker="viewer")
        yield Stop(path=self.of("down"), asker="viewer")
        for path in self.wizard:
            yield Stop(path=path)

    def _doors(self) -> Iterator[Stop]:
        """Where nobody signs in; each link in each of its standings."""
        down, healthy = self.kept["down"], self.kept["bad_credentials"]
        yield Stop(path="/sign-in/link/", asker="", status=410)
        yield Stop(path=invitations.invite(person("viewer"), ANA).path, asker="")
        yield Stop(path=f"/r/{self._link(down)[0].public_id}/", asker="", status=403)
        yield Stop(path="/r/mangled", asker="", status=404)
        for change in ({"expires_at": database_now()}, {"revoked_at": database_now()}, {"generation": 99}):
            link, path = self._link(healthy)
            CustomerLink.objects.filter(pk=link.pk).update(**change)
            yield Stop(path=path, asker="customer", status=410)
            link, path = self._link(healthy, LinkKind.GUIDE)
            CustomerLink.objects.filter(pk=link.pk).update(**change)
            yield Stop(path=path, asker="customer", status=410)
        yield Stop(path=self._link(down, LinkKind.GUIDE)[1], asker="customer")
        yield Stop(path=self._token(down), asker="customer")

    def _refusals(self) -> Iterator[Stop]:
        yield Stop(path="/nothing/", status=404)
        yield Stop(path="/nothing/", asker="", status=404)
        yield Stop(path=self.of("down", "events/99/"), status=404)
        yield Stop(path="/api-keys/", asker="viewer", status=403)
        yield Stop(path="/overview/", asker="nobody", status=403)

    def _token(self, kept: Kept) -> str:
        return self._link(kept)[1]

    def _link(self, kept: Kept, kind: LinkKind = LinkKind.SIGN_IN) -> tuple[CustomerLink, str]:
        issued = links.issue(kept.public_id, kind, ANA, tenants=None, seen=kept.row.links.count())
        return issued.link, "/" + issued.url.split("/", 3)[3]


def set_out(connect: Connect, simulator: SimulatorServer) -> Tour:
    clients = {role or "nobody": signed_in(role) for role in ("admin", "operator", "viewer", "")}
    for role in ("admin", "operator"):
        set_up_app(clients[role])
    clients["half"] = first_step("operator")
    tour = Tour(kept=fleet(connect), clients=clients)
    Connection.objects.filter(public_id=tour.kept["down"].public_id).update(label="Zeta" + "verylongname" * 6)
    tour.wizard = list(_walked(simulator))
    tour.values = _named(tour)
    return tour


def _named(tour: Tour) -> dict[str, object]:
    """What the parameters of the addresses are called here."""
    down = tour.kept["down"].row
    admin = person("admin")
    passkey = Authenticator.objects.create(user=admin, type="webauthn", data={"name": "Office laptop"})
    issued = api_keys.issue("Nightly export of the orders", ["token:read", "connections:read"], ANA)
    failed = Attempt.objects.filter(connection=down).exclude(failure="").latest("number")
    return {
        "public_id": down.public_id,
        "draft_id": tour.wizard[-1].split("/")[3],
        "prefix": issued.row.prefix,
        "failure": failed.failure,
        "username": "viewer",
        "pk": passkey.pk,
    }


def _walked(simulator: SimulatorServer) -> Sequence[str]:
    """Steps that look otherwise than those of the last draft, which went through all of them to a test that failed."""
    lost, platform, review, failed = (walk_on(simulator) for _ in range(4))
    lost.begin(f"{simulator.url}/nothing", label="Lost Horizon Travel")
    platform.begin(label="Globex Corporation")
    platform.post("platform", platform="sugaradmin_globex", check="1")
    review.ready()
    failed.ready("wrong")
    failed.post("review")
    steps = {"address": lost, "platform": platform, "review": review}
    return [*(f"{walk.base}{step}/" for step, walk in steps.items()), f"{failed.base}review/"]
