"""Erase a customer's secrets, and the key that his backups would need."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.management.console import add_json, one_clear_line, operator, print_json
from connections.models import Tenant
from connections.onboarding import erasure
from connections.onboarding.erasure import Erased


class Command(BaseCommand):
    help = "Delete all connections of a tenant, wipe their secrets and destroy its key. Asks for the name once more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", metavar="SLUG")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError("There is no such tenant.")
        self.stderr.write(f"All connections of {tenant.name} are deleted; nothing brings their secrets back.")
        self.stderr.write(f"Type {tenant.slug} to go on:")
        if sys.stdin.readline().strip() != tenant.slug:
            raise CommandError("That is not its name: nothing was erased.")
        with one_clear_line():
            erased = erasure.erase(tenant, operator())
        if options["json"]:
            print_json(self.stdout, asdict(erased))
        else:
            self.stdout.write(_told(tenant, erased))


def _told(tenant: Tenant, erased: Erased) -> str:
    did = (
        f"{tenant.slug} is erased: {erased.connections} connections, {erased.drafts} drafts, "
        f"{erased.api_keys} API keys, {len(erased.data_keys)} keys of its own."
    )
    if erased.data_keys:
        return f"{did}\nBackups of the folder of keys still hold it: take {', '.join(erased.data_keys)} out of them."
    return f"{did}\nBackups of the database were sealed by the ring: see “Erasure” in docs/security.md."
