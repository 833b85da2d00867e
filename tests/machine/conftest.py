from __future__ import annotations

from tests.custody.conftest import clock, connect, crash, simulator
from tests.scenarios.conftest import scene

__all__ = ["clock", "connect", "crash", "scene", "simulator"]
