"""Names to addresses, within a deadline: `getaddrinfo` itself knows none."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from collections.abc import Callable, Iterable

from connections.egress.errors import DnsFailure
from connections.egress.urls import IPAddress
from connections.egress.wall import Wall

Resolver = Callable[[str, int], Iterable[str]]

LOOKUPS_AT_ONCE = 64


def system_resolver(host: str, port: int) -> list[str]:
    """Every address the system knows for a host, in its order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for _family, _type, _proto, _name, sockaddr in found]


class BoundedLookup:
    """Runs a resolver in a thread of its own and stops waiting for it when the deadline is over.

    A lookup that hangs keeps its thread until the system gives up; no more than LOOKUPS_AT_ONCE can.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._slots = threading.BoundedSemaphore(LOOKUPS_AT_ONCE)

    def addresses(self, host: str, port: int, wall: Wall) -> tuple[IPAddress, ...]:
        """All addresses of a host, without repetitions; DnsFailure when there is none in time."""
        if not self._slots.acquire(timeout=max(wall.left(), 0)):
            raise DnsFailure("The name server does not answer; too many lookups are waiting for it.")
        outcome: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()
        try:
            threading.Thread(target=self._look_up, args=(host, port, outcome), name="egress-dns", daemon=True).start()
        except RuntimeError:
            self._slots.release()
            raise DnsFailure("The host name could not be looked up: no thread to spare.") from None
        return _read(_await(outcome, wall))

    def _look_up(self, host: str, port: int, outcome: queue.SimpleQueue[list[str] | Exception]) -> None:
        try:
            outcome.put(list(self._resolver(host, port)))
        except Exception as exc:  # whatever a resolver raises belongs to the thread that waits for it
            outcome.put(exc)
        finally:
            self._slots.release()


def _await(outcome: queue.SimpleQueue[list[str] | Exception], wall: Wall) -> list[str]:
    try:
        found = outcome.get(timeout=max(wall.left(), 0.001))
    except queue.Empty:
        raise DnsFailure("The name server did not answer in time.") from None
    if isinstance(found, (OSError, UnicodeError)):
        raise DnsFailure("The host name could not be resolved.") from None
    if isinstance(found, Exception):
        raise found
    return found


def _read(texts: list[str]) -> tuple[IPAddress, ...]:
    try:
        addresses = tuple(dict.fromkeys(ipaddress.ip_address(text) for text in texts))
    except ValueError:
        raise DnsFailure("The name server answered with something that is no address.") from None
    if not addresses:
        raise DnsFailure("The host name has no address.")
    return addresses
