"""The project: settings, environment, addresses. No logic of the product."""

from __future__ import annotations

__version__ = "0.1.0"
