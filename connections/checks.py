"""System checks: settings under which custody would not keep its promises stop every command.

connections.E001  SQLite whose writers do not queue or whose commits may be lost
connections.E002  a database that is neither PostgreSQL nor SQLite
connections.E003  PostgreSQL with connections that outlive their request
connections.W001  production on pages whose static files were never collected
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

SQLITE = "django.db.backends.sqlite3"
POSTGRES = "django.db.backends.postgresql"
LEAST_SQLITE_WAIT = 20


def register_all() -> None:
    # Not tagged as one of the database: those run only when a command asks, and this looks at settings alone.
    register(database_keeps_promises)
    register(static_files_are_collected, Tags.staticfiles, deploy=True)


def database_keeps_promises(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    default = settings.DATABASES["default"]
    options = default.get("OPTIONS", {})
    if default["ENGINE"] == SQLITE:
        return _sqlite_queues_its_writers(options)
    if default["ENGINE"] != POSTGRES:
        return [Error("Custody needs PostgreSQL or SQLite.", hint="Set DATABASE_URL.", id="connections.E002")]
    if default.get("CONN_MAX_AGE", 0) != 0:
        return [Error("Connections outlive their request.", hint="Set CONN_MAX_AGE to 0.", id="connections.E003")]
    return []


def static_files_are_collected(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    if settings.SUGARADMIN.development or (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        return []
    return [
        Warning(
            "The static files of the pages were not collected.",
            hint="Run: manage.py collectstatic --noinput (serve does it by itself).",
            id="connections.W001",
        )
    ]


def _sqlite_queues_its_writers(options: dict[str, Any]) -> list[CheckMessage]:
    """IMMEDIATE takes the write lock first, so two claims cannot both read and then both write."""
    pragmas = re.sub(r"\s", "", options.get("init_command", "")).lower()
    wanted = {
        "transaction_mode=IMMEDIATE": options.get("transaction_mode") == "IMMEDIATE",
        f"timeout>={LEAST_SQLITE_WAIT}": options.get("timeout", 0) >= LEAST_SQLITE_WAIT,
        "journal_mode=WAL": "journal_mode=wal" in pragmas,
        "synchronous=FULL": "synchronous=full" in pragmas,
    }
    missing = [name for name, is_set in wanted.items() if not is_set]
    if not missing:
        return []
    return [
        Error(
            f"SQLite without {', '.join(missing)} can lose a commit or refuse a writer.",
            hint="Let sugaradmin.databases.sqlite() make the settings.",
            id="connections.E001",
        )
    ]
