"""The displayed status: stored state and the clock, nothing else.

`status_of` is a list of conditions in order; its SQL twin is a queryset in `models` and mirrors it line by line. Both
treat a moment that equals `now` as passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connections.choices import Status, Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is stored about a connection, as far as the status needs it."""

    is_paused: bool
    is_held: bool
    is_draft: bool
    trouble: Trouble
    access_expires_at: datetime | None
    access_dead_at: datetime | None  # a ping or a confirmed report found it dead
    access_doubtful_until: datetime | None  # a good ping may have come from Sugar's 120 s memory (7.7–12.x)
    has_refresh_token: bool
    has_password: bool
    refresh_expires_at: datetime | None
    has_open_lost_attempt: bool  # sent, the answer known to be lost, the drain still running


def status_of(state: State, now: datetime) -> Status:
    """Return the first status that fits (DESIGN, section 5)."""
    if state.is_paused or state.is_held:
        return Status.PAUSED
    if state.is_draft:
        return Status.DRAFT
    if needs_person(state, now):
        return Status.DYING if is_access_alive(state, now) else Status.DOWN
    if is_in_doubt(state):
        return Status.IN_DOUBT
    if state.trouble == Trouble.UNREACHABLE:
        return Status.UNREACHABLE
    if state.trouble == Trouble.RETRYING:
        return Status.RETRYING
    return Status.HEALTHY


def needs_person(state: State, now: datetime) -> bool:
    """Tell whether nothing stored can renew the access token, by diagnosis or by the clock alone."""
    if state.trouble == Trouble.PERSON:
        return True
    # A lost answer may still turn up as a candidate, so a doubt is not yet the end.
    if state.has_password or is_in_doubt(state):
        return False
    return not state.has_refresh_token or (state.refresh_expires_at is not None and state.refresh_expires_at <= now)


def is_in_doubt(state: State) -> bool:
    return state.trouble == Trouble.IN_DOUBT or state.has_open_lost_attempt


def is_access_alive(state: State, now: datetime) -> bool:
    """Tell whether workers can still use the access token, as far as anybody knows."""
    if state.access_dead_at is not None:
        return False
    return state.access_expires_at is not None and state.access_expires_at > now


def dies_at(state: State, now: datetime) -> datetime | None:
    """Return until when the access token of a dying connection can be counted on; None for every other status.

    Never in the past: a doubt that has run out without a second ping means “any moment now”.
    """
    if status_of(state, now) != Status.DYING or state.access_expires_at is None:
        return None
    if state.access_doubtful_until is None:
        return state.access_expires_at
    return min(state.access_expires_at, max(state.access_doubtful_until, now))


def http_status_for(status: Status) -> int:
    """Return what the worker API answers when there is no living token to hand out."""
    return 409 if status in (Status.DOWN, Status.DRAFT, Status.PAUSED) else 503
