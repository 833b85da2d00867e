"""What commands share: who acts, where secrets come from, how answers are printed and troubles end."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from connections.custody.audit import Actor
from connections.custody.problems import CustodyProblem
from connections.onboarding.registry import ConnectionExists, EditRefused, InvalidFields, InvalidTenant, TripleBusy

LONGEST_SECRET = 65_536


def operator() -> Actor:
    """Whoever is signed in to the machine: what a command changed stands in the audit under that name."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container may know no name for its user
        name = "operator"
    return Actor(kind="command", name=name)


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def print_json(stdout: OutputWrapper, value: object) -> None:
    stdout.write(json.dumps(value, indent=2, ensure_ascii=False))


def add_secret(parser: CommandParser, name: str, *, stdin: bool = False) -> None:
    """`--NAME-file FILE`, where `-` is standard input; with `stdin` also `--NAME-stdin`. Never the secret itself."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(f"--{name}-file", metavar="FILE", help=f"read the {name.replace('-', ' ')} from this file")
    if stdin:
        group.add_argument(f"--{name}-stdin", action="store_true", help=f"read the {name} from standard input")


def secret(options: dict[str, Any], name: str) -> str | None:
    """The first line of the file or of standard input; None when neither was asked for. Raises CommandError."""
    key = name.replace("-", "_")
    if options.get(f"{key}_stdin"):
        return first_line(sys.stdin.readline(LONGEST_SECRET), f"standard input holds no {name}")
    path = options.get(f"{key}_file")
    if path is None:
        return None
    if path == "-":
        return first_line(sys.stdin.readline(LONGEST_SECRET), f"standard input holds no {name}")
    return first_line(text_of(Path(path)), f"{path} holds no {name}")


def text_of(path: Path) -> str:
    """Raises CommandError, without quoting what the file holds."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise CommandError(f"{path} cannot be read: {reason}.") from None


def first_line(text: str, otherwise: str) -> str:
    """Without its line break and nothing else: a password may begin or end with a space."""
    line = text.split("\n", 1)[0].removesuffix("\r")
    if not line:
        raise CommandError(f"{otherwise[0].upper()}{otherwise[1:]}.")
    return line


@contextmanager
def one_clear_line() -> Iterator[None]:
    """Turns what custody and onboarding refuse into the line a command ends with."""
    try:
        yield
    except CustodyProblem as refused:
        raise CommandError(problem_line(refused)) from None
    except InvalidFields as refused:
        raise CommandError(fields_line(refused)) from None
    except InvalidTenant:
        raise CommandError("There is no such tenant.") from None
    except EditRefused as refused:
        raise CommandError(edit_line(refused)) from None


def problem_line(refused: CustodyProblem) -> str:
    again = f" Try again in {refused.retry_after} s." if refused.retry_after else ""
    return f"{refused.code}: {refused.detail}{again}"


def fields_line(refused: InvalidFields) -> str:
    return f"{refused.code or 'invalid'}: {refused}"


def edit_line(refused: EditRefused) -> str:
    match refused:
        case TripleBusy():
            return f"busy: {refused} Try again in {refused.retry_after} s."
        case ConnectionExists() if refused.other is not None:
            return f"connection_exists: {refused} It is {refused.other.public_id}."
        case ConnectionExists():
            return f"connection_exists: {refused}"
    return f"invalid: external_id: {refused}"
