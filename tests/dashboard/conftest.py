"""Connections and people for the pages."""

from __future__ import annotations

from tests.custody.conftest import connect, simulator

__all__ = ["connect", "simulator"]
