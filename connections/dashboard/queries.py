"""What the pages read. Every query of a page stands here, so that their number can be counted and kept constant."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Lower

from connections.choices import GRANT_KINDS, OPEN_STATES, EventKind, Role, Status, Trouble, VersionState
from connections.custody.handout import Tenants, visible
from connections.models import (
    Attempt,
    Connection,
    DatabaseNow,
    Draft,
    Event,
    FailureMark,
    Heartbeat,
    HostWait,
    Note,
    Tenant,
    TokenVersion,
    database_now,
)
from connections.models.status import ConnectionQuerySet, death, needs_person, per_status
from connections.onboarding import drafts
from connections.onboarding.owners import may_own

URGENCY = (
    Status.DYING,
    Status.DOWN,
    Status.IN_DOUBT,
    Status.UNREACHABLE,
    Status.RETRYING,
    Status.PAUSED,
    Status.DRAFT,
    Status.HEALTHY,
)
NEED_A_PERSON = frozenset({Status.DYING, Status.DOWN})
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
MOST_COUNTED = 10_000
MOST_SUGGESTED = 200
SHOWN_IN_LISTS = (
    "public_id", "label", "external_id", "instance_url", "host", "platform", "username", "contact_name",
    "contact_email", "snoozed_until", "snooze_reason", "snoozed_by", "event_count", "trouble_since", "diagnosis_code",
    "access_expires_at", "access_dead_at", "last_success_at", "tenant__slug", "owner__username", "owner__is_active",
)  # fmt: skip
ROUTINE = (EventKind.REFRESHED, EventKind.PROBED)
SILENT_AFTER_BEATS = 3
LEAST_SILENCE = timedelta(seconds=30)


# -- the fleet -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """How many connections are in each status, and how many carry which diagnosis, as the list finds them. The causes
    of what is most urgent come first. Wizard drafts count as drafts: the list shows them together."""

    by_status: dict[str, int]
    by_cause: list[tuple[str, int]]

    @property
    def total(self) -> int:
        return sum(self.by_status.values())

    @property
    def connected(self) -> int:
        """Those that have signed in at least once."""
        return self.total - self.by_status[Status.DRAFT]

    @property
    def is_all_well(self) -> bool:
        return 0 < self.connected == self.by_status[Status.HEALTHY]


def census(tenants: Tenants) -> Census:
    """One grouped count over the present connections, and what is none yet."""
    rows = Connection.objects.present().filter(visible(tenants)).with_status().order_by()
    statuses: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    worst: dict[str, int] = {}
    grouped = rows.values_list("status", "diagnosis_code").annotate(count=Count("pk"))  # type: ignore[misc]  # annotated
    begun = drafts.unfinished(tenants).order_by().values_list(Value(Status.DRAFT.value), Value(""))
    for status, code, count in grouped.union(begun.annotate(count=Count("pk")), all=True):
        statuses[status] += count
        if code:
            causes[code] += count
            worst[code] = min(worst.get(code, len(URGENCY)), URGENCY.index(status))
    by_cause = sorted(causes.items(), key=lambda pair: (worst[pair[0]], -pair[1], pair[0]))
    return Census(by_status={status: statuses[status] for status in URGENCY}, by_cause=by_cause)


def next_refresh(tenants: Tenants) -> datetime | None:
    """The soonest of those that are planned."""
    rows = Connection.objects.present().filter(visible(tenants))
    soonest: datetime | None = rows.aggregate(soonest=Min("next_refresh_at"))["soonest"]
    return soonest


def pressing(tenants: Tenants) -> dict[str, int]:
    """How many connections need a person and are not snoozed, by status: the number in every page's title."""
    if tenants is not None and not tenants:
        return {}
    sql, params = _pressing(tenants, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return {status: count for status, count in cursor.fetchall() if status in NEED_A_PERSON}


@lru_cache(maxsize=64)
def _pressing(tenants: Tenants, vendor: str) -> tuple[str, tuple[Any, ...]]:
    """Put together once: every page and every poll asks it, and to build it costs far more than to answer it.

    `vendor` parts what is kept: each kind of database has its own words.
    """
    rows = Connection.objects.present().filter(visible(tenants)).filter(needs_person()).with_status().order_by()
    rows = rows.exclude(snoozed_until__gt=DatabaseNow())
    grouped = rows.values_list("status").annotate(count=Count("pk"))  # type: ignore[misc]  # annotated
    return grouped.query.sql_with_params()


def listed(tenants: Tenants) -> ConnectionQuerySet:
    """The present connections with their status and the time it is now, in no order."""
    rows = Connection.objects.present().filter(visible(tenants)).with_status()
    return rows.annotate(name_key=Lower("label"), now=DatabaseNow()).order_by()


def by_urgency(tenants: Tenants) -> ConnectionQuerySet:
    """Dying first, soonest first; then what is down, longest first; the well ones by name."""
    rows = with_urgency(listed(tenants))
    return rows.order_by("rank", "moment", "name_key", "pk")  # type: ignore[misc]  # annotated


def with_urgency(rows: ConnectionQuerySet) -> ConnectionQuerySet:
    since = Coalesce(F("trouble_since"), Value(LONG_AGO))
    moments = {status: death() if status == Status.DYING else since for status in Status}
    return rows.annotate(
        rank=per_status({status: Value(rank) for rank, status in enumerate(URGENCY)}, default=len(URGENCY)),
        moment=per_status(moments, default=LONG_AGO),
    )


def rows_of(tenants: Tenants, public_ids: list[str]) -> list[Connection]:
    """These connections with all that a row of the list shows, in no order."""
    rows = Connection.objects.present().filter(visible(tenants), public_id__in=public_ids)
    return list(shown_in_list(rows.with_status().annotate(now=DatabaseNow()).order_by()))


def shown_in_list(rows: ConnectionQuerySet) -> ConnectionQuerySet:
    """With tenant, owner, tags and whether there are notes, without the many columns that only other pages show."""
    has_note = Exists(Note.objects.filter(connection=OuterRef("pk")))
    rows = rows.select_related("tenant", "owner").prefetch_related("tags").only(*SHOWN_IN_LISTS)
    return rows.annotate(has_note=has_note)


def with_status_in(rows: ConnectionQuerySet, statuses: tuple[str, ...]) -> ConnectionQuerySet:
    if NEED_A_PERSON.issuperset(statuses):
        rows = rows.filter(needs_person())  # implied, and what an index can find
    return rows.filter(status__in=statuses)  # type: ignore[misc]  # annotated by with_status


def next_to_die(tenants: Tenants, limit: int = 8) -> list[Connection]:
    """Those that a person can still save without an outage, and those for which it is too late for that."""
    urgent = with_status_in(by_urgency(tenants), (Status.DYING, Status.DOWN))
    shown = ("public_id", "label", "trouble_since", "diagnosis_code", "tenant__slug")
    return list(urgent.select_related("tenant").only(*shown)[:limit])


def recent_events(tenants: Tenants, limit: int = 10) -> list[Event]:
    """What changed lately; refreshes that went well are no news."""
    events = Event.objects.exclude(kind__in=ROUTINE).select_related("connection").order_by("-pk")
    if tenants is not None:
        events = events.filter(connection__tenant_id__in=tenants)
    shown = ("number", "at", "kind", "code", "connection__public_id", "connection__label")
    return list(events.only(*shown)[:limit])


def newest_event() -> int:
    """Moves with every change of any connection, since each one writes an event."""
    return Event.objects.aggregate(newest=Max("pk"))["newest"] or 0


def newest_mark() -> tuple[object, ...]:
    """Moves when staff mark a group of failures or open one again."""
    return tuple(FailureMark.objects.aggregate(Max("at"), Count("pk")).values())


def capped_count(rows: QuerySet[Any]) -> int:
    """Exact up to MOST_COUNTED; one more says “more than that”."""
    return rows.order_by().values("pk")[: MOST_COUNTED + 1].count()


def tenant_slugs(tenants: Tenants) -> list[str]:
    """To choose from; none where they are too many to send with each page: the name can be typed."""
    rows = Tenant.objects.order_by("slug")
    if tenants is not None:
        rows = rows.filter(pk__in=tenants)
    found = list(rows.values_list("slug", flat=True)[: MOST_SUGGESTED + 1])
    return found if len(found) <= MOST_SUGGESTED else []


def owners(tenants: Tenants) -> list[str]:
    """To choose from in the list; none where they are too many to send with each page."""
    found = list(may_own(tenants).values_list("username", flat=True)[: MOST_SUGGESTED + 1])
    return found if len(found) <= MOST_SUGGESTED else []


def owners_for(row: Connection) -> list[str]:
    """Everybody who may own this one."""
    return list(may_own(frozenset({row.tenant_id})).values_list("username", flat=True))


# -- one connection ------------------------------------------------------------------------------------------


def deleted(public_id: str, tenants: Tenants) -> Connection | None:
    """What is kept of a connection that was deleted, until its retention ends."""
    rows = Connection.objects.filter(visible(tenants), public_id=public_id, deleted_at__isnull=False)
    return rows.select_related("tenant").first()


def events_of(row: Connection) -> QuerySet[Event]:
    return Event.objects.filter(connection=row).order_by("-number")


def notes_of(row: Connection) -> QuerySet[Note]:
    return Note.objects.filter(connection=row).order_by("-at", "-pk")


def versions_of(row: Connection) -> QuerySet[TokenVersion]:
    """Newest first, never with their secrets; of the attempt only its number, `attempt_number`."""
    versions = TokenVersion.objects.filter(connection=row).defer("access_token", "refresh_token")
    return versions.annotate(attempt_number=F("attempt__number")).order_by("-number")


def diagnosed_at(row: Any) -> datetime:
    """As late as its evidence tells, which has no time of its own: on the day of what it leaves without a day."""
    numbers = [item["attempt"] for item in (row.diagnosis or {}).get("evidence", []) if item["attempt"]]
    known: list[datetime | None] = [row.trouble_since]
    if numbers:
        happened = Max(Coalesce("closed_at", "lost_at", "sent_at", "claimed_at"))
        known += Attempt.objects.filter(connection=row, number__in=numbers).aggregate(happened=happened).values()
    return max((at for at in known if at), default=row.now)


def live_version(row: Connection) -> TokenVersion | None:
    return versions_of(row).filter(state=VersionState.LIVE).first()


def attempts_of(row: Connection) -> QuerySet[Attempt]:
    """Newest first, never with a kept answer."""
    return Attempt.objects.filter(connection=row).defer("answer").order_by("-number")


def open_grant(row: Connection) -> Attempt | None:
    """The grant that is under way, if one is: it disables every button that would start another."""
    return attempts_of(row).filter(state__in=OPEN_STATES, kind__in=GRANT_KINDS).first()


def draft_of(row: Connection) -> Draft | None:
    """The wizard's, as long as it has not signed in."""
    return None if row.version_count else Draft.objects.filter(connection=row, expired_at__isnull=True).first()


def same_triple(tenants: Tenants, *, url: str, username: str, platform: str) -> Connection | None:
    """Who keeps this (instance, user, platform), named only to those who may see it (INV10)."""
    triple = Q(instance_url=url, username_key=username.lower(), platform_key=platform.lower())
    return Connection.objects.present().filter(triple, visible(tenants)).select_related("tenant").first()


# -- the installation ----------------------------------------------------------------------------------------


def signs_of_life() -> tuple[timedelta | None, datetime]:
    """For how long no worker has given one (zero while one does, None where none ever has), and the time it is now."""
    beats = Heartbeat.objects.order_by("-beat_at").annotate(now=DatabaseNow())
    seen = beats.values_list("beat_at", "now").first()
    if seen is None:
        return None, database_now()
    beat_at, now = seen
    is_silent = now - beat_at > max(settings.SUGARADMIN.heartbeat * SILENT_AFTER_BEATS, LEAST_SILENCE)
    return now - beat_at if is_silent else timedelta(0), now


def has_admin() -> bool:
    """Whether anybody who can sign in may do everything."""
    everything = Q(is_superuser=True) | Q(staff__role=Role.ADMIN)
    return User.objects.filter(everything, is_active=True).exists()


def heartbeats() -> list[Heartbeat]:
    return list(Heartbeat.objects.order_by("-beat_at")[:50])


def host_waits(tenants: Tenants) -> list[HostWait]:
    """Hosts that do not answer, with how many connections wait for each."""
    waits = HostWait.objects.order_by("down_since")
    if tenants is not None:
        hosts = Connection.objects.present().filter(visible(tenants)).values("host")
        waits = waits.filter(host__in=hosts)
    return list(waits[:50])


def due_and_waiting(tenants: Tenants) -> int:
    """Due but not started: what the background should have begun by now."""
    return Connection.objects.present().filter(visible(tenants), due_at__lte=database_now()).count()


def troubled_hosts(tenants: Tenants) -> list[tuple[str, int]]:
    """Hosts with more than one troubled connection: an outage shows as one line."""
    rows = Connection.objects.present().filter(visible(tenants)).exclude(trouble=Trouble.NONE).order_by()
    grouped = rows.values_list("host").annotate(count=Count("*")).filter(count__gt=1).order_by("-count", "host")
    return list(grouped[:5])
