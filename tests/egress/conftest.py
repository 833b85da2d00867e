"""Doors that lead to loopback only."""

from __future__ import annotations

import pytest

from connections.egress import Egress, Policy
from tests.egress.listener import Authority


@pytest.fixture
def egress() -> Egress:
    """As in development: loopback and plain http are allowed; every name leads to 127.0.0.1."""
    policy = Policy(user_agent="Sugaradmin/test", allow_http=True, allow_loopback=True)
    return Egress(policy, resolver=lambda _host, _port: ["127.0.0.1"])


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))
