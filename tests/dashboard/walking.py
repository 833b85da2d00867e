"""Walks through the wizard as a browser without scripts does: forms and redirects."""

from __future__ import annotations

import html
import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.test import Client

from connections.models import Connection, Draft
from connections.simulator import SimulatorServer
from connections.simulator.control import InstanceControl
from tests.dashboard.people import signed_in
from tests.dashboard.sending import send

PASSWORD = "canary-password"
_names = itertools.count(1)


@dataclass
class Walk:
    """One person, one draft, one instance."""

    simulator: SimulatorServer
    sugar: InstanceControl
    client: Client = field(default_factory=signed_in)
    base: str = ""

    @property
    def url(self) -> str:
        return self.simulator.instance_url(self.sugar.name)

    @property
    def draft(self) -> Draft:
        return Draft.objects.select_related("connection").get(public_id=self.base.split("/")[3])

    @property
    def row(self) -> Connection:
        row = self.draft.connection
        assert row is not None
        return Connection.objects.get(pk=row.pk)

    def begin(self, pasted: str = "", **given: Any) -> HttpResponse:
        data = {"tenant": "acme", "label": "Acme EU", "instance_url": pasted or f"{self.url}/#Accounts/abc", **given}
        response = self.client.post("/connections/new/", data)
        if response.status_code == 302:
            self.base = re.sub(r"address/$", "", response.headers["Location"])
        return response

    def get(self, step: str = "") -> str:
        return text_of(self.client.get(f"{self.base}{step}", follow=True))

    def post(self, step: str, **data: Any) -> HttpResponse:
        return send(self.client, f"{self.base}{step}/", data)

    def describe(self, platform: str = "sugaradmin_acme") -> None:
        """The first two steps, with a platform that the instance knows."""
        self.begin()
        self.sugar.add_platform(platform)
        assert self.post("platform", platform=platform).status_code == 302

    def sign_up(self, password: str = PASSWORD, **given: Any) -> HttpResponse:
        data = {"username": "svc", "password": password, "store_password": "on", "client_id": "sugar", **given}
        return self.post("credentials", **{name: value for name, value in data.items() if value})

    def ready(self, password: str = PASSWORD, **given: Any) -> None:
        """Up to the test; Sugar knows the user by this password."""
        self.sugar.admin_change_password("svc", PASSWORD)
        self.describe()
        assert self.sign_up(password, **given).status_code == 302


def walk_on(simulator: SimulatorServer, preset: str = "13.3", **own: Any) -> Walk:
    name = f"w{next(_names)}"
    return Walk(simulator=simulator, sugar=simulator.control.add_instance(name, preset, cleanup_probability=0, **own))


def text_of(response: Any) -> str:
    """What a person reads: no tags, no entities, single spaces."""
    assert response.status_code in (200, 409, 410, 422), response.status_code
    body = response.content.decode()
    main = body[body.index("<main") : body.index("</main>")] if "<main" in body else body
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))
