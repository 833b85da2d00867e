"""Let a person back in who lost a second factor or a password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.management.console import add_json, operator, print_json
from connections.onboarding import people


class Command(BaseCommand):
    help = "Remove password and second factors of a person, end the sessions, print a one-time link to set a password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is nobody named {options['username']}.")
        if not user.is_active:
            raise CommandError(f"{user.username} is switched off; an admin can switch on again under /settings/users/.")
        issued = people.reset(user, operator())
        link, hours = f"{settings.SUGARADMIN.base_url}{issued.path}", int(issued.lives.total_seconds() // 3600)
        if options["json"]:
            print_json(self.stdout, {"username": user.username, "link": link, "hours": hours})
        else:
            self.stdout.write(link)
            self.stderr.write(f"{user.username} sets a new password there: once, within {hours} hours.")
