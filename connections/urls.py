"""Addresses of the pages. A connection is named by its public id, never by a database key."""

from __future__ import annotations

from django.urls import include, path, register_converter
from django.urls.resolvers import URLPattern, URLResolver

from connections.dashboard.views import detail, doing, editing, entrance, fleet, manual, signing_in


class PublicId:
    """`c_` and ten characters of Crockford's base32."""

    regex = "c_[0-9a-hjkmnp-tv-z]{10}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PublicId, "connection")
app_name = "connections"

one_connection: list[URLPattern | URLResolver] = [
    path("", detail.status, name="detail"),
    path("timeline/", detail.timeline, name="timeline"),
    path("tokens/", detail.tokens, name="tokens"),
    path("attempts/", detail.attempts, name="attempts"),
    path("attempts/<int:number>/", detail.attempt, name="attempt"),
    path("events/<int:number>/", detail.event, name="event"),
    path("settings/", editing.settings, name="settings"),
    path("bundle/", detail.support_bundle, name="bundle"),
    path("actions/<slug:action>/", doing.act, name="action"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", entrance.home, name="home"),
    path("sign-in/", signing_in.SignIn.as_view(), name="sign_in"),
    path("sign-out/", signing_in.SignOut.as_view(), name="sign_out"),
    path("theme/", entrance.theme, name="theme"),
    path("overview/", fleet.overview, name="overview"),
    path("connections/", fleet.connection_list, name="list"),
    path("connections/new/", editing.new, name="new"),
    path("connections/<connection:public_id>/", include(one_connection)),
    path("system/", fleet.system, name="system"),
    path("help/", manual.contents, name="help"),
    path("help/<slug:code>/", manual.article, name="article"),
]
