"""One address for each path of the table; all methods of a path share its entrance."""

from __future__ import annotations

from django.urls import path, re_path
from django.urls.resolvers import URLPattern, URLResolver

from connections.api.entrance import Entrance, nothing_here
from connections.api.views.documents import ALL_ROUTES


def _addresses() -> list[URLPattern | URLResolver]:
    paths = dict.fromkeys(route.path for route in ALL_ROUTES)
    return [
        path(
            where.replace("{id}", "<str:public_id>"),
            Entrance(*(route for route in ALL_ROUTES if route.path == where)),
            name=next(route.name for route in ALL_ROUTES if route.path == where),
        )
        for where in paths
    ]


app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [*_addresses(), re_path(r"^(?P<rest>.*)$", nothing_here)]
