"""DATABASE_URL as Django's DATABASES: PostgreSQL through a pool, or SQLite tuned so that writers queue, not fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote

from django.db import InterfaceError, OperationalError

from sugaradmin.env import EnvError, Environment

POSTGRES_SCHEMES = ("postgres", "postgresql")
SQLITE_WAIT = 20
# WAL lets readers go on while one writes; FULL makes a commit survive a power cut, which NORMAL does not under WAL.
SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON"
DEFAULT_POOL = 12
POOL_WAIT = 10
# SQLite says it in words alone, PostgreSQL by the class of its error.
NO_SUCH_THING = ("no such table", "no such column")
UNDEFINED = ("UndefinedTable", "UndefinedColumn")


def databases(env: Environment, *, data_dir: Path) -> dict[str, dict[str, Any]]:
    """The one database, "default"."""
    pool = env.integer("SUGARADMIN_DATABASE_POOL", DEFAULT_POOL, least=2, most=500)
    parts = _database_url(env)
    if parts is None:
        return {"default": sqlite(data_dir / "sugaradmin.sqlite3")}
    if parts.scheme == "sqlite":
        return {"default": sqlite(_sqlite_path(parts))}
    return {"default": postgres(parts, pool=pool)}


def sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {"timeout": SQLITE_WAIT, "transaction_mode": "IMMEDIATE", "init_command": SQLITE_PRAGMAS},
    }


def postgres(parts: SplitResult, *, pool: int) -> dict[str, Any]:
    """A host that begins with a slash, given as `?host=/run/postgresql`, is a socket directory."""
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", parts.hostname or "")
    options["pool"] = {"min_size": 1, "max_size": pool, "timeout": POOL_WAIT, "max_idle": 300}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or options.pop("port", "")),
        "CONN_MAX_AGE": 0,
        "OPTIONS": options,
    }


def line_about(error: Exception) -> str:
    """What an operator should know of it: it does not answer, or is not ours yet. Empty: an error of our own."""
    said = next(iter(str(error).splitlines()), "")
    if type(error.__cause__).__name__ in UNDEFINED or said.startswith(NO_SUCH_THING):
        return "The database has not the tables of this version: `serve` makes them when it starts, or run `migrate`."
    if isinstance(error, OperationalError | InterfaceError):
        return f"The database does not answer, or refuses: {said}"
    return ""


def redis_url(env: Environment) -> str:
    """Where the queue and the cache live, or empty. The text is checked, and handed on as it is."""
    value = env.secret("REDIS_URL", example="redis://host:6379/0")
    parts = Environment({"REDIS_URL": value}).url("REDIS_URL", schemes=("unix", "rediss", "redis"))
    if parts is not None and not (parts.path if parts.scheme == "unix" else parts.hostname):
        raise EnvError("REDIS_URL names no host; write for example redis://host:6379/0.")
    return value


def _database_url(env: Environment) -> SplitResult | None:
    value = env.secret("DATABASE_URL", example="postgresql://user:password@host/name")
    return Environment({"DATABASE_URL": value}).url("DATABASE_URL", schemes=("sqlite", *POSTGRES_SCHEMES))


def _sqlite_path(parts: SplitResult) -> Path:
    """`sqlite:///relative/file` or `sqlite:////absolute/file`, as other Django projects write it."""
    path = unquote(parts.path)[1:]
    if parts.netloc or not path or path == ":memory:":
        raise EnvError(
            "DATABASE_URL must name a file for SQLite, as in sqlite:////var/lib/sugaradmin/sugaradmin.sqlite3"
        )
    return Path(path).absolute()
