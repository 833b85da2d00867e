"""When to refresh, when to try again: arithmetic on times, no rows, no clock."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

DAY = timedelta(days=1)
WARM_FOR = DAY
MIN_LEAD = timedelta(seconds=60)
MAX_BACKOFF = timedelta(minutes=15)
CLIENT_INVALID_AGAIN = timedelta(hours=1)
USE_NOTED_EVERY = timedelta(minutes=10)
DEFAULT_REFRESH_LIFETIME = timedelta(seconds=1_209_600)  # Sugar's default: 14 days (SUGAR.md section 1)
LEAST_BOUND = 12
REPORT_BACKOFF = timedelta(seconds=30)


def lead(lifetime: timedelta, percent: int) -> timedelta:
    """How long before expiry a refresh is due: a share of the lifetime, at least 60 s, at most half of it."""
    return min(max(lifetime * percent / 100, MIN_LEAD), lifetime / 2)


def is_warm(*, last_used_at: datetime | None, signed_in_at: datetime | None, now: datetime) -> bool:
    return any(at is not None and now - at < WARM_FOR for at in (last_used_at, signed_in_at))


def warm_refresh_at(issued_at: datetime, access_expires_at: datetime, percent: int) -> datetime:
    """Jitter only shortens the lead: an earlier refresh would break the bound on grants per hour."""
    ahead = lead(access_expires_at - issued_at, percent)
    return access_expires_at - ahead + ahead * random.uniform(0, 0.2)  # noqa: S311  # spread, no secret


def idle_refresh_at(
    issued_at: datetime, refresh_expires_at: datetime | None, chain_ends_at: datetime | None = None
) -> datetime:
    """Half of the refresh lifetime: early enough for days of trouble, late enough to spare workers' tokens.

    Under a cap a refresh prolongs nothing, and half of what is left would never end: on the last day there is none.
    """
    if chain_ends_at is not None and chain_ends_at - issued_at < DAY:
        return chain_ends_at + MIN_LEAD
    lifetime = (refresh_expires_at - issued_at) if refresh_expires_at else DEFAULT_REFRESH_LIFETIME
    return issued_at + max(lifetime, timedelta(0)) / 2 * random.uniform(0.95, 1)  # noqa: S311


def capped_sign_in_at(signed_in_at: datetime, chain_ends_at: datetime) -> datetime:
    """Where the instance caps sessions: sign in again before the cap, a tenth of the chain ahead, at most a day."""
    return chain_ends_at - min(
        max((chain_ends_at - signed_in_at) / 10, MIN_LEAD), DAY, (chain_ends_at - signed_in_at) / 2
    )


def backoff(failures: int, first: timedelta, most: timedelta = MAX_BACKOFF) -> timedelta:
    """Doubles from `first`, with jitter, up to `most`."""
    step = min(first * (1 << min(max(failures - 1, 0), 20)), most)
    return step * random.uniform(0.8, 1)  # noqa: S311


def report_wait(streak: int) -> timedelta:
    """Reports that keep coming for fresh versions: 30 s, doubling to 15 min."""
    return timedelta(0) if streak <= 0 else min(REPORT_BACKOFF * (1 << min(streak - 1, 10)), MAX_BACKOFF)


def grants_per_hour(access_lifetime: timedelta) -> int:
    """The bound of INV12: 12, and twice the number of access lifetimes in an hour."""
    return LEAST_BOUND + int(2 * timedelta(hours=1) / max(access_lifetime, timedelta(seconds=1)))


def is_capped(earlier: datetime | None, later: datetime | None, between: timedelta) -> bool:
    """Two refresh expiries of one chain that did not move on with the clock (SUGAR.md section 1)."""
    if earlier is None or later is None or between < timedelta(seconds=2):
        return False
    return later - earlier < between / 2
