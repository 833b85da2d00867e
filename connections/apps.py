"""The one application of the project."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig

from connections import checks
from connections.serving.forks import forget_connections_after_fork


class ConnectionsConfig(AppConfig):
    name = "connections"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Connections"

    def ready(self) -> None:
        checks.register_all()
        forget_connections_after_fork()
        for name in ("freshness", "limits", "trail"):  # they look at models, which are there only now
            import_module(f"connections.signin.{name}").listen()
