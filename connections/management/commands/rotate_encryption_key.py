"""Change the encryption key: add one, let it seal, bring every secret under it, retire the old one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.custody import rekey, ring_changes
from connections.custody.rekey import KeysDoNotFit, KeyUse
from connections.custody.ring_changes import RingChangeRefused
from connections.management.console import add_json, operator, print_json
from connections.models import Heartbeat, database_now
from connections.vault import VaultError, is_data_key
from sugaradmin.keys import RETIRED_KEYS


class Command(BaseCommand):
    help = "Seal every stored secret anew with the primary key; may be stopped and run again at any time."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--status", action="store_true", help="change nothing, show what needs which key")
        what.add_argument(
            "--add", metavar="KEY", nargs="?", const="", help="a new key, which opens and does not seal yet"
        )
        what.add_argument("--make-primary", metavar="KEY", help="this key seals from now on")
        what.add_argument("--retire", metavar="KEY", help="nothing needs this key: take it out of the ring")
        what.add_argument(
            "--give-up",
            metavar="KEY",
            help="this key is lost for good: write secrets again, ask for those it sealed; deletes nothing",
        )
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["give_up"]:
                self._give_up(options["give_up"])
            elif options["add"] is not None:
                self._add(options["add"] or ring_changes.free_name())
            elif options["make_primary"]:
                self._make_primary(options["make_primary"])
            elif options["retire"]:
                self._retire(options["retire"])
            elif options["status"]:
                self._report(rekey.usage(), options["json"])
            else:
                self._rotate(options["json"])
        except (KeysDoNotFit, RingChangeRefused, VaultError) as refused:
            raise CommandError(str(refused)) from None

    def _rotate(self, is_json: bool) -> None:
        rekey.begin(operator())
        began = database_now()
        done = rekey.rekey(each_batch=lambda sealed: None if is_json else self._progress(sealed))
        left = rekey.wait_for_grants(began, patience=rekey.longest_grant(began))
        again = rekey.rekey()
        if not is_json:
            self.stdout.write(f"{done.sealed + again.sealed} values sealed anew.")
        self._report(rekey.usage(grants_before=began), is_json)
        if again.broken:
            raise CommandError(f"{again.broken} values do not open and were left as they are.")
        if left:
            raise CommandError(f"{left} grants that began before are still under way: run this again.")

    def _give_up(self, key_id: str) -> None:
        try:
            left = rekey.give_up(key_id, operator())
        except LookupError:
            raise CommandError(f"{key_id} is no key that is missing or wrong.") from None
        self.stdout.write(f"{key_id} is given up: {left} values cannot be opened; their connections say what to enter.")

    def _add(self, key_id: str) -> None:
        ring_changes.add(key_id, operator())
        self.stdout.write(f"{key_id} is made, and opens. Once every node holds it: --make-primary {key_id}")

    def _make_primary(self, key_id: str) -> None:
        ring_changes.make_primary(key_id, operator())
        self.stdout.write(f"{key_id} seals from now on. What is left is sealed anew by: rotate_encryption_key")

    def _retire(self, key_id: str) -> None:
        ring_changes.retire(key_id, operator())
        self.stdout.write(
            f"{key_id} is retired. The data directory keeps its bytes in {RETIRED_KEYS}: take them away with "
            "the oldest backup that needs them."
        )

    def _progress(self, sealed: int) -> None:
        if sealed % 10_000 < rekey.BATCH and sealed >= rekey.BATCH:
            self.stderr.write(f"{sealed} values sealed anew so far…")

    def _report(self, uses: list[KeyUse], is_json: bool) -> None:
        if is_json:
            print_json(self.stdout, [asdict(use) | {"is_retirable": use.is_retirable} for use in uses])
            return
        living = ring_changes.nodes()
        for use in uses:
            needs = f"{use.values} values, {use.files} files on disk, {use.grants} grants under way"
            needs += f", {use.wraps} keys of tenants" if use.wraps else ""
            self.stdout.write(f"{use.key_id or '(unreadable)':16} {needs:55} {_verdict(use, living)}")
        if of_tenants := rekey.standing().of_tenants:
            self.stdout.write(f"{of_tenants} values are sealed by keys of tenants.")


def _verdict(use: KeyUse, living: list[Heartbeat]) -> str:
    if use.is_primary:
        return "seals"
    if not use.is_held:
        return "MISSING: put it back into " + (
            "SUGARADMIN_TENANT_KEYS" if is_data_key(use.key_id) else "the encryption keys"
        )
    if reason := ring_changes.why_needed(use, living):
        return reason
    return (
        "may go: --retire " + use.key_id if ring_changes.is_ours() else "may be removed from SUGARADMIN_ENCRYPTION_KEYS"
    )
