"""Which addresses requests may go to.

`ipaddress.is_global` changes between Python releases, so the registries are spelled out here as well (IANA special
purpose address registries, RFC 6890); an address must pass both.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from connections.egress.urls import IPAddress, Url

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*texts: str) -> tuple[IPNetwork, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# Never, whatever an operator allows: these hand out the credentials of the machine we run on.
METADATA = _networks(
    "169.254.0.0/16",  # AWS, Azure, GCP, DigitalOcean, OpenStack 169.254.169.254; ECS 169.254.170.2; all link-local
    "100.100.100.200/32",  # Alibaba
    "192.0.0.192/32",  # Oracle
    "168.63.129.16/32",  # Azure wire server, a global address
    "fd00:ec2::/32",  # AWS
    "fd20:ce::/32",  # GCP
    "fd00:42::/32",  # Scaleway
    "fd00:c1::/32",  # Oracle
    "fe80::/10",  # OpenStack fe80::a9fe:a9fe; all link-local
)
# Never: not a place where an instance can live. Tunnels (6to4, Teredo, IPv4-compatible) carry an IPv4 address past a
# check of the IPv6 one.
UNUSABLE = _networks(
    "0.0.0.0/8",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "192.88.99.0/24",
    "::/128",
    "::/96",
    "::ffff:0:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2002::/16",
    "5f00::/16",
    "fec0::/10",
    "ff00::/8",
)
# Only inside an allowed network.
PRIVATE = _networks(
    "10.0.0.0/8",
    "100.64.0.0/10",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "fc00::/7",
)
LOOPBACK = _networks("127.0.0.0/8", "::1/128")
GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def unmap(address: IPAddress) -> IPAddress:
    """The IPv4 address that a mapped (`::ffff:…`) or translated (`64:ff9b::…`) one really leads to, else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Where requests may go.

    Global addresses: https on 443 and `allowed_ports`. `allowed_networks`: any port. Loopback: any port, only with
    `allow_loopback` (development). Plain http: with `allow_http`, and only to the last two. Metadata addresses: never.
    """

    user_agent: str
    allowed_networks: tuple[IPNetwork, ...] = ()
    allowed_ports: frozenset[int] = frozenset()
    allow_http: bool = False
    allow_loopback: bool = False

    def objection(self, url: Url, address: IPAddress) -> str:
        """Why a request to `url` may not go to `address`, as one sentence; empty when it may."""
        plain = unmap(address)
        if _is_in(plain, METADATA):
            return "The host leads to a link-local or metadata address; these are never reached."
        # `::/96` holds ::1, so loopback goes before the unusable ones.
        if _is_in(plain, LOOPBACK):
            return self._objection_to_near(url) if self.allow_loopback else "The host leads to this machine itself."
        if _is_in(plain, UNUSABLE):
            return "The host leads to an address where no instance can live."
        if _is_in(plain, self.allowed_networks):
            return self._objection_to_near(url)
        if not _is_global(plain):
            return "The host leads to a private network that is not among the allowed networks."
        return self._objection_to_global(url)

    def objection_to_scheme(self, url: Url) -> str:
        """What can be refused before the name is resolved."""
        if url.scheme == "http" and not self.allow_http:
            return "Plain http is not allowed; use https."
        return ""

    def _objection_to_near(self, url: Url) -> str:
        return self.objection_to_scheme(url)

    def _objection_to_global(self, url: Url) -> str:
        if url.scheme != "https":
            return "Plain http is only allowed inside the allowed networks; use https."
        if url.port != 443 and url.port not in self.allowed_ports:
            return "Only port 443 is allowed there; an operator can allow more ports."
        return ""


def _is_in(address: IPAddress, networks: tuple[IPNetwork, ...]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _is_global(address: IPAddress) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in GLOBAL_IPV6:
        return False
    return address.is_global and not _is_in(address, PRIVATE)
