"""Make a key for a program; it is printed once and kept as a hash."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime

from connections.choices import Scope
from connections.management.console import add_json, operator, print_json
from connections.onboarding.access import AccessRefused, create_api_key


class Command(BaseCommand):
    help = "Create an API key. It is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="whose key it is; stands in the history")
        parser.add_argument(
            "--scope", action="extend", nargs="+", required=True, metavar="S", help=f"of {', '.join(Scope.values)}"
        )
        parser.add_argument(
            "--tenant", action="extend", nargs="+", default=[], metavar="T", help="limit it to these; without: all"
        )
        parser.add_argument("--expires", metavar="TIME", help="RFC 3339, or a date: until the end of that day, UTC")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            issued = create_api_key(
                options["name"],
                options["scope"],
                operator(),
                tenants=options["tenant"],
                expires_at=_moment(options["expires"]) if options["expires"] else None,
            )
        except AccessRefused as refused:
            raise CommandError(str(refused)) from None
        if options["json"]:
            print_json(self.stdout, {"id": issued.row.prefix, "key": issued.key})
        else:
            self.stdout.write(issued.key)
            self.stderr.write("Keep it now: it is not shown again.")


def _moment(text: str) -> datetime:
    try:
        day = parse_date(text)
        moment = datetime.combine(day, datetime.max.time()) if day else parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"--expires {text} is no time; write 2027-01-31 or 2027-01-31T12:00:00Z.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
