"""Connections and people for the pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connections.custody import guard
from connections.models import Connection
from connections.onboarding import registry
from tests.conftest import Configured
from tests.custody.conftest import ANA, connect, simulator

__all__ = ["connect", "simulator"]
Draft = Callable[..., Connection]


@pytest.fixture(autouse=True)
def _unremembering() -> None:
    guard.forget()


@pytest.fixture
def draft(db: None, configured: Configured) -> Draft:
    """A connection that never signed in; nothing is sent for it."""
    configured(allow_http=True)

    def make(label: str = "Acme EU", *, tenant: str = "acme", **fields: object) -> Connection:
        values = {
            "label": label,
            "instance_url": f"http://127.0.0.1:9/{label.replace(' ', '')}",
            "platform": "intg",
            "username": "svc",
            "password": "canary-password",
        } | fields
        return registry.create(tenant, values, ANA)

    return make
