"""Walk along the audit chain and say whether anybody changed it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.custody import audit_proof
from connections.custody.audit_proof import Head, Verdict
from connections.management.console import add_json, print_json, text_of


class Command(BaseCommand):
    help = "Find any edit, deletion, insertion or reordering of audit rows; with --head also a cut tail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--head", action="append", default=[], help="a head that an earlier run printed")
        parser.add_argument("--heads", metavar="FILE", help="a file of such heads, one a line; all must still be there")
        parser.add_argument(
            "--note", metavar="FILE", help="where the chain is whole, add its head to this file (kept elsewhere)"
        )
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        lines = [*options["head"], *_lines(options["heads"])]
        found = audit_proof.check() if not lines else audit_proof.verify([_head(line) for line in lines])
        if options["json"]:
            lost = [str(head) for head in found.lost]
            told = {"whole": found.is_whole, "rows": found.rows, "head": str(found.head or "")}
            print_json(self.stdout, told | {"broken_at": found.broken_at, "lost": lost})
        elif found.is_whole:
            self.stdout.write(f"{found.rows} rows, all in order. Head: {found.head or '-'}")
        _complain(found)
        if options["note"] and found.head:
            _note(Path(options["note"]), found.head)


def _lines(file: str | None) -> list[str]:
    return [line for line in text_of(Path(file)).splitlines() if line.strip()] if file else []


def _head(text: str) -> Head:
    try:
        return Head.parse(text)
    except ValueError as refused:
        raise CommandError(str(refused)) from None


def _complain(found: Verdict) -> None:
    if found.broken_at is not None:
        raise CommandError(
            f"Row {found.broken_at} does not follow the row before it, or is missing: it, or one before it, was "
            f"changed, removed or put in. The {found.rows} rows before it are in order."
        )
    if found.lost:
        lost = ", ".join(str(head.row) for head in found.lost)
        raise CommandError(f"The chain holds no such row {lost}: rows at the end were cut off or written anew.")


def _note(path: Path, head: Head) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{head}\n")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
