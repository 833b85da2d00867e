"""The product, and the pages of a demo. Outside of one these addresses do not exist."""

from __future__ import annotations

from django.urls import include, path

from connections.demo import views

demo = [
    path("demo/", views.scenes, name="scenes"),
    path("demo/<slug:name>/play/", views.play, name="play"),
    path("demo/<slug:name>/amend/", views.amend, name="amend"),
    path("styleguide/", views.styleguide, name="styleguide"),
]
urlpatterns = [path("", include((demo, "demo"))), path("", include("sugaradmin.urls"))]

handler403 = "connections.dashboard.views.trouble.forbidden"
handler404 = "connections.dashboard.views.trouble.missing"
handler429 = "connections.dashboard.views.signing_in.too_many"
handler500 = "connections.dashboard.views.trouble.broken"
