"""The moments in stored sentences: they were written in UTC, and without the day where it was the writer's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

WRITTEN = re.compile(
    r"(?P<lead>\buntil |\bsent at )?(?P<moment>\b(?:(?P<day>20\d\d-\d\d-\d\d) )?(?P<clock>\d\d:\d\d(?::\d\d)?) UTC\b)"
)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A moment as it stands in a sentence."""

    at: datetime
    has_seconds: bool


def parts(text: str, near: datetime) -> Iterator[str | Written]:
    """The sentence in pieces, its moments made out. `near`: when it was written."""
    done = 0
    for match in WRITTEN.finditer(text):
        at = _moment(match, near.astimezone(UTC))
        if at is not None:
            yield text[done : match.start("moment")]
            yield Written(at=at, has_seconds=match["clock"].count(":") > 1)
            done = match.end("moment")
    yield text[done:]


def _moment(match: re.Match[str], near: datetime) -> datetime | None:
    """None: it only looks like one. Without a day it is the writer's, unless its words say that it lay on the other
    side of midnight."""
    try:
        at = datetime.fromisoformat(f"{match['day'] or near.date()} {match['clock']}").replace(tzinfo=UTC)
    except ValueError:
        return None
    if match["day"]:
        return at
    if match["lead"] == "until " and at < near.replace(second=0, microsecond=0):
        return at + DAY
    if match["lead"] == "sent at " and at > near:
        return at - DAY
    return at
