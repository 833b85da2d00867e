"""Take connections in from a file of JSON or CSV with the fields of POST /connections; may be repeated."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.management.console import add_json, operator, print_json, text_of
from connections.onboarding import tables
from connections.onboarding.transfer import Outcome, Taken, take_in


class Command(BaseCommand):
    help = "Import connections. Every row is checked before the first is written; a row is taken whole or not at all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a JSON list or CSV with a header; - is standard input")
        parser.add_argument("--dry-run", action="store_true", help="check and report, write nothing")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        text = sys.stdin.read() if options["file"] == "-" else text_of(Path(options["file"]))
        try:
            rows = tables.read(text)
        except tables.Unreadable as refused:
            raise CommandError(str(refused)) from None
        done = take_in(rows, operator(), is_dry_run=options["dry_run"])
        counted = Counter(str(taken.outcome) for taken in done)
        counts = {str(outcome): counted[outcome] for outcome in Outcome}
        if options["json"]:
            print_json(
                self.stdout,
                {"dry_run": options["dry_run"], **counts, "rows": [taken.as_dict() for taken in done]},
            )
        else:
            self._tell(done, counts, options["dry_run"])
        if counted[Outcome.REFUSED]:
            raise CommandError(f"{counted[Outcome.REFUSED]} of {len(done)} rows were refused.")

    def _tell(self, done: list[Taken], counts: dict[str, int], is_dry_run: bool) -> None:
        for taken in done:
            self.stdout.write(f"row {taken.row}: {taken.outcome}  {taken.id or ''}  {taken.label}".rstrip())
            for name, texts in taken.errors.items():
                self.stdout.write(f"  {name}: {' '.join(texts)}")
        words = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
        self.stdout.write(f"Nothing was written; it would be: {words}." if is_dry_run else f"{words}.")
