"""Say that this database is the only one that works on its connections; then custody makes grants again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.custody import copies, identity
from connections.custody.copies import Confirmed
from connections.management.console import add_json, operator, print_json

WORD = "confirm"
QUESTION = f"""
Go on only if no other Sugaradmin works on these connections: two of them end each other's sessions.
Every connection is then looked at in its turn; where its refresh token is dead, a stored password signs in again.

Type "{WORD}" to go on: """


class Command(BaseCommand):
    help = "After a restore or a move: confirm that no other Sugaradmin works on these connections."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do not ask")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        reason = identity.look().reason
        if reason and not options["yes"]:
            self._ask(reason, is_json=options["json"])
        self._report(copies.confirm(operator()) if reason else None, is_json=options["json"])

    def _ask(self, reason: str, *, is_json: bool) -> None:
        if is_json:
            raise CommandError(f"{reason} (with --json nobody is asked: add --yes)")
        self.stdout.write(reason)
        try:
            answer = input(QUESTION)
        except EOFError:
            raise CommandError("Nobody is there to answer; --yes confirms without a question.") from None
        if answer.strip() != WORD:
            raise CommandError("Not confirmed; nothing was changed.")

    def _report(self, done: Confirmed | None, *, is_json: bool) -> None:
        if is_json:
            connections, seconds = (done.connections, done.lasts.total_seconds()) if done else (0, 0)
            outcome = "done" if done else "unchanged"
            reason = done.reason if done else ""
            page = {"outcome": outcome, "reason": reason, "connections": connections, "seconds": round(seconds)}
            print_json(self.stdout, page)
        elif done is None:
            self.stdout.write("Nothing to confirm: this is the database that Sugaradmin knows.")
        else:
            self.stdout.write(
                f"Confirmed. {done.connections} connections are looked at one after the other, over the next "
                f"{max(1, round(done.lasts.total_seconds() / 60))} min or more: their status is in doubt until then."
            )
