"""Look at the installation and say what to do where it is not well."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.condition import Finding, Level, examine


class Command(BaseCommand):
    help = "Examine settings, disk, database, keys, worker, queue, clock and mail; fails when something is broken."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = examine()
        if options["json"]:
            self.stdout.write(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
        else:
            for finding in findings:
                self.stdout.write(self._line(finding))
        broken = sum(finding.level is Level.FAIL for finding in findings)
        if broken:
            raise CommandError(f"{broken} of {len(findings)} findings need somebody.")

    def _line(self, finding: Finding) -> str:
        style = {Level.OK: self.style.SUCCESS, Level.WARN: self.style.WARNING, Level.FAIL: self.style.ERROR}
        word = style[finding.level](f"{finding.level.value:4}")
        advice = (text for text in (finding.remedy, finding.command) if text)
        return f"\n{'':21}".join([f"{word} {finding.name:15} {finding.sentence}", *advice])
