"""Give connections out as JSON or CSV with the fields of POST /connections, without any secret."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from connections.custody import audit
from connections.management.console import one_clear_line, operator, print_json
from connections.models import Tenant, database_now
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
        self._note(options["tenant"], len(given))
        if options["format"] == "csv":
            self.stdout.write(tables.as_csv(given), ending="")
        else:
            print_json(self.stdout, given)

    def _note(self, slug: str, count: int) -> None:
        """That a list of customers left the house stands in the audit, before it leaves."""
        tenant = Tenant.objects.filter(slug=slug).first() if slug else None
        with one_clear_line(), transaction.atomic():
            audit.record(
                operator(), "export_connections", at=database_now(), tenant=tenant, difference={"count": count}
            )
