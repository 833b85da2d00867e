"""What the processes of one node share about a host: how much it has heard lately, and its places for grants.

Each is a small file, locked while it is looked at; the kernel takes back the lock of whoever dies. A disk that does
not work leaves each process to count for itself: pacing is a courtesy, a grant must not fail by it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

_BUCKET = struct.Struct("=dd")  # tokens left, when that was counted
LOCK_SECONDS = 0.1  # a look lasts microseconds: who holds the lock longer was stopped in the middle of it
LOCK_POLL = 0.002
FORGOTTEN_AFTER = 86_400  # seconds


class Node:
    """Files below `folder`, made when they are needed; what nobody used for a day is removed at the next start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep()

    @contextlib.contextmanager
    def bucket(self, host: tuple[str, int]) -> Iterator[_Bucket | None]:
        """The host's bucket, held: `read` it, `write` it. None where it cannot be had."""
        with self._locked(_name(host), LOCK_SECONDS) as file:
            yield _Bucket(file) if file is not None else None

    def take_place(self, host: tuple[str, int], places: int) -> int | None:
        """A descriptor that holds one of the places until it is closed; None: all are taken. Raises OSError."""
        for number in range(places):
            file = self._open(f"{_name(host)}.{number}")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.utime(file)
            except BlockingIOError:
                os.close(file)
            except OSError:
                os.close(file)
                raise
            else:
                return file
        return None

    @contextlib.contextmanager
    def _locked(self, name: str, seconds: float) -> Iterator[int | None]:
        try:
            file = self._open(name)
        except OSError:
            yield None
            return
        try:
            yield file if _lock(file, seconds) else None
        finally:
            os.close(file)

    def _open(self, name: str) -> int:
        return os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _sweep(self) -> None:
        before = time.time() - FORGOTTEN_AFTER
        for entry in os.scandir(self._folder):
            with contextlib.suppress(OSError):
                if entry.stat().st_mtime < before:
                    Path(entry).unlink()


class _Bucket:
    __slots__ = ("_file",)

    def __init__(self, file: int) -> None:
        self._file = file

    def read(self) -> tuple[float, float] | None:
        """Tokens and when they were counted; None: nobody has counted yet."""
        with contextlib.suppress(OSError, struct.error):
            tokens, at = _BUCKET.unpack(os.pread(self._file, _BUCKET.size, 0))
            return tokens, at
        return None

    def write(self, tokens: float, at: float) -> None:
        with contextlib.suppress(OSError):
            os.pwrite(self._file, _BUCKET.pack(tokens, at), 0)


def _name(host: tuple[str, int]) -> str:
    """No host name becomes a file name."""
    return hashlib.sha256(f"{host[0]}:{host[1]}".encode()).hexdigest()[:32]


def _lock(file: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(LOCK_POLL)
        except OSError:
            return False
        else:
            return True
