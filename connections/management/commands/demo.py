"""The product beside a simulated Sugar, with sample connections in every status."""

from __future__ import annotations

import ipaddress
import sys
from argparse import SUPPRESS, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.demo import run, surroundings
from connections.demo.surroundings import CannotPerform
from connections.serving.start import CannotServe

MOST_CONNECTIONS = 50_000


class Command(BaseCommand):
    help = "Serve a demo on this machine: a simulated Sugar and sample connections; begins afresh at every start."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on, of this machine (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on; 0 picks a free one (8000)")
        parser.add_argument(
            "--connections", type=_crowd, default=0, help="so many more, written down with a past each (at most 50000)"
        )
        parser.add_argument("--moved-in", action="store_true", help=SUPPRESS)
        parser.add_argument("--simulator", type=int, help=SUPPRESS)
        parser.add_argument("--leash", type=int, help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["simulator"]:
            sys.exit(run.be_simulator(options["simulator"], leash_end=options["leash"]))
        host = _loopback(options["host"])
        if not options["moved_in"]:
            port = options["port"] or surroundings.free_port(host)
            again = ["demo", "--host", host, "--port", str(port), "--connections", str(options["connections"])]
            surroundings.move_in([*again, "--moved-in"], host=host, port=port)
        self.check()
        try:
            finished = run.perform(host, options["port"], crowd=options["connections"], say=self._say)
        except (CannotServe, CannotPerform) as error:
            raise CommandError(str(error)) from None
        if not finished:
            raise CommandError("Some processes had to be stopped by force.")

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()


def _crowd(text: str) -> int:
    if not 0 <= (number := int(text)) <= MOST_CONNECTIONS:
        raise ArgumentTypeError(f"{text} is not between 0 and {MOST_CONNECTIONS}")
    return number


def _loopback(host: str) -> str:
    """A demo's password stands on a terminal and its Sugar obeys anybody: other machines have no business there."""
    try:
        is_ours = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_ours = False
    if host != "localhost" and not is_ours:
        raise CommandError(f"A demo serves this machine alone: --host {host} is not 127.0.0.1 or ::1.")
    return "127.0.0.1" if host == "localhost" else host
