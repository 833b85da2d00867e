"""The product, and beside it a bare view that reads and decrypts one row: the same server, database and middleware."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from connections.custody import keys
from connections.models import TokenVersion


def bare(request: HttpRequest, public_id: str) -> HttpResponse:
    version = TokenVersion.objects.select_related("connection__tenant").get(
        connection__public_id=public_id, state="live"
    )
    return JsonResponse({"access_token": keys.opened_access(version.connection, version), "version": version.number})


urlpatterns = [path("api/v1/bare/<str:public_id>", bare), path("", include("sugaradmin.urls"))]
