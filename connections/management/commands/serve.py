"""Start the product: web, queue and ticker, watched by this process."""

from __future__ import annotations

from argparse import SUPPRESS
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from connections.serving import leash
from connections.serving.start import CannotServe, PartName, Site, serve
from sugaradmin.logs import redact


class Command(BaseCommand):
    help = "Serve pages, worker API and background work; stops cleanly on Ctrl-C and SIGTERM."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on; 0 picks a free one (8000)")
        parser.add_argument("--only", choices=("web", "worker"), help="start the web or the background alone")
        parser.add_argument("--no-migrate", action="store_true", help="leave the database and static files as they are")
        parser.add_argument("--part", choices=[name.value for name in PartName], help=SUPPRESS)
        parser.add_argument("--leash", type=int, help=SUPPRESS)
        parser.add_argument("--listener", type=int, help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["part"]:
            run_part(PartName(options["part"]), leash_end=options["leash"], listener=options["listener"])
            return
        self.check()
        site = Site(
            host=options["host"],
            port=options["port"],
            web=options["only"] != "worker",
            worker=options["only"] != "web",
            migrate=not options["no_migrate"],
        )
        try:
            finished = serve(site, say=self._say)
        except CannotServe as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            sentence = redact(" ".join(str(error).split()))
            raise CommandError(f"The database does not serve: {sentence}. Look at DATABASE_URL and `doctor`.") from None
        if not finished:
            raise CommandError("Some processes had to be stopped by force.")

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()


def run_part(name: PartName, *, leash_end: int | None, listener: int | None) -> None:
    """Be one part of a site; its module is imported only here, so that no part loads what another needs."""
    if leash_end is not None:
        leash.wear(leash_end)
    module = import_module(f"connections.serving.{name.value}")
    module.run(listener) if name is PartName.WEB else module.run()
