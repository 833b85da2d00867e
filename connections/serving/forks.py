"""A fork must not share its parent's database: sockets would carry two conversations, a pool would have no threads."""

from __future__ import annotations

import os
from typing import Any

from django.db import connections

_abandoned: list[Any] = []


def forget_connections_after_fork() -> None:
    os.register_at_fork(after_in_child=_forget_connections)


def _forget_connections() -> None:
    """Leave the parent's connections alone: closing them here would say goodbye in the parent's name."""
    for connection in connections.all(initialized_only=True):
        _abandoned.append(connection.connection)
        connection.connection = None
        pools = getattr(type(connection), "_connection_pools", None)
        if pools:
            _abandoned.extend(pools.values())
            pools.clear()
