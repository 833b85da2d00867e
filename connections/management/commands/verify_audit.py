"""Walk along the audit chain and say whether anybody changed it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.custody import audit
from connections.management.console import add_json, print_json


class Command(BaseCommand):
    help = "Find any edit, deletion, insertion or reordering of audit rows; with --head also a cut tail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--head", default="", help="a head that an earlier run printed: it must still be there")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        found = audit.verify(options["head"])
        if options["json"]:
            told = {"whole": found.is_whole, "rows": found.rows, "head": found.head, "broken_at": found.broken_at}
            print_json(self.stdout, told)
        elif found.is_whole:
            self.stdout.write(f"{found.rows} rows, all in order. Head: {found.head or '-'}")
        if found.broken_at is not None:
            raise CommandError(
                f"Row {found.broken_at} does not follow the row before it: it, or one before it, was changed, removed "
                f"or put in. The {found.rows} rows before it are in order."
            )
        if found.is_head_missing:
            raise CommandError("The head is not in the chain: rows at the end were cut off.")
