"""Everything the buttons and the API do with one connection, for a shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.choices import Status
from connections.custody import actions
from connections.custody.handout import find
from connections.management import telling
from connections.management.console import (
    add_json,
    add_secret,
    one_clear_line,
    operator,
    print_json,
    problem_line,
    secret,
    text_of,
)
from connections.management.mending import repair_many
from connections.onboarding import fleet, registry
from connections.onboarding.representation import connection_as_json, connections_as_json

TEXTS = ("label", "instance_url", "platform", "username", "client_id", "external_id", "contact_name", "contact_email")
SECRETS = ("password", "client-secret", "refresh-token")


class Command(BaseCommand):
    help = "List, show, add, edit, test, mend and delete connections. Secrets come from files or standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        one = verbs.add_parser("list", help="the connections that fit every filter")
        _add_filters(one)
        add_json(one)
        add = verbs.add_parser("add", help="store a new connection, as a draft unless it signs in")
        add.add_argument("--tenant", required=True, help="short name of the customer; made if it is new")
        add.add_argument("--sign-in", action="store_true", help="sign in at once")
        _add_fields(add)
        add_json(add)
        edit = verbs.add_parser("edit", help="change what is named; a new instance or user wants the password again")
        _add_id(edit)
        edit.add_argument("--owner", metavar="NAME", help="who of the staff looks after it; empty: nobody")
        _add_fields(edit)
        add_json(edit)
        for verb, words in ACTIONS.items():
            action = verbs.add_parser(verb, help=words)
            _add_id(action, is_optional=verb == "repair")
            if verb in ("rotate", "sign-in", "repair"):
                action.add_argument("--version", type=int, help="do nothing if it has moved on from this version")
            if verb == "sign-in":
                add_secret(action, "password", stdin=True)
            if verb == "repair":
                _add_filters(action)
            add_json(action)

    def handle(self, *args: Any, **options: Any) -> None:
        with one_clear_line():
            VERBS[options["verb"]](self, options)

    def list(self, options: dict[str, Any]) -> None:
        rows = fleet.matching(_filter_of(options))
        if options["json"]:
            print_json(self.stdout, connections_as_json(rows))
            return
        for row in rows:
            self.stdout.write(telling.line(row))

    def show(self, options: dict[str, Any]) -> None:
        self._tell(options)

    def add(self, options: dict[str, Any]) -> None:
        fields = _fields_of(options)
        row = registry.create(options["tenant"], fields, operator())
        if options["sign_in"]:
            self._act(options | {"id": row.public_id}, password=fields.get("password"))
        else:
            self._tell(options | {"id": row.public_id})

    def edit(self, options: dict[str, Any]) -> None:
        fields = _fields_of(options)
        if options["owner"] is not None:
            fields["owner"] = options["owner"]
        if not fields:
            raise CommandError("Nothing to change was named.")
        registry.edit(options["id"], fields, operator())
        self._tell(options)

    def test(self, options: dict[str, Any]) -> None:
        checks = actions.test(options["id"], operator())
        if options["json"]:
            connection = connection_as_json(find(options["id"], None))
            print_json(self.stdout, {"checks": [check.as_dict() for check in checks], "connection": connection})
        else:
            for check in checks:
                self.stdout.write(telling.check(check))
        failed = [check.name for check in checks if not check.ok]
        if failed:
            raise CommandError(f"Failed: {', '.join(failed)}.")

    def grant(self, options: dict[str, Any]) -> None:
        self._act(options, password=secret(options, "password"))

    def repair(self, options: dict[str, Any]) -> None:
        if options["id"] is not None:
            self._act(options)
            return
        wanted = _filter_of(options)
        if wanted == fleet.Filter():
            raise CommandError("Name a connection, or which ones: repair --status in_doubt.")
        mended = repair_many([row.public_id for row in fleet.matching(wanted)], operator())
        if options["json"]:
            print_json(self.stdout, [one.as_dict() for one in mended])
        else:
            for one in mended:
                self.stdout.write(telling.mended(one))
        failed = sum(not one.is_well for one in mended)
        if failed:
            raise CommandError(f"{failed} of {len(mended)} could not be repaired.")

    def switch(self, options: dict[str, Any]) -> None:
        {"pause": actions.pause, "resume": actions.resume, "hold": actions.hold}[options["verb"]](
            options["id"], operator()
        )
        self._tell(options)

    def delete(self, options: dict[str, Any]) -> None:
        actions.delete(options["id"], operator())
        if options["json"]:
            print_json(self.stdout, {"id": options["id"], "deleted": True})
        else:
            self.stdout.write(f"{options['id']} is deleted, its secrets are wiped.")

    def _tell(self, options: dict[str, Any]) -> None:
        row = find(options["id"], None)
        if options["json"]:
            print_json(self.stdout, connection_as_json(row))
        else:
            self.stdout.write(telling.whole(row))

    def _act(self, options: dict[str, Any], *, password: str | None = None) -> None:
        """`add --sign-in` answers the connection, like the API; the actions answer what they did as well."""
        report = _start(options, password)
        row = find(options["id"], None)
        if options["json"]:
            shown = connection_as_json(row)
            print_json(self.stdout, shown if options["verb"] == "add" else telling.report_as_json(report, shown))
        else:
            self.stdout.write(telling.report(report, row))
        if report.problem is not None:
            raise CommandError(problem_line(report.problem))


def _start(options: dict[str, Any], password: str | None) -> actions.Report:
    version = options.get("version")
    match options["verb"]:
        case "add":
            return actions.begin(options["id"], operator(), password=password)
        case "rotate":
            return actions.rotate(options["id"], operator(), version=version)
        case "repair":
            return actions.repair(options["id"], operator(), version=version)
    return actions.sign_in(options["id"], operator(), version=version, password=password)


def _add_id(parser: CommandParser, *, is_optional: bool = False) -> None:
    parser.add_argument("id", nargs="?" if is_optional else None, metavar="ID", help="as in c_4k2m8x7q1z")


def _add_filters(parser: CommandParser) -> None:
    parser.add_argument("--status", default="", help=f"one or more, with commas: {', '.join(Status.values)}")
    parser.add_argument("--tenant", default="")
    parser.add_argument("--tag", default="")
    parser.add_argument("--external-id", default="")
    parser.add_argument("--q", default="", metavar="TEXT", help="looks at label, id, external id, host and user")


def _filter_of(options: dict[str, Any]) -> fleet.Filter:
    statuses = [word.strip() for word in options["status"].split(",") if word.strip()]
    unknown = [word for word in statuses if word not in Status.values]
    if unknown:
        raise CommandError(f"There is no status {', '.join(unknown)}; there are {', '.join(Status.values)}.")
    return fleet.Filter(
        statuses=tuple(statuses),
        tenant=options["tenant"],
        tag=options["tag"],
        external_id=options["external_id"],
        text=options["q"],
    )


def _add_fields(parser: CommandParser) -> None:
    for name in TEXTS:
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="TEXT")
    parser.add_argument("--ca-file", metavar="FILE", help="PEM of the certificate authority the instance goes by")
    parser.add_argument("--tag", action="append", metavar="WORD", help="any number of times; replaces the tags")
    parser.add_argument(
        "--server-seconds", type=int, metavar="N", help="how long the server may work on after we gave up"
    )
    _add_switch(parser, "store-password", "keep the password, to sign in again with it")
    _add_switch(parser, "allow-shared-platform", "accept one of Sugar's own platforms, where people end our session")
    add_secret(parser, "password", stdin=True)
    add_secret(parser, "client-secret")
    add_secret(parser, "refresh-token")


def _add_switch(parser: CommandParser, name: str, words: str) -> None:
    key = name.replace("-", "_")
    parser.add_argument(f"--{name}", dest=key, action="store_const", const=True, help=words)
    parser.add_argument(f"--no-{name}", dest=key, action="store_const", const=False, help="the opposite")


def _fields_of(options: dict[str, Any]) -> dict[str, Any]:
    """What was named, under the names of `POST /connections`."""
    names = (*TEXTS, "server_seconds", "store_password", "allow_shared_platform")
    fields: dict[str, Any] = {name: options[name] for name in names if options[name] is not None}
    if options["tag"] is not None:
        fields["tags"] = [word for word in options["tag"] if word]
    if options["ca_file"] is not None:
        fields["ca_pem"] = text_of(Path(options["ca_file"]))
    for name in SECRETS:
        value = secret(options, name)
        if value is not None:
            fields[name.replace("-", "_")] = value
    return fields


ACTIONS = {
    "show": "status, tokens, diagnosis and what to do",
    "test": "ask the instance, without changing anything",
    "rotate": "refresh now; the old version is superseded",
    "sign-in": "sign in now; ends every other session of this user and platform",
    "repair": "find out what is alive and get back to it; many at once by filters",
    "pause": "no refreshes for workers; the chain is kept alive",
    "resume": "end a pause or a hold",
    "hold": "nothing leaves, nothing is handed out",
    "delete": "log out and wipe the secrets",
}
VERBS = {
    "list": Command.list,
    "show": Command.show,
    "add": Command.add,
    "edit": Command.edit,
    "test": Command.test,
    "rotate": Command.grant,
    "sign-in": Command.grant,
    "repair": Command.repair,
    "pause": Command.switch,
    "resume": Command.switch,
    "hold": Command.switch,
    "delete": Command.delete,
}
