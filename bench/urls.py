"""The product, and beside it a bare view that reads and decrypts one row: the same server, database and middleware."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from connections.custody import keys
from connections.models import TokenVersion


def bare(request: HttpRequest, public_id: str) -> HttpResponse:
    sealed, number, tenant_id = TokenVersion.objects.values_list(
        "access_token", "number", "connection__tenant__public_id"
    ).get(connection__public_id=public_id, state="live")
    opened = keys.open_access(sealed, tenant_id=tenant_id, connection_id=public_id, number=number)
    return JsonResponse({"access_token": opened, "version": number})


urlpatterns = [path("api/v1/bare/<str:public_id>", bare), path("", include("sugaradmin.urls"))]
