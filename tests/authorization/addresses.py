"""Every address that the product answers to, as the resolver knows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Address:
    """`name` as one reverses it; an address without a name goes by its route."""

    name: str
    route: str

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(PARAMETER.findall(self.route))

    def path(self, values: Mapping[str, object]) -> str:
        return "/" + PARAMETER.sub(lambda match: str(values[match[1]]), self.route)


def addresses() -> list[Address]:
    return list(_walk(get_resolver().url_patterns, "", ""))


def _walk(patterns: list[URLPattern | URLResolver], before: str, space: str) -> Iterator[Address]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _walk(pattern.url_patterns, route, inner)
        else:
            yield Address(name=f"{space}{pattern.name}" if pattern.name else route, route=route)


def of_pages() -> list[Address]:
    """Those that people open: neither the worker API nor Django's own admin, which have tests of their own."""
    return [one for one in addresses() if not one.route.startswith(("api/v1", "admin/"))]


def of_admin() -> list[Address]:
    return [one for one in addresses() if one.route.startswith("admin/")]
