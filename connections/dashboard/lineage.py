"""How the token versions of a connection descend from each other, and what may have come of grants that went astray."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q

from connections.choices import GRANT_KINDS, AttemptState, Origin
from connections.dashboard import queries
from connections.models import Attempt, Connection, TokenVersion

MOST_ASTRAY = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One line of the graph, newest first: a version, or a grant whose answer we do not hold.

    `is_above`, `is_below`: the line of the chain leaves it upwards, downwards. A grant astray is a branch beside it.
    """

    version: TokenVersion | None = None
    astray: Attempt | None = None
    is_in_doubt: bool = False
    is_above: bool
    is_below: bool


def lineage(row: Connection, versions: list[TokenVersion]) -> list[Node]:
    """The versions of a page with the grants that branched off from them."""
    astray = _astray(row, versions)
    doubted = _doubted(row, astray)
    if not versions:
        return [_branch(attempt, doubted, is_above=False, is_below=False) for attempt in astray]
    return list(_nodes(versions, astray, doubted))


def _astray(row: Connection, versions: list[TokenVersion]) -> list[Attempt]:
    """Sent, and what came of it is unknown, came too late, or belongs to what was edited away; newest first."""
    lost = Q(state__in=(AttemptState.IN_DOUBT, AttemptState.ANSWERED, AttemptState.DISCARDED))
    lost |= Q(state=AttemptState.SENT, lost_at__isnull=False)
    found = queries.attempts_of(row).filter(lost, kind__in=GRANT_KINDS)
    if versions:
        found = found.filter(Q(base_version__gte=versions[-1].number) | Q(base_version=None))
        found = found.filter(claimed_at__gte=versions[-1].issued_at)
    return list(found[:MOST_ASTRAY])


def _doubted(row: Connection, astray: list[Attempt]) -> Attempt | None:
    """The newest whose outcome is still asked for; of an older one it will never be known."""
    return next((attempt for attempt in astray if _is_asked_for(row, attempt)), None)


def _is_asked_for(row: Connection, attempt: Attempt) -> bool:
    if attempt.state in (AttemptState.SENT, AttemptState.ANSWERED):
        return True
    is_of_now = row.doubt_began is not None and attempt.number >= row.doubt_began
    return is_of_now and attempt.state == AttemptState.IN_DOUBT


def _nodes(versions: list[TokenVersion], astray: list[Attempt], doubted: Attempt | None) -> Iterator[Node]:
    """By time: what was sent after a version stands above it."""
    left = list(astray)
    is_above = False
    for version in versions:
        while left and left[0].claimed_at > version.issued_at:
            yield _branch(left.pop(0), doubted, is_above=is_above, is_below=True)
        is_below = version.origin == Origin.REFRESH and version.number > 1
        yield Node(version=version, is_above=is_above, is_below=is_below)
        is_above = is_below
    for attempt in left:
        yield _branch(attempt, doubted, is_above=is_above, is_below=is_above)


def _branch(attempt: Attempt, doubted: Attempt | None, *, is_above: bool, is_below: bool) -> Node:
    return Node(astray=attempt, is_in_doubt=attempt == doubted, is_above=is_above, is_below=is_below)
