"""How an installation is: what `doctor` tells a person and `/readyz` tells a machine.

Each examination looks at one thing and answers with findings; none changes anything.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from time import perf_counter
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Max, Min, Q
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_q.brokers import get_broker

from connections.custody import audit_proof, identity, keycheck, tenant_keys
from connections.models import AuditCheck, Connection, Heartbeat, database_now
from sugaradmin.keys import KEY_FILES

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

SILENT_BEATS = 4
LATE = timedelta(minutes=5)
LONG_QUEUE = 1_000
CLOCK_SKEW = timedelta(seconds=5)
LEAST_FREE_BYTES = 100 * 1024 * 1024
LITTLE_FREE_BYTES = 1024 * 1024 * 1024
SLOW_QUERY_MS = 250
LOOK_AGAIN = "manage.py doctor"
START_WORKER = "manage.py serve --only worker"
QUEUE_PROCESSES = 8


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


TITLES: dict[str, StrPromise] = {
    "settings": gettext_lazy("Settings"),
    "data_directory": gettext_lazy("Data directory"),
    "disk": gettext_lazy("Disk"),
    "database": gettext_lazy("Database"),
    "pool": gettext_lazy("Database pool"),
    "migrations": gettext_lazy("Migrations"),
    "keys": gettext_lazy("Keys"),
    "copy": gettext_lazy("Copy"),
    "audit": gettext_lazy("Audit"),
    "worker": gettext_lazy("Worker"),
    "queue": gettext_lazy("Queue"),
    "due": gettext_lazy("Due"),
    "spool": gettext_lazy("Spool"),
    "clock": gettext_lazy("Clock"),
    "mail": gettext_lazy("Mail"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor: what was looked at, how it is, and what to do where it is not well, in words and, where
    it is broken, as the command to run. `name` is for programs, `title` and the sentences for people."""

    name: str
    level: Level
    sentence: str
    remedy: str = ""
    command: str = ""

    @property
    def title(self) -> str:
        return str(TITLES[self.name])


def examine() -> list[Finding]:
    """Everything, in the order in which a person would mend it. Never raises on trouble of the database."""
    return [finding for examination in EXAMINATIONS for finding in _safely(examination)]


def pending_migrations() -> list[str]:
    """Names of migrations that this release has and the database has not."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    targets = executor.loader.graph.leaf_nodes()
    return [f"{migration.app_label}.{migration.name}" for migration, _ in executor.migration_plan(targets)]


def _safely(examination: Callable[[], Iterator[Finding]]) -> list[Finding]:
    name = examination.__name__.removeprefix("_")
    try:
        return list(examination())
    except DatabaseError as error:
        words = " ".join(str(error).split()[:12])
        remedy = _("Look at DATABASE_URL and at the database, then examine all once more.")
        return [_fail(name, _("The database did not answer: %s…") % words, remedy, command=LOOK_AGAIN)]


def _ok(name: str, sentence: str) -> Finding:
    return Finding(name=name, level=Level.OK, sentence=sentence)


def _warn(name: str, sentence: str, remedy: str, *, command: str = "") -> Finding:
    return Finding(name=name, level=Level.WARN, sentence=sentence, remedy=remedy, command=command)


def _fail(name: str, sentence: str, remedy: str, *, command: str) -> Finding:
    return Finding(name=name, level=Level.FAIL, sentence=sentence, remedy=remedy, command=command)


def _settings() -> Iterator[Finding]:
    config = settings.SUGARADMIN
    if config.development:
        yield _warn(
            "settings", _("This is a development installation."), _("Set SUGARADMIN_ENV=production for real use.")
        )
        return
    if config.base_url.partition("://")[2].split(":")[0] in {"localhost", "127.0.0.1"}:
        yield _warn("settings", _("Links in mails point at this machine."), _("Set SUGARADMIN_BASE_URL."))
    if config.allow_http:
        remedy = _("Give the instances TLS; unset SUGARADMIN_ALLOW_HTTP.")
        yield _warn("settings", _("Tokens may travel unencrypted."), remedy)
    known = {"url": config.base_url, "id": config.instance_id}
    yield _ok("settings", _("Production at %(url)s, instance %(id)s.") % known)


def _data_directory() -> Iterator[Finding]:
    directory = settings.SUGARADMIN.data_dir
    if not os.access(directory, os.W_OK | os.X_OK):
        remedy = _("Give it to the user that runs Sugaradmin.")
        command = f"sudo chown -R {os.getuid()} {directory}"
        yield _fail("data_directory", _("%s is not writable.") % directory, remedy, command=command)
        return
    # The files are what counts: an operator's directory may be listed by others.
    paths = [directory / name for name in KEY_FILES if (directory / name).exists()]
    opened = [path.name for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if opened:
        names = ", ".join(opened)
        remedy = _("Close it to them.")
        yield _fail("data_directory", _("Others may read %s.") % names, remedy, command=f"chmod -R go-rwx {directory}")
    else:
        yield _ok("data_directory", _("%s is writable and closed to others.") % directory)


def _disk() -> Iterator[Finding]:
    """Of the data directory: an answer of Sugar that cannot be spooled there may be lost."""
    directory = settings.SUGARADMIN.data_dir
    try:
        usage = shutil.disk_usage(directory)
    except OSError as error:
        sentence = _("The disk of %(directory)s cannot be looked at: %(error)s.")
        told = {"directory": directory, "error": error.strerror}
        yield _fail("disk", sentence % told, _("Make the directory."), command=f"mkdir -m 700 -p {directory}")
        return
    sentence = _("%(free)s of %(total)s are free.")
    told = {"free": filesizeformat(usage.free), "total": filesizeformat(usage.total)}
    remedy = _("Make room: without it an answer of Sugar cannot be kept while the database is away.")
    command = f"du -xh {directory} | sort -h | tail"
    if usage.free < LEAST_FREE_BYTES:
        yield _fail("disk", sentence % told, remedy, command=command)
    elif usage.free < LITTLE_FREE_BYTES:
        yield _warn("disk", sentence % told, remedy, command=command)
    else:
        yield _ok("disk", sentence % told)


def _database() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version")
        version = cursor.fetchone()[0]
        begun = perf_counter()
        cursor.execute("SELECT 1")
        cursor.fetchone()
    took = (perf_counter() - begun) * 1000
    sentence = _("%(database)s answers in %(ms).1f ms.")
    told = {"database": f"{connection.display_name} {version}", "ms": took}
    if took > SLOW_QUERY_MS:
        remedy = _("Every page and every grant waits for it many times: look at its load, and at the network between.")
        yield _warn("database", sentence % told, remedy)
    else:
        yield _ok("database", sentence % told)
    if connection.vendor == "postgresql":
        yield from _pool()


def _pool() -> Iterator[Finding]:
    """All processes of this node together must not ask for more than the server gives."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_connections")
        most = int(cursor.fetchone()[0])
    size = settings.DATABASES[DEFAULT_DB_ALIAS]["OPTIONS"].get("pool", {}).get("max_size", 0)
    wanted = size * (settings.SUGARADMIN.web_processes + QUEUE_PROCESSES)
    told = {"size": size, "wanted": wanted, "most": most}
    if wanted > most:
        remedy = _("Lower SUGARADMIN_DATABASE_POOL or raise max_connections.")
        yield _warn("pool", _("This node may ask for %(wanted)d connections; the server has %(most)d.") % told, remedy)
    else:
        text = _("Up to %(size)d connections a process, %(wanted)d in all of the server's %(most)d.")
        yield _ok("pool", text % told)


def _migrations() -> Iterator[Finding]:
    pending = pending_migrations()
    if pending:
        told = {"count": len(pending), "first": pending[0]}
        sentence = _("%(count)d not applied, first %(first)s.") % told
        yield _fail("migrations", sentence, _("Apply them."), command="manage.py migrate")
    else:
        yield _ok("migrations", _("All applied."))


def _keys() -> Iterator[Finding]:
    trouble = keycheck.trouble()
    if trouble:
        remedy = _("Put the right key back where it was; nothing was deleted.")
        yield _fail("keys", trouble, remedy, command=LOOK_AGAIN)
    elif spoilt := keycheck.file_trouble():
        remedy = _(
            "Put the file back before anything is restarted: what runs still has the keys, the next start would not."
        )
        yield _fail("keys", spoilt, remedy, command=LOOK_AGAIN)
    else:
        yield _ok("keys", _("Every key fits what it sealed."))
    for tenant, reason in [] if trouble else tenant_keys.missing():
        remedy = _("Put the file back into SUGARADMIN_TENANT_KEYS; only if it is lost for good, give it up.")
        sentence = _("The own key of tenant %(tenant)s does not open: %(reason)s")
        command = f"manage.py rotate_encryption_key --give-up {tenant.data_key}"
        yield _fail("keys", sentence % {"tenant": tenant, "reason": reason}, remedy, command=command)


def _copy() -> Iterator[Finding]:
    verdict = identity.look()
    if verdict.reason:
        remedy = _("Before you confirm, stop the other one: two on the same connections end each other's sessions.")
        yield _fail(
            "copy", _("Custody is read-only: %s") % verdict.reason, remedy, command="manage.py confirm_database"
        )
    else:
        known = ", ".join(verdict.here.place) or _("nothing but its instance id")
        yield _ok("copy", _("This is no copy of another installation (known by: %s).") % known)


def _audit() -> Iterator[Finding]:
    """The walk itself takes its time: the background does it every day, `verify_audit` now."""
    missing = ", ".join(sorted(audit_proof.missing_guards()))
    if missing:
        remedy = _("Put it back (migrations/*_audit_*.py have the statements), then walk along the audit.")
        sentence = _("The database would let the audit be changed: %s is missing.")
        yield _fail("audit", sentence % missing, remedy, command="manage.py verify_audit")
    walked = AuditCheck.objects.first()
    if walked and walked.broken_at:
        remedy = _("Read “Incidents” in docs/security.md, then walk along it again.")
        sentence = _("The audit was tampered with: row %d does not follow.")
        yield _fail("audit", sentence % walked.broken_at, remedy, command="manage.py verify_audit")
    elif walked and not missing:
        told = {"row": walked.head.partition(":")[0] or 0, "at": f"{walked.at:%Y-%m-%d %H:%M} UTC"}
        yield _ok("audit", _("The database refuses to change it; whole up to row %(row)s at %(at)s.") % told)
    elif not missing:
        yield _ok("audit", _("The database refuses to change it; nobody has walked along it yet."))


def _worker() -> Iterator[Finding]:
    newest = Heartbeat.objects.aggregate(newest=Max("beat_at"))["newest"]
    start = _("Start it, alone or together with the web (manage.py serve).")
    if newest is None:
        yield _warn("worker", _("The background worker has never run."), start, command=START_WORKER)
        return
    age = database_now() - newest
    if age > settings.SUGARADMIN.heartbeat * SILENT_BEATS:
        sentence = _("Silent for %d s: refreshes are not running.") % age.total_seconds()
        yield _fail("worker", sentence, start, command=START_WORKER)
    else:
        yield _ok("worker", _("Last sign of life %d s ago.") % age.total_seconds())


def _queue() -> Iterator[Finding]:
    depth = get_broker().queue_size()
    sentence = ngettext("%(count)d task waits.", "%(count)d tasks wait.", depth) % {"count": depth}
    if depth > LONG_QUEUE:
        yield _warn("queue", sentence, _("Add a worker node, or look for one that hangs in the log."))
    else:
        yield _ok("queue", sentence)


def _due() -> Iterator[Finding]:
    """How late the background is, by what waits for it now: a refresh that has begun keeps no due time."""
    now = database_now()
    due = Connection.objects.present().filter(due_at__lte=now)
    found = due.aggregate(oldest=Min("due_at"), late=Count("pk", filter=Q(due_at__lt=now - LATE)))
    seconds = (now - found["oldest"]).total_seconds() if found["oldest"] else 0
    if found["late"]:
        sentence = ngettext(
            "%(count)d connection was due over 5 minutes ago, %(seconds)d s at the most.",
            "%(count)d connections were due over 5 minutes ago, %(seconds)d s at the most.",
            found["late"],
        ) % {"count": found["late"], "seconds": seconds}
        yield _fail("due", sentence, _("See worker and queue above; another worker helps."), command=START_WORKER)
    elif found["oldest"]:
        yield _ok("due", _("What has waited longest for its refresh or look was due %d s ago.") % seconds)
    else:
        yield _ok("due", _("Nothing is due that has not begun."))


def _spool() -> Iterator[Finding]:
    files = list(settings.SUGARADMIN.spool_dir.glob("*.json"))
    if files:
        text = ngettext(
            "%(count)d answer waits on disk for the database.", "%(count)d answers wait on disk for the database.",
            len(files),
        )  # fmt: skip
        remedy = _("They are replayed when the worker starts; keep them and their keys until they are gone.")
        yield _warn("spool", text % {"count": len(files)}, remedy)
    else:
        yield _ok("spool", _("No answer waits on disk."))


def _clock() -> Iterator[Finding]:
    skew = abs(database_now() - datetime.now(UTC))
    if skew > CLOCK_SKEW:
        remedy = _("Run a time service on both. Custody goes by the database's clock; logs and pages may mislead.")
        yield _warn("clock", _("This node and the database differ by %d s.") % skew.total_seconds(), remedy)
    else:
        yield _ok("clock", _("This node and the database differ by %d ms.") % (skew.total_seconds() * 1000))


def _mail() -> Iterator[Finding]:
    """Whether mail may leave, not whether it arrives: nothing is sent from here."""
    mail = settings.SUGARADMIN.mail
    known = {"host": mail.host, "port": mail.port, "sender": mail.sender}
    if not mail.host:
        yield _ok("mail", _("Not set up: no letters, and who forgot a password asks an admin (SUGARADMIN_MAIL_HOST)."))
    elif mail.security == "none":
        remedy = _("Set SUGARADMIN_MAIL_SECURITY to starttls or tls.")
        yield _warn("mail", _("Letters to %(host)s:%(port)d travel unencrypted, with links in them.") % known, remedy)
    else:
        yield _ok("mail", _("Letters leave by %(host)s:%(port)d, from %(sender)s.") % known)


EXAMINATIONS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _settings, _data_directory, _disk, _database, _migrations, _keys, _copy, _audit, _worker, _queue, _due, _spool,
    _clock, _mail,
)  # fmt: skip
