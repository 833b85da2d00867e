"""A file that is whole or not there, whenever the power goes."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Durable when it returns; readable by its owner alone. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _finished_draft(path, text).rename(path)
    _sync(path.parent)


def write_new(path: Path, text: str) -> None:
    """The same for a name that must be free. Raises FileExistsError, OSError; its folder must be there."""
    unfinished = _finished_draft(path, text)
    try:
        os.link(unfinished, path)
    finally:
        unfinished.unlink()
    _sync(path.parent)


def destroy(path: Path) -> None:
    """Overwritten, then gone, and with it what a writer that died has left. Not there: done. Raises OSError."""
    for one in (path, *path.parent.glob(f".{path.stem}.*.tmp")):
        if one.exists():
            _overwrite(one)
            one.unlink(missing_ok=True)
    _sync(path.parent)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Held by one process of this machine at a time; the others wait. Raises OSError."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)
        file.flush()
        os.fsync(file.fileno())


def _finished_draft(path: Path, text: str) -> Path:
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.{threading.get_ident()}.tmp")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return unfinished


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
