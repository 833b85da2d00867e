"""How fast one address may knock at the public doors: counted in the cache that all web processes share.

It spares the machine, no more: what may be tried against a Sugar instance is limited by custody, exactly and for good.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta

from connections.custody import windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """At most `most` requests of one kind from one address in `window`."""

    name: str
    most: int
    window: timedelta


PAGES = Pace(name="pages", most=60, window=timedelta(minutes=1))
PASSWORDS = Pace(name="passwords", most=20, window=timedelta(minutes=10))
REQUESTS = Pace(name="requests", most=5, window=timedelta(minutes=10))


def wait(pace: Pace, address: str) -> int:
    """0: come in; else the seconds until the next window."""
    return windows.count(f"door:{pace.name}:{_network(address)}", most=pace.most, window=pace.window)


def _network(address: str) -> str:
    """Of IPv6 the /64: everybody has one to himself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)
