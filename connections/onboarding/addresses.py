"""May an address be reached at all: asked when it is saved; asked again, by the same guard, on every call."""

from __future__ import annotations

from connections.custody import wire
from connections.egress import AddressBlocked, EgressError
from connections.sugar import host_port


def objection(url: str) -> str:
    """Why our own guard refuses this address; empty when it does not. A name that does not resolve is no objection:
    it may do so tomorrow, and every call asks again."""
    try:
        wire.egress().check_address(url)
    except AddressBlocked as refused:
        return str(refused)
    except EgressError:
        return ""
    return ""


def host_of(url: str) -> str:
    """`host:port` of a normalised address, as a connection carries it."""
    return host_port(url)
