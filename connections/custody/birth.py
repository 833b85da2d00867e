"""When a file was born. Numbers of inodes are used again; with the time of birth they name one file for good.

Python tells it on macOS alone. Linux knows it as well, by statx(2), which the C library of a current system has.
"""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

AT_FDCWD = -100  # a relative path begins at the working directory
STATX_BTIME = 0x800
SIZE_OF_STATX = 256
MASK_AT, BIRTH_AT = 0, 80  # where struct statx tells what it knows, and the seconds of the birth


def born_at(path: Path) -> int | None:
    """In seconds. None where it cannot be known: an older C library or kernel, a file system that keeps none.

    Raises OSError where there is no such file.
    """
    told = getattr(path.stat(), "st_birthtime", None)
    return int(told) if told is not None else _by_statx(path)


def _by_statx(path: Path) -> int | None:
    try:
        statx = ctypes.CDLL(None).statx
    except (AttributeError, OSError, TypeError):
        return None
    statx.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p)
    answer = ctypes.create_string_buffer(SIZE_OF_STATX)
    if statx(AT_FDCWD, os.fsencode(path), 0, STATX_BTIME, answer) != 0:
        return None
    (known,) = struct.unpack_from("=I", answer, MASK_AT)
    (seconds,) = struct.unpack_from("=q", answer, BIRTH_AT)
    return seconds if known & STATX_BTIME and seconds > 0 else None
