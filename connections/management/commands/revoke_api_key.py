"""Revoke a worker's key: every process refuses it within a second."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.management.console import operator
from connections.models import ApiKey
from connections.onboarding import api_keys


class Command(BaseCommand):
    help = "Revoke a key by its id (the part after sga_) or by its name."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", metavar="ID_OR_NAME")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = options["key"]
        rows = ApiKey.objects.filter(prefix=wanted) or ApiKey.objects.filter(name=wanted, revoked_at__isnull=True)
        if len(rows) != 1:
            found = "no key" if not rows else f"{len(rows)} keys, so name one by its id"
            raise CommandError(f"There is {found} called {wanted}.")
        if api_keys.revoke(rows[0], operator()):
            self.stdout.write(f"{rows[0].name} ({rows[0].prefix}) is revoked.")
        else:
            self.stdout.write(f"{rows[0].name} ({rows[0].prefix}) was revoked before.")
