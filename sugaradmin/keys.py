"""The keys of an installation: given by the environment, or made once in the data directory.

Making one is safe between processes that start together: each writes a private file and links it to the final name;
the first link wins and everybody reads what won. A key never has a moment in which it exists half written.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from sugaradmin.env import EnvError

KEY_BYTES = 32
PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
Maker = Callable[[], str]
RETIRED_KEYS = "retired_encryption_keys"
"""Beside the file of the ring: the bytes of retired keys, for the backups that they sealed."""
KEY_FILES = ("secret_key", "encryption_keys", RETIRED_KEYS, "instance_id")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_secret_key() -> str:
    return secrets.token_urlsafe(50)


def new_key() -> str:
    """32 random bytes as base64: what `openssl rand -base64 32` prints."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


def new_encryption_keys() -> str:
    return f"k1:{new_key()}"


def new_instance_id() -> str:
    return "i_" + "".join(secrets.choice(CROCKFORD) for _ in range(16))


def prepare(directory: Path) -> None:
    """Make the data directory where it is missing, closed to others."""
    try:
        directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    except OSError:
        raise EnvError(
            f"SUGARADMIN_DATA_DIR={str(directory)!r} cannot be made: name a directory that this user may write to."
        ) from None


def kept(path: Path, make: Maker) -> str:
    """What the file holds; made first where there is none."""
    existing = read(path)
    return existing or _made(path, make())


def read(path: Path) -> str:
    """What the file holds, or nothing where there is none."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError):
        raise EnvError(f"{path} cannot be read: it must belong to the user that runs Sugaradmin, mode 0600.") from None


def _made(path: Path, content: str) -> str:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(file.fileno())
        _link(draft, path)
        _sync_directory(path.parent)
    except OSError:
        raise EnvError(f"{path} cannot be written: SUGARADMIN_DATA_DIR must be writable for this user.") from None
    finally:
        draft.unlink(missing_ok=True)
    return read(path)


def _link(draft: Path, path: Path) -> None:
    """Give the draft its name, unless another process was faster: then its key is the key."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
