"""Which way of checking sessions an instance has (SUGAR.md section 0.1), from what its probes say."""

from __future__ import annotations

import re

from connections.choices import Generation

_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})")

# Up to 7.1 never; seen in 7.7, 8.0 and 12.0 every 120 s; from 13.3 always. What lies between was not seen.
_BY_VERSION = (
    ((6, 0), (7, 1), Generation.NEVER),
    ((7, 7), (12, 0), Generation.CACHED),
    ((13, 3), (999, 0), Generation.ALWAYS),
)
_BY_REST = (
    ((11, 0), (11, 16), Generation.CACHED),
    ((11, 23), (99, 99), Generation.ALWAYS),
)


def generation_of(*, server_version: str = "", rest_max: str = "", is_idm: bool | None = None) -> Generation:
    """The generation, or UNKNOWN where the facts do not decide. Versions: "13.3.0"; REST: "11.23"."""
    if is_idm:
        return Generation.IDM
    return _look_up(_BY_VERSION, server_version) or _look_up(_BY_REST, rest_max) or Generation.UNKNOWN


def _look_up(table: tuple[tuple[tuple[int, int], tuple[int, int], Generation], ...], version: str) -> Generation | None:
    match = _VERSION.match(version)
    if match is None:
        return None
    number = (int(match[1]), int(match[2]))
    return next((generation for low, high, generation in table if low <= number <= high), None)
