"""The one application of the project."""

from __future__ import annotations

from django.apps import AppConfig

from connections import checks


class ConnectionsConfig(AppConfig):
    name = "connections"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Connections"

    def ready(self) -> None:
        checks.register_all()
