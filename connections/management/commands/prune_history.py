"""Delete history older than the retention, now; the background does the same by itself."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from connections.custody import pruning
from connections.management.console import add_json, print_json


class Command(BaseCommand):
    help = "Delete attempts, events and ended versions older than SUGARADMIN_RETENTION_DAYS; never the running chain."

    def add_arguments(self, parser: CommandParser) -> None:
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        pruned = pruning.prune()
        if options["json"]:
            print_json(self.stdout, {"pruned": pruned})
        else:
            self.stdout.write(f"{pruned} rows pruned.")
