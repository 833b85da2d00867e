"""All addresses: probes, worker API, pages, the stock admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from connections import health, policy_reports
from connections.api.entrance import nothing_here
from connections.api.views import documents

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("policy-reports", policy_reports.collect, name="policy_reports"),
    path("api/v1", nothing_here),
    path("api/v1/", include("connections.api.urls")),
    path("api/docs", documents.page, name="api_docs"),
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/", admin.site.urls),
    path("", include("connections.urls")),
    path("", include("connections.signin_urls")),
]

handler403 = "connections.dashboard.views.trouble.forbidden"
handler404 = "connections.dashboard.views.trouble.missing"
# Where django-allauth looks for what to answer when somebody comes too often.
handler429 = "connections.dashboard.views.signing_in.too_many"
handler500 = "connections.dashboard.views.trouble.broken"
