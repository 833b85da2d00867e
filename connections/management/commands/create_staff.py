"""Make an account for a person; its password comes from standard input."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.choices import Role
from connections.management.console import LONGEST_SECRET, add_json, first_line, operator, print_json
from connections.onboarding.access import AccessRefused, create_staff


class Command(BaseCommand):
    help = "Create a staff account: echo PASSWORD | manage.py create_staff NAME --role admin"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", choices=Role.values, required=True, help="what this person may do")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            staff = create_staff(options["username"], _password(), Role(options["role"]), operator())
        except AccessRefused as refused:
            raise CommandError(str(refused)) from None
        made = {"username": options["username"], "role": str(staff.role)}
        if options["json"]:
            print_json(self.stdout, made)
        else:
            self.stdout.write(f"{made['username']} may sign in as {made['role']}.")


def _password() -> str:
    """Asked for where a person sits at the terminal, else the first line of what is piped in."""
    if sys.stdin.isatty():
        return first_line(getpass.getpass("Password: "), "no password was given")
    return first_line(sys.stdin.readline(LONGEST_SECRET), "standard input holds no password")
