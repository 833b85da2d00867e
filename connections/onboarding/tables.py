"""Lists of connections as JSON or CSV: read without surprises, written so that no spreadsheet runs a cell."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Fields = dict[str, Any]

SECRETS = ("password", "client_secret", "refresh_token")
PLAIN = (
    "tenant",
    "external_id",
    "label",
    "instance_url",
    "platform",
    "username",
    "client_id",
    "ca_pem",
    "contact_name",
    "contact_email",
    "store_password",
    "allow_shared_platform",
    "server_seconds",
    "tags",
)
KNOWN = frozenset({*PLAIN, *SECRETS, "sign_in"})
FLAGS = ("store_password", "allow_shared_platform", "sign_in")
WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# Spreadsheets take these for the start of a formula (OWASP, CSV injection).
FORMULA = re.compile(r"'*[=+\-@\t\r]")


class Unreadable(Exception):
    """The file as a whole is no list of connections; quotes nothing of it but names of columns."""


def read(text: str) -> list[Fields]:
    """JSON when it begins like JSON, else CSV with a header. Raises Unreadable."""
    text = text.removeprefix("\ufeff")
    return _from_json(text) if text.lstrip()[:1] in ("[", "{") else _from_csv(text)


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, PLAIN, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


class _Line:
    """What csv writes to: each row comes back as text."""

    def write(self, text: str) -> str:
        return text


def lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Row by row, for an answer that is sent while it is made."""
    writer = csv.writer(_Line(), lineterminator="\r\n")
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def _from_json(text: str) -> list[Fields]:
    try:
        rows = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Unreadable(f"This is not JSON{place}.") from None  # the error would quote the text, and its secrets
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unreadable("A list of objects is needed, each with the fields of POST /connections.")
    return rows


def _from_csv(text: str) -> list[Fields]:
    header = text.split("\n", 1)[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = [line for line in reader if any(line)]
    except csv.Error:
        raise Unreadable(f"This is not CSV (line {reader.line_num}).") from None
    if not lines:
        raise Unreadable("There is nothing in it; the first line names the columns.")
    names = [name.strip() for name in lines[0]]
    _check_header(names)
    return [_fields(names, cells) for cells in lines[1:]]


def _check_header(names: Sequence[str]) -> None:
    """Named only where it looks like a name: without a header, the first line may hold a password."""
    if len(KNOWN.intersection(names)) < 2 or len(set(names)) < len(names):
        raise Unreadable(f"The first line must name each column once; they are: {', '.join((*PLAIN, *SECRETS))}.")


def _fields(names: Sequence[str], cells: Sequence[str]) -> Fields:
    """An empty cell says nothing. Cells too many are a comma without quotes: the row would be read askew."""
    fields = {name: _value(name, cell) for name, cell in zip(names, cells, strict=False) if cell != ""}
    return fields if len(cells) <= len(names) else fields | {"": None}


def _value(name: str, cell: str) -> Any:
    if name in SECRETS:
        return cell
    text = cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
    if name == "tags":
        return [word for word in re.split(r"[\s,]+", text) if word]
    if name in FLAGS:
        return WORDS.get(text.strip().lower(), text)
    if name == "server_seconds":
        return int(text) if text.strip().isdecimal() else text
    return text


def cell(value: Any) -> str:
    """As text that no spreadsheet runs as a formula."""
    if value is None:
        return ""
    text = " ".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if FORMULA.match(text) else text
