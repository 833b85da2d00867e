"""Django's cache in the database, able to count: how often somebody knocked is no number to be lost among threads."""

from __future__ import annotations

import base64
import pickle
from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.db import connections, router, transaction


class CountingCache(DatabaseCache):
    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Django's reads, adds and writes: of twenty at once most were not counted, and a count lived for five minutes
        from the newest on, whatever was asked of it. Here each waits for the row, whose end stays where it was.

        Raises ValueError where there is no such count.
        """
        name = self.make_and_validate_key(key, version=version)
        database = router.db_for_write(self.cache_model_class)
        table = connections[database].ops.quote_name(self._table)  # type: ignore[attr-defined]  # the stubs do not know it
        with transaction.atomic(using=database), connections[database].cursor() as cursor:
            # Takes the lock; the table's name is ours.
            cursor.execute(f"UPDATE {table} SET value = value WHERE cache_key = %s", [name])  # noqa: S608
            known = self.get(key, version=version)
            if known is None:
                raise ValueError(f"There is no count named {key}.")
            counted = int(known) + delta
            packed = base64.b64encode(pickle.dumps(counted, self.pickle_protocol)).decode("ascii")
            cursor.execute(f"UPDATE {table} SET value = %s WHERE cache_key = %s", [packed, name])  # noqa: S608
        return counted
