"""How often a password may be tried: per (instance, user) over all connections, and per connection a day.

Counted in the journal by rolling windows of the database's clock, so that no process can forget. Staff, the API,
customers' links and the background draw on one budget an hour: what locks an account is the sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from connections.choices import AttemptKind, AttemptState, Fault, Trigger
from connections.custody import schedule
from connections.models import Attempt, Connection

DAY = timedelta(days=1)
FREE_REFUSALS = 2
REFUSALS_PER_PASSWORD = 5
AUTOMATIC_SIGN_INS_A_DAY = 6
REST_AFTER_VAIN = {3: 30, 4: 120, 5: 480}  # sign-ins in vain: first waits to rest, as shipped 15 min, 1 h and 4 h
TRIES_AN_HOUR = 5
HOUR = timedelta(hours=1)
AUTOMATIC = (Trigger.BACKGROUND, Trigger.WORKER, Trigger.REPORT)
DELIBERATE = (Trigger.STAFF, Trigger.API, Trigger.LINK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """May the password be tried now, and if not: when does time allow it again (None: a person must act).

    `left`: how many tries a person has within the hour."""

    is_allowed: bool
    allowed_at: datetime | None = None
    refused: int = 0
    left: int = 0


def refused_tries(row: Connection) -> QuerySet[Attempt]:
    """Refused tries of this (instance, user) since this password was saved, as people are told of them."""
    tries = Attempt.objects.filter(
        instance_url=row.instance_url, username_key=row.username_key, is_refused_try=True
    ).order_by("-closed_at")
    return tries.filter(closed_at__gt=row.password_set_at) if row.password_set_at else tries


def refused_stored(row: Connection) -> QuerySet[Attempt]:
    """Those that presented a stored password; each save starts anew. What a person mistyped once is no word on it."""
    return refused_tries(row).filter(is_typed_password=False)


def is_password_refused(row: Connection, now: datetime) -> bool:
    """Two refused tries since it was saved: a person should look, the daily try goes on."""
    return row.password is not None and refused_stored(row)[:FREE_REFUSALS].count() >= FREE_REFUSALS


def automatic_sign_in(row: Connection, now: datetime) -> Allowance:
    """May the background sign in by itself: refusals, lock-outs and the daily budget.

    How soon counts every refused try, whoever typed what: it is their sum that locks the user out.
    """
    if row.password is None:
        return Allowance(is_allowed=False)
    refused = refused_stored(row)[:REFUSALS_PER_PASSWORD].count()
    if refused >= REFUSALS_PER_PASSWORD:
        return Allowance(is_allowed=False, refused=refused)
    waits = [
        _after_refusals(list(refused_tries(row).values_list("closed_at", flat=True)[:FREE_REFUSALS])),
        _after_hour(row, now),
        _after_lockout(row, now),
        _after_budget(row, now),
        _after_vain(row, now),
    ]
    until = max((wait for wait in waits if wait is not None and wait > now), default=None)
    return Allowance(is_allowed=until is None, allowed_at=until, refused=refused)


def sign_in_ahead_at(row: Connection, now: datetime) -> datetime | None:
    """Where the instance caps sessions: when to start the next chain, before this one ends. None: not by itself."""
    if row.chain_ends_at is None or row.signed_in_at is None or row.password is None:
        return None
    at = schedule.capped_sign_in_at(row.signed_in_at, row.chain_ends_at)
    allowance = automatic_sign_in(row, now)
    if allowance.is_allowed:
        return at
    return max(at, allowance.allowed_at) if allowance.allowed_at is not None else None


def _after_refusals(refused: list[datetime | None]) -> datetime | None:
    """Two at once, then one a day."""
    if len(refused) < FREE_REFUSALS or refused[0] is None:
        return None
    return refused[0] + DAY


def _after_hour(row: Connection, now: datetime) -> datetime | None:
    """A new password starts the count anew, but not Sugar's: what was refused within the hour stays spent."""
    tries = Attempt.objects.filter(
        instance_url=row.instance_url, username_key=row.username_key, is_refused_try=True, closed_at__gt=now - HOUR
    )
    spent = list(tries.order_by("-closed_at").values_list("closed_at", flat=True)[:TRIES_AN_HOUR])
    oldest = spent[-1] if len(spent) >= TRIES_AN_HOUR else None
    return oldest + HOUR if oldest else None


def _after_lockout(row: Connection, now: datetime) -> datetime | None:
    """A lock-out with a time is waited out; it holds for the user, whichever connection met it."""
    return (
        Attempt.objects.filter(instance_url=row.instance_url, username_key=row.username_key, lockout_until__gt=now)
        .order_by("-lockout_until")
        .values_list("lockout_until", flat=True)
        .first()
    )


def _after_budget(row: Connection, now: datetime) -> datetime | None:
    """Six a day, so that two systems on one platform do not fight for ever; the first of its life is free."""
    sent = list(
        Attempt.objects.filter(
            connection=row,
            kind=AttemptKind.PASSWORD,
            trigger__in=AUTOMATIC,
            is_first_sign_in=False,
            sent_at__gt=now - DAY,
        )
        .order_by("-sent_at")
        .values_list("sent_at", flat=True)[:AUTOMATIC_SIGN_INS_A_DAY]
    )
    oldest = sent[-1] if len(sent) >= AUTOMATIC_SIGN_INS_A_DAY else None
    return oldest + DAY if oldest else None


def _after_vain(row: Connection, now: datetime) -> datetime | None:
    """Where no answer comes, or one that says nothing of the password, the six are spread over the day: spent within
    half an hour they would leave a good password unused for a day after an outage of an hour.

    A definite answer about the refresh token ends it: Sugar grants again.
    """
    sent = Attempt.objects.filter(
        connection=row,
        kind=AttemptKind.PASSWORD,
        trigger__in=AUTOMATIC,
        is_first_sign_in=False,
        is_refused_try=False,
        lockout_until=None,
        sent_at__gt=max(at for at in (now - DAY, row.last_success_at, row.password_set_at) if at is not None),
    ).order_by("-sent_at")
    vain = list(sent.values_list("sent_at", flat=True)[:AUTOMATIC_SIGN_INS_A_DAY])
    rest = REST_AFTER_VAIN.get(len(vain))
    newest = vain[0] if vain else None
    if rest is None or newest is None or _is_heard_of_token_since(row, newest):
        return None
    return newest + settings.SUGARADMIN.retry * rest


def _is_heard_of_token_since(row: Connection, since: datetime) -> bool:
    dead = (Fault.REFRESH_TOKEN_INVALID, Fault.REFRESH_TOKEN_EXPIRED)
    heard = Attempt.objects.filter(connection=row, kind=AttemptKind.REFRESH, state=AttemptState.REFUSED)
    return heard.filter(fault__in=dead, closed_at__gt=since).exists()


def deliberate_sign_in(row: Connection, now: datetime) -> Allowance:
    """A person's try: at most five an hour per (instance, user) that did not succeed, whoever made them. One that did
    resets Sugar's own count, and an instance onboarded on several platforms must not run dry."""
    tries = _tries_within_hour(row, now)
    if len(tries) < TRIES_AN_HOUR:
        return Allowance(is_allowed=True, left=TRIES_AN_HOUR - len(tries))
    return Allowance(is_allowed=False, allowed_at=tries[TRIES_AN_HOUR - 1] + HOUR)


def hold_budget(row: Connection) -> None:
    """To the end of the transaction nobody else spends a try of this (instance, user): two connections of one user
    have two rows to lock. SQLite has one writer at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            subject = f"{row.instance_url} {row.username_key}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [subject])


def _tries_within_hour(row: Connection, now: datetime) -> list[datetime]:
    """Newest first: every refused one, and what people asked for that is under way or did not end well. What was
    called off before it left is none."""
    tries = Attempt.objects.filter(
        Q(trigger__in=DELIBERATE) | Q(is_refused_try=True),
        instance_url=row.instance_url,
        username_key=row.username_key,
        kind=AttemptKind.PASSWORD,
        claimed_at__gt=now - HOUR,
    ).exclude(state__in=(AttemptState.SETTLED, AttemptState.ABANDONED))
    return list(tries.order_by("-claimed_at").values_list("claimed_at", flat=True)[:TRIES_AN_HOUR])
