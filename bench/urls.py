"""The product, and beside it bare views: the same server, database and middleware, and nothing of what is measured."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from connections.custody import keys
from connections.models import TokenVersion

STATEMENTS: list[str] = []
"""What a page asked the database; for `repeat`."""


def bare(request: HttpRequest, public_id: str) -> HttpResponse:
    sealed, number, tenant_id = TokenVersion.objects.values_list(
        "access_token", "number", "connection__tenant__public_id"
    ).get(connection__public_id=public_id, state="live")
    opened = keys.open_access(sealed, tenant_id=tenant_id, connection_id=public_id, number=number)
    return JsonResponse({"access_token": opened, "version": number})


@login_not_required
def repeat(request: HttpRequest) -> HttpResponse:
    """Fetches the same rows, and renders nothing of them."""
    with connection.cursor() as cursor:
        for statement in STATEMENTS:
            cursor.execute(statement)
            if cursor.description is not None:
                cursor.fetchall()
    return HttpResponse()


urlpatterns = [
    path("api/v1/bare/<str:public_id>", bare),
    path("bare/", repeat),
    path("", include("sugaradmin.urls")),
]
