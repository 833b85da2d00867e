"""manage.py sugar_simulator: a Sugar server to try things on."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from django.core.management.base import BaseCommand

from connections.simulator.__main__ import add_arguments, serve


class Command(BaseCommand):
    help = "Serve simulated Sugar instances until interrupted."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """The exit code of the simulator is ours."""
        code = serve(Namespace(**options))
        if code:
            sys.exit(code)
