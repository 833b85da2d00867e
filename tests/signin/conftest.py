"""People at the door."""

from __future__ import annotations

from tests.custody.conftest import connect, simulator
from tests.dashboard.conftest import draft

__all__ = ["connect", "draft", "simulator"]
