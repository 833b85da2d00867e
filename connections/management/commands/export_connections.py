"""Give connections out as JSON or CSV with the fields of POST /connections, without any secret."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from connections.management.console import print_json
from connections.onboarding import fleet, tables
from connections.onboarding.transfer import give_out


class Command(BaseCommand):
    help = "Export connections to standard output. An import of it makes drafts: secrets are never exported."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", default="", help="only this customer's")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--format", choices=("json", "csv"), default="json")
        form.add_argument("--json", dest="format", action="store_const", const="json", help="the same as --format json")
        form.add_argument("--csv", dest="format", action="store_const", const="csv", help="the same as --format csv")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = fleet.matching(fleet.Filter(tenant=options["tenant"])).prefetch_related("tags")
        given = list(give_out(rows))
        if options["format"] == "csv":
            self.stdout.write(tables.as_csv(given), ending="")
        else:
            print_json(self.stdout, given)
