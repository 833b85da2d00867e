"""Where requests may go: spellings, registries, settings."""

from __future__ import annotations

import ipaddress
import itertools

import pytest

from connections.egress import AddressBlocked, DnsFailure, Egress, Policy, parse_url
from connections.egress.transport import _connect_one
from tests.egress.listener import Listener, answer

_IPV4 = """
127.0.0.1 127.1.2.3 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 100.100.100.200
169.254.169.254 169.254.170.2 169.254.170.23 169.254.0.23 169.254.42.42 172.16.0.1 172.31.255.254 192.0.0.1 192.0.0.192
192.0.2.7 192.88.99.1 192.168.0.1 192.168.255.254 198.18.0.1 198.19.255.254 198.51.100.9 203.0.113.77 224.0.0.1
239.255.255.250 240.0.0.1 255.255.255.255 168.63.129.16
"""
_IPV6 = """
::1 :: ::2 fe80::1 fe80::a9fe:a9fe febf::1 fec0::1 fc00::1 fd00::1 fd00:ec2::254 fd20:ce::254 fd00:42::42 ff02::1
2001:db8::1 2001::1 2001:10::1 2002:7f00:1:: 2002:c0a8:1::1 2002:808:808::1 100::1 3fff::1 5f00::1 64:ff9b:1::1
2001:0:5ef5:79fd:0:0:80ff:fffe 4000::1 ::7f00:1 ::ffff:0:127.0.0.1
"""
_ORDINARY = """
https://acme.sugarondemand.com https://crm.example.com/sugar https://1.1.1.1/ https://8.8.8.8 https://x1.y2.example
https://[2606:4700::1111]/ https://xn--bcher-kva.example https://a-b.example:443/ https://crm.company.museum
https://0x.example https://127.0.0.1.example https://crm_test.example https://123.example https://deadbeef.example
"""
FORBIDDEN_IPV4, FORBIDDEN_IPV6, PUBLIC = _IPV4.split(), _IPV6.split(), _ORDINARY.split()


def _ipv4_spellings(text: str) -> list[str]:
    """Every way a C library or a browser might read as this address, none of them the plain one."""
    number = int(ipaddress.IPv4Address(text))
    a, b, c, d = text.split(".")
    octal = [f"0{int(part):o}" for part in (a, b, c, d)]
    hexed = [f"0x{int(part):x}" for part in (a, b, c, d)]
    spellings = [
        str(number),
        hex(number),
        f"0{number:o}",
        f"0X{number:08X}",
        ".".join(octal),
        ".".join(hexed),
        f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{number & 0xFFFF}",
        f"{hexed[0]}.{b}.{octal[2]}.{d}",
        f"00{a}.{b}.{c}.{d}",
        f"{a}.{b}.{c}.{d}.",
        f"{a}.{b}.{c}.{d}..",
        f".{a}.{b}.{c}.{d}",
        f"{a}。{b}。{c}。{d}",
        "".join(chr(ord(char) + 0xFEE0) if char.isdigit() else char for char in text),
        f"{a}.{b}.{c}.{d}%00.example.com",
        f"example.com@{text}",
        f"{text}\\@example.com",
        f"{text}#@example.com",
        f"{text}\t",
        f" {text}",
        f"{text}%2f.example.com",
        f"[{text}]",
    ]
    mapped = f"{number >> 16:x}:{number & 0xFFFF:x}"
    return [*spellings, f"[::ffff:{text}]", f"[::ffff:{mapped}]", f"[0:0:0:0:0:ffff:{mapped}]", f"[64:ff9b::{mapped}]"]


def _ipv6_spellings(text: str) -> list[str]:
    address = ipaddress.IPv6Address(text)
    return [
        f"[{text}]",
        f"[{address.exploded}]",
        f"[{address.exploded.upper()}]",
        f"[{text}%25eth0]",
        f"[{text}%eth0]",
        f"[{text}",
        f"{text}]",
        text,
        f"[[{text}]]",
        f"user@[{text}]",
    ]


def hostile_urls() -> list[str]:
    hosts = [*FORBIDDEN_IPV4, *itertools.chain.from_iterable(map(_ipv4_spellings, FORBIDDEN_IPV4))]
    hosts += itertools.chain.from_iterable(map(_ipv6_spellings, FORBIDDEN_IPV6))
    urls = [f"https://{host}/rest/v10" for host in hosts]
    urls += [f"https://{host}:8443/" for host in FORBIDDEN_IPV4]
    urls += [f"https://crm.example{chr(code)}.com/" for code in range(0x21)]
    urls += [f"https://crm.example.com/{chr(code)}" for code in (*range(0x21), 0x7F, 0x80, 0xA0, 0x2028, 0xFF0F)]
    urls += [f"https://crm.example.com/{odd}" for odd in ("#x", "x?y#z", "\\x", "x?\\y")]
    urls += [f"{scheme}://crm.example.com/" for scheme in ("http", "ftp", "file", "gopher", "dict", "ws", "javascript")]
    urls += [
        f"https://crm.example.com:{port}/" for port in ("0", "00443", "65536", "99999", "-1", "4a", "22", "8443", " 1")
    ]
    urls += [
        "",
        "https://",
        "https:///x",
        "//crm.example.com",
        "crm.example.com",
        "https:/crm.example.com",
        "https:\\\\x.com",
    ]
    urls += [
        "https://crm.example.com.",
        "https://crm..example.com",
        "https://-x.example",
        "https://x-.example",
    ]
    urls += [
        "https://a@b@c.example",
        "https://user:pw@crm.example.com",
        "https://crm.example.com#x",
        f"https://{'a' * 64}.example",
    ]
    urls += [
        "https://crm.exаmple.com",
        "https://ⓔxample.com",
        "https://crm.example.com\\@evil.example",
        "https://crm%2eexample.com",
    ]
    return urls


def _production(**changes: object) -> Egress:
    """Names lead to a public address: what is refused is refused for its spelling or its literal."""
    return Egress(Policy(user_agent="t", **changes), resolver=lambda _host, _port: ["93.184.216.34"])  # type: ignore[arg-type]


def test_a_thousand_hostile_spellings_are_refused() -> None:
    urls = hostile_urls()
    assert len(set(urls)) >= 1000
    let_through = []
    for url in urls:
        try:
            _production().check_address(url)
        except AddressBlocked:
            continue
        let_through.append(url)
    assert let_through == []


def test_hostile_spellings_of_loopback_reach_no_listener() -> None:
    with Listener(answer()) as server:
        door = Egress(Policy(user_agent="t", allow_http=True, allowed_ports=frozenset({server.port})))
        for host in ["localhost", *_ipv4_spellings("127.0.0.1"), *_ipv4_spellings("0.0.0.0"), *_ipv6_spellings("::1")]:
            for scheme in ("http", "https"):
                with pytest.raises((AddressBlocked, DnsFailure)):
                    door.request("GET", f"{scheme}://{host}:{server.port}/", deadline=2, cap=10)
        assert server.accepted == 0


@pytest.mark.parametrize("url", PUBLIC)
def test_ordinary_public_addresses_are_not_refused(url: str) -> None:
    _production().check_address(url)


@pytest.mark.parametrize("address", [*FORBIDDEN_IPV4, *FORBIDDEN_IPV6])
def test_a_name_that_leads_to_a_forbidden_address_is_refused(address: str) -> None:
    door = Egress(Policy(user_agent="t"), resolver=lambda _host, _port: ["93.184.216.34", address])
    with pytest.raises(AddressBlocked):
        door.check_address("https://crm.example.com/")


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "0.0.0.0",
    ],
)
def test_metadata_addresses_stay_closed_even_inside_an_allowed_network(address: str) -> None:
    everything = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
    with pytest.raises(AddressBlocked):
        _production(allowed_networks=everything, allow_loopback=True).check_address(f"https://{address}/")


def test_an_allowed_network_is_reached_on_any_port_and_nothing_beside_it() -> None:
    door = _production(allowed_networks=(ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd12::/16")))
    for url in (
        "https://10.1.2.3/",
        "https://10.1.2.3:8443/",
        "https://[::ffff:10.1.2.3]:1/",
        "https://[fd12::1]:444/",
    ):
        door.check_address(url)
    for url in ("https://10.2.0.1/", "https://192.168.1.1/", "http://10.1.2.3/", "https://[fd13::1]/"):
        with pytest.raises(AddressBlocked):
            door.check_address(url)


def test_plain_http_is_only_for_allowed_networks() -> None:
    door = _production(allow_http=True, allowed_networks=(ipaddress.ip_network("10.1.0.0/16"),))
    door.check_address("http://10.1.2.3:8080/")
    with pytest.raises(AddressBlocked):
        _production(allow_http=True, allowed_ports=frozenset({80})).check_address("http://crm.example.com/")
    for url in ("http://crm.example.com/", "http://10.2.0.1/", "http://1.1.1.1/", "http://127.0.0.1/"):
        with pytest.raises(AddressBlocked):
            door.check_address(url)


def test_loopback_needs_development_and_no_network_setting_replaces_it() -> None:
    loopback = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
    for url in ("https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/"):
        _production(allow_loopback=True).check_address(url)
        with pytest.raises(AddressBlocked):
            _production(allowed_networks=loopback).check_address(url)


def test_other_ports_on_the_internet_need_a_setting() -> None:
    _production(allowed_ports=frozenset({8443})).check_address("https://crm.example.com:8443/")
    with pytest.raises(AddressBlocked):
        _production(allowed_ports=frozenset({8443})).check_address("https://crm.example.com:8444/")


def test_translated_addresses_are_judged_by_what_they_lead_to() -> None:
    _production().check_address("https://[64:ff9b::808:808]/")
    with pytest.raises(AddressBlocked):
        _production().check_address("https://[64:ff9b::a00:1]/")


def test_a_mapped_address_is_connected_to_as_what_was_checked() -> None:
    with Listener(answer()) as server:
        sock = _connect_one(ipaddress.IPv6Address("::ffff:127.0.0.1"), server.port, 2)
        with sock:
            assert sock.getpeername() == ("127.0.0.1", server.port)


def test_the_reason_names_no_resolved_address() -> None:
    door = Egress(Policy(user_agent="t"), resolver=lambda _host, _port: ["10.20.30.40"])
    with pytest.raises(AddressBlocked) as refusal:
        door.check_address("https://crm.example.com/?token=canary")
    assert "10.20" not in str(refusal.value)
    assert "canary" not in str(refusal.value)


def test_a_url_is_read_into_the_parts_that_are_sent() -> None:
    url = parse_url("HTTPS://CRM.Example.com:8443/a/b?c=d")
    assert (url.scheme, url.host, url.port, url.target) == ("https", "crm.example.com", 8443, "/a/b?c=d")
    assert parse_url("https://[2606:4700::1]").authority == "[2606:4700::1]"
    assert parse_url("https://crm.example.com:443").authority == "crm.example.com"
