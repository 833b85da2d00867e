"""Believe what a proxy says about a visitor, and only what a proxy of ours says."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from sugaradmin.env import Network

FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")


class TrustedProxies:
    """Sets REMOTE_ADDR to the visitor behind trusted proxies; takes forwarding headers away from everybody else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        trusted = settings.SUGARADMIN.trusted_proxies
        if trusted and _is_one_of(trusted, request.META.get("REMOTE_ADDR", "")):
            request.META["REMOTE_ADDR"] = _visitor(request, trusted)
        else:
            for name in FORWARDED:
                request.META.pop(name, None)
        return self.get_response(request)


def _visitor(request: HttpRequest, trusted: tuple[Network, ...]) -> str:
    """The right-most address that is not ours: whatever stands left of it, the visitor may have written himself."""
    seen: str = request.META["REMOTE_ADDR"]
    for part in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        address = part.strip()
        if not _is_address(address):
            return seen
        seen = address
        if not _is_one_of(trusted, address):
            return seen
    return seen


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_one_of(networks: tuple[Network, ...], text: str) -> bool:
    return _is_address(text) and any(ipaddress.ip_address(text) in network for network in networks)
