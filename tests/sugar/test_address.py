"""What people paste, and what becomes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.egress import parse_url
from connections.sugar import AddressError, host_port, normalise, rest_path_in

PASTED = [
    ("crm.example.com", "https://crm.example.com"),
    ("  https://CRM.Example.com/ \n", "https://crm.example.com"),
    ("\ufeff\u200bhttps://crm.example.com\u00a0", "https://crm.example.com"),
    ("<https://crm.example.com>", "https://crm.example.com"),
    ('"https://crm.example.com",', "https://crm.example.com"),
    ("https://acme.sugarondemand.com/#Home", "https://acme.sugarondemand.com"),
    ("https://acme.sugarondemand.com/#bwc/index.php?module=Users&action=EditView", "https://acme.sugarondemand.com"),
    ("https://crm.example.com/?a=b#c", "https://crm.example.com"),
    ("https://crm.example.com/index.php", "https://crm.example.com"),
    ("https://crm.example.com/crm/index.php?module=Home&action=index", "https://crm.example.com/crm"),
    ("https://crm.example.com/rest/v10", "https://crm.example.com"),
    ("https://crm.example.com/rest/v11_24/", "https://crm.example.com"),
    ("https://crm.example.com/rest", "https://crm.example.com"),
    ("https://crm.example.com/crm/rest/v10/oauth2/token", "https://crm.example.com/crm"),
    ("https://crm.example.com/crm/api/rest.php/v10/ping", "https://crm.example.com/crm"),
    ("https://crm.example.com/service/v4_1/rest.php", "https://crm.example.com"),
    ("https://crm.example.com/restaurant", "https://crm.example.com/restaurant"),
    ("https://crm.example.com/Crm//Prod///", "https://crm.example.com/Crm/Prod"),
    ("http://crm.example.com", "https://crm.example.com"),
    ("http://crm.example.com:80/crm/", "https://crm.example.com/crm"),
    ("http://crm.example.com:8080", "https://crm.example.com:8080"),
    ("HTTPS://crm.example.com:443/", "https://crm.example.com"),
    ("https://crm.example.com:00443", "https://crm.example.com"),
    ("crm.example.com:8443/crm", "https://crm.example.com:8443/crm"),
    ("https://crm.example.com.", "https://crm.example.com"),
    ("crm.example.com..", "https://crm.example.com"),
    ("//crm.example.com/", "https://crm.example.com"),
    ("https://https://crm.example.com", "https://crm.example.com"),
    ("https:/crm.example.com", "https://crm.example.com"),
    ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
    ("https://faß.example", "https://xn--fa-hia.example"),
    ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ("https://[2001:DB8:0::1]:8443/x", "https://[2001:db8::1]:8443/x"),
    ("2001:db8::1", "https://[2001:db8::1]"),
    ("192.168.1.20/sugar", "https://192.168.1.20/sugar"),
]
REFUSED = [
    ("", "empty"),
    ("   ", "empty"),
    ("https://", "no host"),
    ("https://user:canary@crm.example.com", "Remove everything up to the @"),
    ("mailto:canary@example.com", "@"),
    ("ftp://crm.example.com", "https://"),
    ("javascript:alert(1)", "port"),
    ("crm.example.com\\crm", "backslash"),
    ("crm example.com", "spaces"),
    ("https://crm.example.com:99999", "65535"),
    ("https://crm.example.com:0", "port"),
    ("https://[fe80::1%25eth0]/", "zone"),
    ("https://[::1", "IPv6"),
    ("https://[::1]x", "]"),
    ("https://0x7f.1", "IPv4"),
    ("https://2130706433", "IPv4"),
    ("https://crm..example.com", "malformed"),
    ("https://crm.example.com/../x", "Cut it off"),
    ("https://crm.example.com/a b", "Cut it off"),
    ("https://ex\x00ample.com", "characters"),
    ("https://\u2488example.com", "characters"),
    ("x" * 3000, "too long"),
]


@pytest.mark.parametrize(("pasted", "stored"), PASTED)
def test_what_people_paste_becomes_one_form(pasted: str, stored: str) -> None:
    assert normalise(pasted) == stored
    assert normalise(stored) == stored


@pytest.mark.parametrize("pasted", [pasted for pasted, _stored in PASTED])
def test_only_where_nothing_is_rewritten_a_pasted_address_tells_of_the_root(pasted: str) -> None:
    assert rest_path_in(pasted) == ("api/rest.php/v10" if "/api/rest.php" in pasted else None)


@pytest.mark.parametrize(
    "pasted",
    ["crm.example.com//API//rest.php/?x", "https://x/crm/api/rest.php#/", "http://10.0.0.5/api/rest.php/v11_2/me"],
)
def test_the_root_is_told_by_all_ways_to_write_it(pasted: str) -> None:
    assert rest_path_in(pasted) == "api/rest.php/v10"


@pytest.mark.parametrize(
    "pasted", ["https://x/rest/api/rest.php", "https://x/api/restore.php", "https://x/#/api/rest.php"]
)
def test_what_only_looks_like_the_root_tells_nothing(pasted: str) -> None:
    assert rest_path_in(pasted) is None


@pytest.mark.parametrize(("pasted", "hint"), REFUSED)
def test_what_is_no_address_is_refused_with_what_to_do(pasted: str, hint: str) -> None:
    with pytest.raises(AddressError) as refusal:
        normalise(pasted)
    assert hint in str(refusal.value)
    assert "canary" not in str(refusal.value)


def test_plain_http_stays_only_where_it_is_allowed() -> None:
    assert normalise("http://10.0.0.5:8080/crm/", allow_http=True) == "http://10.0.0.5:8080/crm"
    assert normalise("http://10.0.0.5:80", allow_http=True) == "http://10.0.0.5"
    assert normalise("10.0.0.5", allow_http=True) == "https://10.0.0.5"
    assert normalise("http://10.0.0.5") == "https://10.0.0.5"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://crm.example.com/x", "crm.example.com:443"),
        ("http://crm.example.com", "crm.example.com:80"),
        ("https://[2001:db8::1]:8443", "[2001:db8::1]:8443"),
    ],
)
def test_host_and_port_are_always_both_written(url: str, expected: str) -> None:
    assert host_port(url) == expected


def test_host_and_port_of_nonsense_are_refused() -> None:
    with pytest.raises(AddressError):
        host_port("not an address")


_ODD = (
    "https:// http:/ // crm . example.com : 443 0 / rest/v10 index.php ? # @ [ ] ::1 % \\ \x00 ü 。 １ .. 0x7f xn-- ß"
)
_PIECES = st.sampled_from([" ", "\u202e", "%2e", *_ODD.split(" ")])


@given(st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=12).map("".join)), st.booleans())
def test_any_text_is_refused_or_becomes_an_address_that_egress_reads_alike(text: str, allow_http: bool) -> None:
    try:
        stored = normalise(text, allow_http=allow_http)
    except AddressError:
        return
    assert normalise(stored, allow_http=allow_http) == stored
    url = parse_url(stored)
    assert allow_http or url.scheme == "https"
    assert stored == f"{url.scheme}://{url.authority}{'' if url.target == '/' else url.target}"
