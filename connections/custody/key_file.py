"""The file of encryption keys, where it is ours to change: every process reads it anew whenever it has changed.

It holds what SUGARADMIN_ENCRYPTION_KEYS would: `id:base64,…`, the first of which seals. Whoever changes it holds the
lock beside it and puts a whole new file in its place; a key that is taken out goes to the file of retired ones first,
since a backup may need it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from connections.custody import durable
from connections.vault import Keyring, VaultError
from sugaradmin.keys import RETIRED_KEYS

Entries = list[str]


class _Read(NamedTuple):
    path: Path
    stamp: tuple[int, int, int]
    ring: Keyring


_last: _Read | None = None


def ring(path: Path) -> Keyring | None:
    """The keys in the file. One that is gone or spoilt leaves this process with those that it read; None before any."""
    global _last
    known = _last if _last is not None and _last.path == path else None
    try:
        stamp = _stamp(path)
        if known is not None and known.stamp == stamp:
            return known.ring
        read = Keyring.parse(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError, VaultError):
        return known.ring if known is not None else None
    _last = _Read(path, stamp, read)
    return read


def trouble(path: Path) -> str:
    """Why the next start would find no keys here; empty when all is well."""
    try:
        Keyring.parse(path.read_text(encoding="utf-8").strip())
    except VaultError as refused:
        return f"{path} does not hold encryption keys: {refused}"
    except (OSError, UnicodeDecodeError):
        return f"{path} cannot be read: it holds the encryption keys and must belong to the user that runs Sugaradmin."
    return ""


def change(path: Path, edit: Callable[[Entries], Entries]) -> None:
    """`edit` takes the entries and answers those that are to stand; what it leaves out is kept as retired.

    Durable when it returns. Raises VaultError for a ring that could not be read back, OSError.
    """
    path = path.resolve()  # a link stays one: what it leads to is changed
    with durable.alone(path.with_name(f"{path.name}.lock")):
        standing = _entries(path)
        wanted = edit(standing)
        Keyring.parse(",".join(wanted))
        _keep([entry for entry in standing if entry not in wanted], path.with_name(RETIRED_KEYS))
        durable.write(path, ",".join(wanted) + "\n")


def seconds_since_change(path: Path) -> float:
    return time.time() - path.stat().st_mtime


def _entries(path: Path) -> Entries:
    return [entry.strip() for entry in path.read_text(encoding="utf-8").strip().split(",")]


def _keep(leaving: Entries, path: Path) -> None:
    if leaving:
        kept = _entries(path) if path.exists() else []
        durable.write(path, ",".join([*(entry for entry in kept if entry not in leaving), *leaving]) + "\n")


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
