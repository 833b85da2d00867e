"""Delete history older than the retention, now; the background does the same by itself."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from connections.custody import audit, audit_proof, pruning
from connections.management.console import add_json, one_clear_line, operator, print_json
from connections.models import database_now
from connections.onboarding import drafts, people


class Command(BaseCommand):
    help = (
        "Delete attempts, events and ended versions older than SUGARADMIN_RETENTION_DAYS, never the running chain; "
        "audit rows older than SUGARADMIN_AUDIT_RETENTION_DAYS; drafts that nobody went on with for 30 days; ended "
        "sessions and one-time links."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="delete nothing, say how many rows would go")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self._say_what_is_due(is_json=options["json"])
            return
        pruned = pruning.prune() + drafts.expire() + people.forget_ended()
        if pruned:
            self._note(pruned)
        try:
            with one_clear_line():
                audited = pruning.prune_audit(operator())
        except audit_proof.AuditBroken as broken:
            raise CommandError(f"{pruned} rows of history pruned. {broken} See: manage.py verify_audit") from None
        if options["json"]:
            print_json(self.stdout, {"pruned": pruned, "audit": audited})
        else:
            self.stdout.write(f"{pruned} rows of history and {audited} of the audit pruned.")

    def _say_what_is_due(self, *, is_json: bool) -> None:
        with one_clear_line():
            due = asdict(pruning.due())
        if is_json:
            print_json(self.stdout, due)
        else:
            self.stdout.write(", ".join(f"{count} {what}" for what, count in due.items()) + " would be pruned.")

    def _note(self, pruned: int) -> None:
        """What the background does every day is no deed; what somebody asked for is one."""
        with one_clear_line(), transaction.atomic():
            audit.record(operator(), "prune_history", at=database_now(), difference={"rows": pruned})
