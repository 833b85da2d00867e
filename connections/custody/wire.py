"""The one client of this process, built from settings; and the short memory of pre-flights."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection

from connections.egress import Egress, Pacer, Policy, boottime
from connections.sugar import Answer, SugarClient, Target

PREFLIGHT_GOOD_FOR = 10.0  # seconds: one answer serves the same instance and platform
PREFLIGHTS_KEPT = 4096
USER_AGENT = "sugaradmin/1"

_lock = threading.Lock()
_preflights: dict[tuple[str, str, str], tuple[float, Answer]] = {}


@lru_cache(maxsize=2)
def _egress_for(config: Any) -> Egress:
    policy = Policy(
        user_agent=USER_AGENT,
        allowed_networks=config.allowed_networks,
        allowed_ports=config.allowed_ports,
        allow_http=config.allow_http,
        allow_loopback=config.development,
    )
    return Egress(policy, pacer=Pacer(config.instance_rate, folder=config.data_dir / "pacing"))


def egress() -> Egress:
    """The guarded door; one per process and configuration. What it may ask for, all processes of this node share."""
    return _egress_for(settings.SUGARADMIN)


def client() -> SugarClient:
    return SugarClient(egress())


def preflight(target: Target, *, is_fresh_wanted: bool) -> Answer:
    """The free look before a grant. `is_fresh_wanted`: a person asks, who may just have cured what was wrong; and a
    grant that nobody must make now is worth a look of its own."""
    key = (target.instance_url, target.platform, target.rest_path)
    with _lock:
        at, answer = _preflights.get(key, (float("-inf"), None))
    is_young = boottime() - at < PREFLIGHT_GOOD_FOR
    if answer is not None and is_young and not is_fresh_wanted:
        return answer
    fresh = client().preflight(target, deadline=settings.SUGARADMIN.preflight.total_seconds())
    if fresh.is_kept_back:
        return fresh
    with _lock:
        if len(_preflights) >= PREFLIGHTS_KEPT:
            _preflights.clear()
        _preflights[key] = (boottime(), fresh)
    return fresh


def forget_preflights() -> None:
    """Between tests, and when staff changed something."""
    with _lock:
        _preflights.clear()


def release_database() -> None:
    """No database connection is held while we wait for Sugar. SQLite's is a file handle: nobody waits for it."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        connection.close()


def renew_database() -> None:
    """After an error of the database: drop this session, and every other dead one that the pool still holds."""
    connection.close()
    if connection.vendor == "postgresql" and connection.pool is not None:  # type: ignore[attr-defined]  # PostgreSQL's
        connection.pool.check()  # type: ignore[attr-defined]
