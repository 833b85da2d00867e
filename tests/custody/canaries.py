"""Unique secrets, and every shape in which one could have slipped out."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from django.db import connection

from connections.simulator.instance import Instance

PASSWORD = "Canary pass/wörd+7f3a&9=%"
NEXT_PASSWORD = "Canary next/wörd+51c0&2=%"
CLIENT_SECRET = "canary-client/secret+91ab&c=%"


class Cage:
    """Collects the secrets of one instance as they are made: tokens that were evicted are secrets too."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.secrets = {PASSWORD, NEXT_PASSWORD, CLIENT_SECRET}

    def collect(self) -> None:
        made = self._instance
        pairs = [token for pair in made.idm.values() for token in (pair.access, pair.refresh or "")]
        rows = [secret for row in made.tables.rows.values() for secret in (row.id, row.download)]
        seen = [token for entry in made.journal for token in (entry.refresh_token, entry.access_token)]
        self.secrets.update(token for token in [*made.sessions, *pairs, *rows, *seen] if token)

    def escaped(self, text: str) -> set[str]:
        """Which secrets stand in `text`, in any shape."""
        return {secret for secret in self.secrets for shape in shapes(secret) if shape in text}


def shapes(secret: str) -> Iterator[str]:
    raw = secret.encode()
    yield from (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1])
    yield from (raw.hex(), repr(secret)[1:-1])
    # Base64 of a text that holds the secret, at each of the three offsets; the ends depend on what stands beside it.
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * offset + raw).decode()[4 if offset else 0 :].rstrip("=")[:-2]


def database_dump() -> Iterator[tuple[str, str]]:
    """Every value of every table, ours or not, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                yield table, " ".join(_text(value) for value in row)


def _text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def found(cage: Cage, places: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    return {place: escaped for place, text in places if (escaped := cage.escaped(text))}
