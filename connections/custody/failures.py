"""Failures of the fleet, grouped: same diagnosis, same host, same message but for what changes each time."""

from __future__ import annotations

import hashlib
import re

# What tells two occurrences of one message apart and says nothing of the cause: numbers, ids, quoted values.
VARYING = (
    re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27,}", re.IGNORECASE),
    re.compile(r"\b[0-9a-f]{12,}\b", re.IGNORECASE),
    re.compile(r"\d+"),
)


def shape(message: str) -> str:
    """The message without what varies: `try again in 12 minutes` and `in 3 minutes` are one."""
    for pattern in VARYING:
        message = pattern.sub("#", message)
    return " ".join(message.split()).lower()


def fingerprint(*, code: str, host: str, message: str) -> str:
    """Names a group; 48 bits, so that a fleet's few thousand groups do not meet."""
    told = "\n".join((code, host, shape(message)))
    return hashlib.sha256(told.encode()).hexdigest()[:12]
