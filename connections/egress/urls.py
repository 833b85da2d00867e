"""One strict reading of an address, so that no two parsers can disagree about where a request goes."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from connections.egress.errors import AddressBlocked

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

DEFAULT_PORTS = {"https": 443, "http": 80}
_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?]*)(?P<path>/[^?]*)?(?P<query>\?.*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[1-9][0-9]{0,4}))?")
_PRINTABLE = re.compile(r"[\x21-\x7e]{1,4096}")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """A parsed address. `host` is lower-case and without brackets; `target` is what the request line carries."""

    scheme: str
    host: str
    port: int
    target: str
    literal: IPAddress | None

    @property
    def authority(self) -> str:
        """Host as in a `Host` header: brackets around IPv6, no default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def parse_url(text: str) -> Url:
    """Read an absolute http(s) URL; AddressBlocked for everything that two programs might read differently."""
    if not _PRINTABLE.fullmatch(text):
        raise AddressBlocked("The address is empty, too long, or holds spaces, control or non-ASCII characters.")
    if "#" in text or "\\" in text:
        raise AddressBlocked("The address holds a # or a backslash.")
    match = _URL.fullmatch(text)
    if match is None:
        raise AddressBlocked("The address is not an absolute http or https URL.")
    authority = _AUTHORITY.fullmatch(match["authority"])
    if authority is None:
        raise AddressBlocked("The host or port of the address is malformed, or it carries a user name.")
    scheme = match["scheme"].lower()
    host, literal = _parse_host(authority["host"].lower())
    return Url(
        scheme=scheme,
        host=host,
        port=_parse_port(authority["port"], scheme),
        target=(match["path"] or "/") + (match["query"] or ""),
        literal=literal,
    )


def _parse_port(text: str | None, scheme: str) -> int:
    port = int(text) if text else DEFAULT_PORTS[scheme]
    if port > 65535:
        raise AddressBlocked("The port of the address is above 65535.")
    return port


def _parse_host(host: str) -> tuple[str, IPAddress | None]:
    if host.startswith("["):
        return _parse_ipv6(host[1:-1])
    labels = host.split(".")
    # A last label that reads as a number makes browsers and C libraries read the whole as IPv4, in any odd spelling.
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        return _parse_ipv4(host)
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressBlocked("The host name is malformed.")
    return host, None


def _parse_ipv4(host: str) -> tuple[str, IPAddress]:
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        raise AddressBlocked("The host is an unusual spelling of an IPv4 address.") from None
    return str(address), address


def _parse_ipv6(host: str) -> tuple[str, IPAddress]:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        raise AddressBlocked("The host is not an IPv6 address.") from None
    return str(address), address
