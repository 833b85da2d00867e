from __future__ import annotations

import pytest

from connections.api import denials, keys
from tests.authorization import world as worlds
from tests.authorization.world import World
from tests.custody.conftest import connect, simulator
from tests.dashboard.conftest import Draft, _unremembering, draft

__all__ = ["_unremembering", "connect", "draft", "simulator"]


@pytest.fixture(autouse=True)
def _forgetful() -> None:
    keys.forget()
    denials.forget()


@pytest.fixture
def world(draft: Draft) -> World:
    return worlds.make(draft)
