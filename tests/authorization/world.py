"""What the matrix walks through: everything that belongs to one tenant, and everybody who might ask for it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.test import Client

from connections.choices import LinkKind, Role
from connections.custody import actions, desk
from connections.models import Attempt, Connection, Tenant
from connections.onboarding import api_keys, drafts, links
from tests.authorization.addresses import Address
from tests.authorization.expectations import Gate, Page
from tests.custody.conftest import ANA
from tests.dashboard.conftest import Draft
from tests.dashboard.people import person, signed_in

OWN, OTHER = "acme", "north"
CANARY = "canary-of-acme"
OF_A_TENANT = frozenset({"public_id", "draft_id", "prefix", "failure"})
"""Parameters that name something which belongs to a tenant."""
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Asker:
    """`role` None: nobody signed in; empty: an account without a role. `limit`: the only tenant that he may see."""

    role: str | None
    limit: str = ""

    def __str__(self) -> str:
        name = "anonymous" if self.role is None else self.role or "without a role"
        return f"{name} of {self.limit}" if self.limit else name

    def client(self, *, proved_ago: float | None = 0) -> Client:
        if self.role is None:
            return Client()
        return signed_in(self.role, tenants=(self.limit,) if self.limit else (), proved_ago=proved_ago)


ASKERS = (
    Asker(None), Asker(""),
    *(Asker(role, limit) for role in Role.values for limit in ("", OWN, OTHER)),
)  # fmt: skip


@dataclass(slots=True)
class World:
    """A connection of the own tenant, with a draft, a link and a key beside it."""

    row: Connection
    someone: User

    def values(self, address: Address, page: Page) -> dict[str, object]:
        """A draft is made anew each time: one of the things that can be done with it is to throw it away."""
        if {"number", "failure"}.intersection(address.parameters):
            self.attempt()
        made = {
            "public_id": lambda: self.row.public_id,
            "draft_id": self.draft,
            "link_id": self.link,
            "prefix": self.key,
            "failure": self.failure,
            "note": self.note,
            "username": self.someone.get_username,
        }
        return {name: page.values[name] if name in page.values else made[name]() for name in address.parameters}

    def draft(self) -> str:
        fields = {"label": CANARY, "instance_url": f"http://127.0.0.1:9/draft{next(_numbers)}"}
        return drafts.begin(OWN, fields, ANA, tenants=None).public_id

    def link(self) -> str:
        seen = self.row.links.count()
        return links.issue(self.row.public_id, LinkKind.GUIDE, ANA, tenants=None, seen=seen).link.public_id

    def key(self) -> str:
        tenant = Tenant.objects.get(slug=OWN)
        return api_keys.issue(CANARY, ["token:read"], ANA, tenants=[tenant]).row.prefix

    def attempt(self) -> None:
        """And an event: a test that finds nobody at home."""
        if not self.row.attempts.exists():
            actions.test(self.row.public_id, ANA)

    def note(self) -> int:
        desk.write_note(self.row.public_id, ANA, tenants=None, text=CANARY)
        return self.row.notes.latest("pk").pk

    def failure(self) -> str:
        """The group of a failed attempt of the connection."""
        Attempt.objects.filter(connection=self.row, number=1).update(diagnosis_code="timeout", failure="0123456789ab")
        return "0123456789ab"


def make(draft: Draft) -> World:
    row = draft(CANARY, tenant=OWN, contact_name=CANARY, external_id=CANARY, tags=[CANARY])
    Tenant.objects.get_or_create(slug=OTHER, defaults={"name": OTHER})
    return World(row=row, someone=person("viewer", name="someone"))


def missing(address: Address, page: Page) -> dict[str, object]:
    """Names of things that do not exist, in the right shape."""
    nothing = {"public_id": "c_0000000000", "draft_id": "d_0000000000", "link_id": "l_0000000000", "prefix": "00000000"}
    nothing["failure"] = "0" * 12
    return {name: page.values.get(name, nothing.get(name, "nothing")) for name in address.parameters}


def gates(page: Page) -> Iterator[tuple[str, Gate]]:
    if page.get is not None:
        yield "GET", page.get
    if page.post is not None:
        yield "POST", page.post
