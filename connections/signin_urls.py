"""Addresses of signing in, under the names by which django-allauth asks for them. None of its own are included: a page
that we did not style does not exist."""

from __future__ import annotations

from django.urls import path
from django.urls.resolvers import URLPattern

from connections.dashboard.views import signing_in

urlpatterns: list[URLPattern] = [
    path("sign-in/", signing_in.SignIn.as_view(), name="account_login"),
    path("sign-in/again/", signing_in.Confirm.as_view(), name="account_reauthenticate"),
]
