"""The settings of a demo: everything on this machine, in a directory of its own, with waits short enough to watch."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from django.conf import settings

from sugaradmin.env import SETTINGS_MODULE, inherited
from sugaradmin.keys import KEY_FILES

FOLDER = "demo"
LOCK = "demo.lock"
SIMULATOR = "simulator.url"
ASLEEP = "background.asleep"
SETTINGS = "connections.demo.settings"
# What a real installation was told must not leak into a demo, least of all its database and its keys.
NOT_OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "SUGARADMIN_SECRET_KEY",
    "SUGARADMIN_ENCRYPTION_KEYS",
    "SUGARADMIN_FINGERPRINT_KEY",
    "SUGARADMIN_INSTANCE_ID",
    "SUGARADMIN_ALLOWED_HOSTS",
    "SUGARADMIN_MAIL_HOST",
)
# Small enough that a lost answer is resolved, a proof made and a host probed while one watches.
UNLESS_GIVEN = {
    "SUGARADMIN_GRANT_DEADLINE_SECONDS": "8",
    "SUGARADMIN_SERVER_SECONDS": "10",
    "SUGARADMIN_SESSION_CHECK_SECONDS": "15",
    "SUGARADMIN_LOOK_SECONDS": "15",
    "SUGARADMIN_HOST_PROBE_SECONDS": "10",
    "SUGARADMIN_RETRY_SECONDS": "10",
    "SUGARADMIN_TICK_SECONDS": "2",
    "SUGARADMIN_INSTANCE_RATE": "50",
    "SUGARADMIN_WEB_PROCESSES": "1",
    "SUGARADMIN_LOG_LEVEL": "error",
}


class CannotPerform(Exception):
    """One line: why no demo was started; nothing was touched."""


def move_in(arguments: Sequence[str], *, host: str, port: int) -> None:
    """Begin this program again in the surroundings of a demo; returns never. Settings are read once, at the start."""
    ours = {
        SETTINGS_MODULE: SETTINGS,
        "SUGARADMIN_ENV": "development",
        "SUGARADMIN_DATA_DIR": str(folder()),
        "SUGARADMIN_BASE_URL": f"http://{f'[{host}]' if ':' in host else host}:{port}",
        "SUGARADMIN_ALLOW_HTTP": "yes",
        "SUGARADMIN_ALLOWED_NETWORKS": "127.0.0.0/8",
    }
    unset = (*NOT_OURS, *(f"{name}_FILE" for name in NOT_OURS))
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    variables = inherited(ours, unless_given=UNLESS_GIVEN, unset=unset)
    os.execve(sys.executable, [sys.executable, manage, *arguments], variables)  # noqa: S606  our own program


def folder() -> Path:
    """Below the data directory, unless that is a demo's already."""
    given: Path = settings.SUGARADMIN.data_dir
    return given if given.name == FOLDER else given / FOLDER


def occupy() -> IO[str]:
    """This directory is ours while the file is open, and empty but for its keys. Raises CannotPerform."""
    place: Path = settings.SUGARADMIN.data_dir
    if not (place / LOCK).exists() and any(place.glob("*.sqlite3")):
        raise CannotPerform(f"{place} holds a database that no demo made; a demo would empty it.")
    lock = (place / LOCK).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise CannotPerform(f"A demo runs in {place} already.") from None
    for left in place.iterdir():
        if left.name not in (LOCK, *KEY_FILES):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    return lock


def note_simulator(url: str) -> None:
    """Where the pages of the demo find it: they run in processes of their own."""
    (settings.SUGARADMIN.data_dir / SIMULATOR).write_text(url, encoding="utf-8")


def simulator_url() -> str:
    return str((settings.SUGARADMIN.data_dir / SIMULATOR).read_text(encoding="utf-8"))


def note_sleep(*, over: bool = False) -> None:
    """Whoever put the background to sleep is not always the process that is asked for the page."""
    note: Path = settings.SUGARADMIN.data_dir / ASLEEP
    if over:
        note.unlink(missing_ok=True)
    else:
        note.touch()


def is_background_asleep() -> bool:
    """At once, and not only when its silence is noticed."""
    return bool((settings.SUGARADMIN.data_dir / ASLEEP).exists())


def free_port(host: str) -> int:
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        return int(probe.getsockname()[1])
