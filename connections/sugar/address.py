"""What a person pastes as the address of an instance, made into the one form that is stored and compared.

Below it lies the root of the REST API: where the web server does not rewrite addresses, at another place than usual.
"""

from __future__ import annotations

import ipaddress
import re

import idna

from connections.egress import AddressBlocked, Url, parse_url

REST_PATH = "rest/v10"  # spoken by every version from 7.0 on
REST_PATH_WITHOUT_REWRITE = "api/rest.php/v10"
_PASTED_AROUND = " \t\r\n\f\v\u00a0\u200b\u200c\u200d\u2060\ufeff\"'`<>(){}«»„“”‚‘’,;"
_WEB_SCHEME = re.compile(r"(https?):/+", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_TAILS = re.compile(r"/(?:api/rest\.php|rest|service|index\.(?:php|html?)|install\.php)(?:/.*)?$", re.IGNORECASE)
_PATH = re.compile(r"(?:/[A-Za-z0-9._~%!$&'()*+,;=:@-]+)*")
_IPV6_BARE = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


class AddressError(ValueError):
    """The text is not the address of an instance; the message says what to do."""


def normalise(text: str, *, allow_http: bool = False) -> str:
    """`https://host[:port][/subfolder]` without a trailing slash.

    Host in lower case and ASCII, default port left out, everything from Sugar's own paths on cut off. Plain http stays
    only with `allow_http`; else it becomes https.
    """
    scheme, rest = _split_scheme(_unwrap(text))
    authority, path = _split_path(rest)
    host, port = _split_port(authority)
    if scheme == "http" and not allow_http:
        scheme, port = "https", "" if port == "80" else port
    try:
        url = parse_url(f"{scheme}://{_ascii_host(host)}{f':{port}' if port else ''}{_subfolder(path)}")
    except AddressBlocked as exc:
        raise AddressError(
            f"{exc} Paste the address as the browser shows it, such as https://crm.example.com."
        ) from None
    return f"{url.scheme}://{url.authority}{'' if url.target == '/' else url.target}"


def rest_path_in(text: str) -> str | None:
    """The REST root that a pasted address tells of; None: the usual one, or none, which says nothing.

    `text` is one that `normalise` takes.
    """
    _scheme, rest = _split_scheme(_unwrap(text))
    _authority, path = _split_path(rest)
    tail = _TAILS.search(_tidy(path))
    is_plain = tail is not None and tail[0].lower().startswith("/api/rest.php")
    return REST_PATH_WITHOUT_REWRITE if is_plain else None


def other_rest_path(rest_path: str) -> str:
    """Where else the REST root may lie."""
    return REST_PATH if rest_path == REST_PATH_WITHOUT_REWRITE else REST_PATH_WITHOUT_REWRITE


def host_port(url: str) -> str:
    """`host:port` of a normalised address, the port always written; AddressError if it is none."""
    parsed = _parse(url)
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    return f"{host}:{parsed.port}"


def _parse(url: str) -> Url:
    try:
        return parse_url(url)
    except AddressBlocked as exc:
        raise AddressError(str(exc)) from None


def _unwrap(text: str) -> str:
    """Without what surrounds a pasted address; square brackets stay, they belong to IPv6."""
    bare = text.strip(_PASTED_AROUND)
    if not bare:
        raise AddressError(
            "The address is empty. Paste the address of the Sugar instance, such as https://crm.example.com."
        )
    if len(bare) > 2048:
        raise AddressError("The address is too long. Paste only its beginning, up to the first slash after the host.")
    return bare


def _split_scheme(text: str) -> tuple[str, str]:
    """The last scheme counts: `https://https://…` comes from pasting into a field that was not empty."""
    scheme, rest = "https", text.removeprefix("//")
    while match := _WEB_SCHEME.match(rest):
        scheme, rest = match[1].lower(), rest[match.end() :]
    if _OTHER_SCHEME.match(rest):
        raise AddressError("The address must begin with https://. Paste the address that opens Sugar in a browser.")
    return scheme, rest


def _split_path(rest: str) -> tuple[str, str]:
    rest = re.split(r"[#?]", rest, maxsplit=1)[0]
    if "\\" in rest:
        raise AddressError("The address holds a backslash. Use forward slashes, as in https://crm.example.com/sugar.")
    authority, _slash, path = rest.partition("/")
    if "@" in authority:
        raise AddressError("The address carries a user name or password. Remove everything up to the @.")
    return authority, f"/{path}" if path else ""


def _split_port(authority: str) -> tuple[str, str]:
    if authority.startswith("["):
        host, bracket, after = authority.partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise AddressError("An IPv6 address stands in square brackets; after the ] only a port may follow.")
        return f"{host}]", after.removeprefix(":")
    if _IPV6_BARE.fullmatch(authority):
        return f"[{authority}]", ""
    host, _colon, port = authority.partition(":")
    if port and not re.fullmatch(r"[0-9]{1,5}", port):
        raise AddressError("The address has something after a colon that is no port number. Write https://host:port.")
    return host, str(int(port)) if port else ""


def _ascii_host(host: str) -> str:
    if host.startswith("["):
        return _ipv6(host[1:-1])
    host = host.strip().rstrip(".")
    if not host:
        raise AddressError("The address has no host name. Write it as https://crm.example.com.")
    if host.isascii():
        return host.lower()
    try:
        return idna.encode(host, uts46=True, transitional=False).decode("ascii")
    except idna.IDNAError:
        raise AddressError(
            "The host name holds characters that no host name can have. Check it for typing errors."
        ) from None


def _ipv6(text: str) -> str:
    if "%" in text:
        raise AddressError("An IPv6 address with a zone (%) works on one machine only. Use the host name.")
    try:
        return f"[{ipaddress.IPv6Address(text)}]"
    except ValueError:
        raise AddressError("What stands in square brackets is not an IPv6 address.") from None


def _subfolder(path: str) -> str:
    path = _TAILS.sub("", _tidy(path))
    if not _PATH.fullmatch(path) or any(part in (".", "..") for part in path.split("/")):
        raise AddressError("The part after the host name holds characters that do not belong there. Cut it off.")
    return path


def _tidy(path: str) -> str:
    return re.sub(r"/{2,}", "/", path).rstrip("/ .")
