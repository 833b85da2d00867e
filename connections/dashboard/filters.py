"""The filters of the list: they live in the address, are read forgivingly, and are shown as chips to take off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, TextField, Value
from django.db.models.functions import Concat
from django.http import QueryDict
from django.utils.translation import gettext as _

from connections.choices import DiagnosisCode, Status
from connections.dashboard import sorting
from connections.dashboard.queries import with_status_in
from connections.dashboard.sorting import Sort
from connections.dashboard.wording import title_of
from connections.models import Draft
from connections.models.status import ConnectionQuerySet

LONGEST = 200
MOST_WORDS = 8
ME = "me"
SEARCHED = (
    "label", "public_id", "external_id", "host", "username", "platform", "tenant__slug", "contact_name",
    "contact_email",
)  # fmt: skip


def _said(names: Sequence[str] = SEARCHED) -> Any:
    """All that a search looks at as one text, which costs a third of looking at each; nobody types the sign between.

    Halved again and again: SQLite's parser gives up where so many are nested one in another.
    """
    if len(names) == 1:
        return F(names[0])
    half = len(names) // 2
    return Concat(_said(names[:half]), Value("\n"), _said(names[half:]), output_field=TextField())


def _read(given: QueryDict, name: str) -> str:
    """PostgreSQL knows no text with a zero in it."""
    return given.get(name, "").replace("\0", "").strip()[:LONGEST]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One active filter, and the query of the address without it."""

    name: str
    value: str
    without: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of a column that sorts. `direction`: in the words of `aria-sort`, empty while it does not."""

    direction: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the list is narrowed to, and in which order it stands."""

    q: str = ""
    status: tuple[str, ...] = ()
    tenant: str = ""
    tag: str = ""
    cause: str = ""
    host: str = ""
    owner: str = ""
    """A user name, or `me`: whoever opens the address."""
    sort: Sort = sorting.URGENCY
    asker: str = ""

    @classmethod
    def read(cls, given: QueryDict, asker: str) -> Filters:
        """Unknown statuses, causes and orders are left out: an old link still opens. `asker`: who `me` is."""
        named = {part for text in given.getlist("status") for part in text.split(",")}
        cause = given.get("cause", "")
        return cls(
            q=_read(given, "q"),
            status=tuple(status.value for status in Status if status.value in named),
            tenant=_read(given, "tenant"),
            tag=_read(given, "tag"),
            cause=cause if cause in DiagnosisCode.values else "",
            host=_read(given, "host"),
            owner=_read(given, "owner"),
            sort=sorting.read(given.get("sort", "")),
            asker=asker,
        )

    def narrow(self, rows: ConnectionQuerySet) -> ConnectionQuerySet:
        if self.status:
            rows = with_status_in(rows, self.status)
        if self.tenant:
            rows = rows.filter(tenant__slug=self.tenant)
        if self.cause:
            rows = rows.filter(diagnosis_code=self.cause)
        if self.host:
            rows = rows.filter(host__icontains=self.host)
        if self.owner:
            rows = rows.filter(owner__username=self.asker if self.owner == ME else self.owner)
        if self.tag:
            rows = rows.filter(tags__name=self.tag)
        if self.q:
            rows = rows.alias(said=_said()).filter(*(Q(said__icontains=word) for word in self._words()))
        return rows

    def _words(self) -> list[str]:
        """Each must occur somewhere. What comes after the first few counts as one, so that no query grows too long."""
        return self.q.split(maxsplit=MOST_WORDS - 1)

    def admits_drafts(self) -> bool:
        """A draft that is no connection yet has no tag, no diagnosis and no owner."""
        is_wanted = not self.status or Status.DRAFT in self.status
        return is_wanted and not (self.tag or self.cause or self.owner)

    def mentions(self, draft: Draft) -> bool:
        """The same search and narrowing as among connections, for the few that are none yet."""
        if self.tenant and draft.tenant.slug != self.tenant:
            return False
        if self.host and self.host.lower() not in draft.instance_url.lower():
            return False
        said = (draft.label, draft.public_id, draft.instance_url, draft.platform, draft.tenant.slug)
        return all(word.lower() in "\n".join(said).lower() for word in self._words())

    def chips(self) -> Iterator[Chip]:
        for status in self.status:
            rest = [one for one in self.status if one != status]
            yield Chip(name=_("Status"), value=str(Status(status).label), without=self._query(status=rest))
        names = {
            "q": _("Search"), "tenant": _("Tenant"), "tag": _("Tag"), "cause": _("Cause"), "host": _("Host"),
            "owner": _("Owner"),
        }  # fmt: skip
        for field, name in names.items():
            value = getattr(self, field)
            if value:
                yield Chip(name=name, value=self._shown(field, value), without=self._query(**{field: ""}))

    def _shown(self, field: str, value: str) -> str:
        if field == "cause":
            return title_of(value)
        return _("me") if field == "owner" and value == ME else value

    def is_narrowed(self) -> bool:
        return any(self.chips())

    def is_detailed(self) -> bool:
        """A filter is set that is folded away otherwise. The order shows in the heads of the columns."""
        return bool(self.tenant or self.tag or self.host or self.cause or self.owner)

    def query(self) -> str:
        """Filters and order as the address carries them, without a place."""
        return self._query()

    def cleared(self) -> str:
        """The order alone."""
        return Filters(sort=self.sort).query()

    def heads(self) -> dict[str, Head]:
        """What each column's head says and leads to, by what it sorts by."""
        names = ("", "name", "access_expires", "last_success")
        return {
            name or "urgency": Head(
                direction=self.sort.direction(name), query=self._query(sort=self.sort.other_way(name))
            )
            for name in names
        }

    def as_words(self) -> dict[str, str]:
        """What is narrowed to, for the audit."""
        values = self._values() | {"status": ",".join(self.status), "sort": ""}
        return {name: str(value) for name, value in values.items() if value}

    def _values(self) -> dict[str, object]:
        return {
            "q": self.q, "status": self.status, "tenant": self.tenant, "tag": self.tag, "cause": self.cause,
            "host": self.host, "owner": self.owner, "sort": self.sort.given,
        }  # fmt: skip

    def _query(self, **changes: object) -> str:
        query = QueryDict(mutable=True)
        for name, value in (self._values() | changes).items():
            if isinstance(value, (list, tuple)):
                query.setlist(name, [str(one) for one in value])
            elif value:
                query[name] = str(value)
        return query.urlencode()
