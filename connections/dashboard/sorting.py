"""The orders of the list. Each ends with the key of the row, so that every row has a place of its own in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import BooleanField, F, Func, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from connections.dashboard.queries import LONG_AGO, with_urgency
from connections.models.status import ConnectionQuerySet

FAR_AHEAD = datetime(9000, 1, 1, tzinfo=UTC)
Read = Callable[[Any], Any]


def _moment(text: str) -> datetime:
    """Raises ValueError for what is none, OverflowError for one that is before or after all days in UTC."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at.astimezone(UTC)


def _name(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(text)
    return text


def _number(text: Any) -> int:
    """Raises OverflowError for one that no database takes."""
    number = int(text)
    if number.bit_length() > 63:
        raise OverflowError(text)
    return number


READ: dict[str, Read] = {"rank": _number, "moment": _moment, "name_key": _name, "pk": _number}
"""How each part of a place is read from an address. Raises ValueError, TypeError or OverflowError."""


def _compared(keys: Sequence[str], sign: str, place: Sequence[Any]) -> Func:
    """`(a, b) > (1, 2)`, which both databases compare from left to right."""
    sides = (Func(*parts, template="(%(expressions)s)") for parts in (keys, map(Value, place)))
    return Func(*sides, template="%(expressions)s", arg_joiner=f" {sign} ", output_field=BooleanField())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """`given`: as the address carries it, a `-` before it turns the first key around. Empty: by urgency."""

    given: str = ""

    @property
    def name(self) -> str:
        return self.given.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        return self.given.startswith("-")

    @property
    def keys(self) -> tuple[str, ...]:
        return ("rank", *KEYS[self.name]) if not self.given else KEYS[self.name]

    def _is_turned(self, key: str) -> bool:
        """Only what was asked for: rows that are alike in it stand by name either way."""
        return self.is_descending and key == self.keys[0]

    def arrange(self, rows: ConnectionQuerySet) -> ConnectionQuerySet:
        """What has no moment comes last, whichever way round."""
        if not self.given:
            rows = with_urgency(rows)
        elif self.name in MOMENTS:
            nothing = Value(LONG_AGO if self.is_descending else FAR_AHEAD)
            rows = rows.annotate(moment=Coalesce(*(F(name) for name in MOMENTS[self.name]), nothing))
        return rows.order_by(*(f"-{key}" if self._is_turned(key) else key for key in self.keys))

    def after(self, place: tuple[Any, ...]) -> Q:
        """Everything that comes later in this order."""
        return self._beyond(place, is_before=False)

    def before(self, place: tuple[Any, ...]) -> Q:
        return self._beyond(place, is_before=True)

    def _beyond(self, place: tuple[Any, ...], *, is_before: bool) -> Q:
        """Compared as a whole: a status is made out once for each row, not once for each key and those after it."""
        sign = "<" if is_before else ">"
        if not self.is_descending:
            return Q(_compared(self.keys, sign, place))
        first, *rest = self.keys
        turned = Q(**{f"{first}__{'gt' if is_before else 'lt'}": place[0]})
        return turned | (Q(**{first: place[0]}) & Q(_compared(rest, sign, place[1:])))

    def other_way(self, name: str) -> str:
        """What a column's head leads to: this order, or the other way round where it is so already."""
        return f"-{name}" if name and self.given == name else name

    def direction(self, name: str) -> str:
        """In the words of `aria-sort`."""
        if name != self.name:
            return ""
        return "other" if not name else "descending" if self.is_descending else "ascending"


MOMENTS = {"last_success": ("last_success_at",), "access_expires": ("access_dead_at", "access_expires_at")}
KEYS: dict[str, tuple[str, ...]] = {
    "": ("moment", "name_key", "pk"),
    "name": ("name_key", "pk"),
    **dict.fromkeys(MOMENTS, ("moment", "name_key", "pk")),
}
CHOICES = (
    ("", _("the most urgent first")),
    ("name", _("name")),
    ("-name", _("name, from the end")),
    ("access_expires", _("access token, soonest end first")),
    ("-access_expires", _("access token, latest end first")),
    ("last_success", _("last success, longest ago first")),
    ("-last_success", _("last success, latest first")),
)
URGENCY = Sort()


def read(given: str) -> Sort:
    """One that is not known is that of urgency: an old link still opens."""
    return Sort(given=given) if given in dict(CHOICES) else URGENCY
