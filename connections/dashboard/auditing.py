"""The audit as its readers see it: filters that live in the address, pages by number, the same rows as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from connections.choices import AuditOutcome
from connections.custody.audit import canonical_address
from connections.custody.handout import Tenants
from connections.dashboard.filters import LONGEST, Chip
from connections.models import AuditRow, Connection
from connections.onboarding import tables

PAGE_SIZE = 50
MOST_EXPORTED = 100_000
ROWS_AT_ONCE = 1000
COLUMNS = (
    "number", "time", "actor_kind", "actor", "action", "tenant", "target", "outcome", "address", "difference",
)  # fmt: skip
TEXTS = ("actor", "action", "target", "tenant")
DAYS = ("since", "until")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilters:
    """What the audit is narrowed to. `since`, `until`: days in UTC, both included."""

    actor: str = ""
    action: str = ""
    target: str = ""
    tenant: str = ""
    address: str = ""
    outcome: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, given: QueryDict) -> AuditFilters:
        """What is no day, address or outcome is left out: a mangled link still opens."""
        outcome = given.get("outcome", "")
        return cls(
            **{name: given.get(name, "").replace("\0", "").strip()[:LONGEST] for name in TEXTS},
            address=canonical_address(given.get("address", "").strip()) or "",
            outcome=outcome if outcome in AuditOutcome.values else "",
            since=_day(given.get("since", "")),
            until=_day(given.get("until", "")),
        )

    def narrow(self, rows: QuerySet[AuditRow]) -> QuerySet[AuditRow]:
        columns = {"tenant": "tenant__slug"}
        for name in (*TEXTS, "address", "outcome"):
            if value := getattr(self, name):
                rows = rows.filter(**{columns.get(name, name): value})
        if self.since:
            rows = rows.filter(at__gte=_start_of(self.since))
        if self.until and self.until < date.max:  # no day follows the last one: until then is without end
            rows = rows.filter(at__lt=_start_of(self.until) + timedelta(days=1))
        return rows

    def chips(self) -> Iterator[Chip]:
        names = {
            "actor": _("Who"), "action": _("Action"), "target": _("What"), "tenant": _("Tenant"),
            "address": _("Address"), "outcome": _("Outcome"), "since": _("From"), "until": _("Until"),
        }  # fmt: skip
        for field, name in names.items():
            if value := getattr(self, field):
                shown = AuditOutcome(value).label if field == "outcome" else value
                yield Chip(name=name, value=str(shown), without=self.query(without=field))

    def is_detailed(self) -> bool:
        """A filter is set that is folded away otherwise."""
        return bool(self.tenant or self.address or self.since or self.until)

    def query(self, *, without: str = "") -> str:
        """The filters as the address carries them, without a place."""
        query = QueryDict(mutable=True)
        for name, value in self.as_words().items():
            if name != without:
                query[name] = value
        return query.urlencode()

    def as_words(self) -> dict[str, str]:
        return {name: str(getattr(self, name)) for name in (*TEXTS, "address", "outcome", *DAYS) if getattr(self, name)}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def readable(tenants: Tenants) -> QuerySet[AuditRow]:
    """Newest first. Who is limited to tenants sees theirs only, and nothing that belongs to none: sign-ins, keys."""
    rows = AuditRow.objects.select_related("tenant").order_by("-id")
    return rows if tenants is None else rows.filter(tenant__in=tenants)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """`older`: the number below which the next page begins; None at the end."""

    rows: list[AuditRow]
    before: str
    older: int | None


def page_of(rows: QuerySet[AuditRow], before: str) -> AuditPage:
    is_place = before.isdecimal() and len(before) < 19
    found = list((rows.filter(pk__lt=int(before)) if is_place else rows)[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    older = shown[-1].pk if len(found) > PAGE_SIZE else None
    return AuditPage(rows=shown, before=before if is_place else "", older=older)


def name_targets(rows: Sequence[AuditRow]) -> None:
    """Sets `named` on each row: the connection that its target is, where it still is one."""
    ids = {row.target for row in rows if row.target.startswith("c_")}
    found = {one.public_id: one for one in Connection.objects.present().filter(public_id__in=ids)} if ids else {}
    for row in rows:
        row.named = found.get(row.target)  # type: ignore[attr-defined]  # for the template


def as_csv(rows: QuerySet[AuditRow]) -> Iterator[str]:
    """Row by row, newest first. In portions, so that no query stays open while a slow reader reads."""
    yield from tables.lines([COLUMNS])
    last, left = None, MOST_EXPORTED
    while portion := list((rows if last is None else rows.filter(pk__lt=last))[: min(ROWS_AT_ONCE, left)]):
        yield from tables.lines(_cells(row) for row in portion)
        last, left = portion[-1].pk, left - len(portion)


def _cells(row: AuditRow) -> tuple[Any, ...]:
    at = row.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    tenant = row.tenant.slug if row.tenant else ""
    difference = "; ".join(f"{name}: {value}" for name, value in told(row.difference))
    return (
        row.pk, at, row.actor_kind, row.actor, row.action, tenant, row.target, row.outcome, row.address, difference,
    )  # fmt: skip


def told(difference: Any) -> list[tuple[str, str]]:
    """What changed, as pairs of words in the order of their names; lists with commas between."""
    if not isinstance(difference, dict):
        return [("", str(difference))]
    return [(name.replace("_", " "), _word(value)) for name, value in sorted(difference.items())]


def _word(value: Any) -> str:
    match value:
        case None | "":
            return "–"
        case bool():
            return _("yes") if value else _("no")
        case list():
            return ", ".join(_word(one) for one in value) or "–"
        case dict():
            return ", ".join(f"{name}: {_word(one)}" for name, one in value.items()) or "–"
    return str(value)
