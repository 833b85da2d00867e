"""What must be true before anything serves: tables, cache table, known keys, static files. One node at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from connections.custody import copies, durable, guard
from connections.custody.audit import Actor
from connections.custody.problems import Conflict
from connections.onboarding import invitations
from sugaradmin import __version__

# Any number will do, as long as every release uses the same.
MIGRATION_LOCK = 0x5347_4144_4D49_4E01
STATIC_STAMP = "collected-for-version"


def prepare(*, static: bool) -> None:
    """Migrate under a lock and collect static files where this release has not; safe on many nodes at once."""
    with migration_lock():
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        guard.key_trouble()  # the first look of an installation keeps what it sees, and says what is wrong
        copies.check()
    disconnect()
    if static and not settings.SUGARADMIN.development:
        _collect_static()


def first_steps(site: str, *, is_private: bool) -> str:
    """How to make the first administrator of this site while there is nobody; else nothing. `is_private`: what is said
    is seen by a person at this machine, and kept in no log."""
    try:
        if get_user_model()._default_manager.exists():
            return ""
        if not is_private:
            return "Nobody can sign in yet; make the first administrator: manage.py create_staff NAME --role admin"
        with migration_lock():  # of nodes that start together the last one's link works
            issued = invitations.invite_first_admin(Actor(kind="command", name="serve"))
    except Conflict as refused:
        return f"Nobody can sign in yet, and nobody can be let in: {refused.detail}"
    finally:
        disconnect()
    return f"Nobody can sign in yet. Make the first administrator at {site.rstrip('/')}{issued.path} (24 hours, once)."


@contextmanager
def migration_lock() -> Iterator[None]:
    """Held by one process of the whole installation: an advisory lock on PostgreSQL, a locked file beside SQLite."""
    lock = (
        _postgres_lock()
        if connection.vendor == "postgresql"
        else durable.alone(settings.SUGARADMIN.data_dir / "migrate.lock")
    )
    with lock:
        yield


def disconnect() -> None:
    """Give the database back: the parent of a site holds no connection while it waits."""
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # type: ignore[attr-defined]  # only this backend has a pool


@contextmanager
def _postgres_lock() -> Iterator[None]:
    # A connection of its own, outside the pool: the lock belongs to the session, and errors come at once and plain.
    session = _alone(connections[DEFAULT_DB_ALIAS])
    try:
        with session.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        yield
    finally:
        session.close()


def _alone(pooled: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    options = {name: value for name, value in pooled.settings_dict["OPTIONS"].items() if name != "pool"}
    return type(pooled)({**pooled.settings_dict, "OPTIONS": options}, alias=pooled.alias)


def _collect_static() -> None:
    """Once per release: pages of a release that was not collected would fail one by one."""
    stamp = Path(settings.STATIC_ROOT) / STATIC_STAMP
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == __version__:
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(__version__, encoding="utf-8")
