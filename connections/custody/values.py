"""What crosses custody's own borders: what a caller wants, what it may do, what came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from connections.choices import AttemptKind, Generation, Rung, Trigger
from connections.sugar import Target


class Goal(StrEnum):
    KEEP = "keep"  # whatever keeps the connection alive, if anything is needed
    ROTATE = "rotate"  # a refresh grant now
    SIGN_IN = "sign_in"  # a password grant now
    REPAIR = "repair"  # the resolve ladder, budgets of the background lifted as far as staff may


class Decline(StrEnum):
    """Why no grant is claimed."""

    CURRENT = "current"  # a newer or still good version is there
    STALE = "stale"  # the version moved on while the person looked
    BUSY = "busy"  # another attempt is open
    LATER = "later"  # back-off or a budget: time heals
    PERSON = "person"  # nothing stored can repair it
    MISSING = "missing"  # what the goal needs is not stored
    TOO_OFTEN = "too_often"  # deliberate sign-ins are limited
    PAUSED = "paused"
    HELD = "held"
    DRAFT = "draft"
    DELETED = "deleted"
    READ_ONLY = "read_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a person had before him when he typed a password: it is used only while that still holds.

    `generation`: another address, platform or user gets no password that was meant for this one. `attempts`: how many
    there had been; a form that is sent twice tries once.
    """

    generation: int
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """A wish for a grant. `seen` is the version the wisher knows; a newer one fulfils it."""

    goal: Goal
    trigger: Trigger
    actor: str
    seen: int | None = None
    min_life: float = 0.0  # seconds of remaining life that still count as good; workers only
    is_rejected: bool = False  # the version seen was found dead
    password: str | None = field(default=None, repr=False)  # used once, not stored unless `keeps_password`
    keeps_password: bool = False  # once Sugar has taken it, and where this connection stores one
    generation: int | None = None  # the asker saw this one: a connection edited since gets no password of theirs
    attempts: int | None = None  # the asker saw so many: what was tried since, he has not seen fail
    link_pk: int | None = None  # the customer's link it was typed into

    @property
    def is_deliberate(self) -> bool:
        """A person asked: back-off does not apply."""
        return self.goal != Goal.KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to talk to Sugar for one connection, and everything the sender needs to do so."""

    attempt_pk: int
    attempt_id: str
    number: int
    connection_pk: int
    connection_id: str
    tenant_id: str
    data_key: str  # of the tenant, and known in memory; empty: the ring seals what comes
    generation: int
    kind: AttemptKind
    rung: Rung
    trigger: Trigger
    actor: str
    target: Target
    host: str
    secret: str = field(repr=False)  # the refresh token or the password
    client_secret: str = field(repr=False)
    base_version: int | None
    is_admin_user: bool
    is_session_bound: bool
    session_generation: Generation
    is_version_wanted: bool  # the instance's REST version is unknown or old
    drain_seconds: float  # total deadline + server_seconds
    started: float  # monotonic through suspend, before the claim
    keeps_password: bool = False  # `secret` is stored when Sugar takes it
    is_stored_password: bool = False  # `secret` is the password that the connection stores


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    reason: Decline
    retry_at: datetime | None = None


class Result(StrEnum):
    VERSION = "version"  # a new token version
    REFUSED = "refused"  # Sugar said no
    LOST = "lost"  # sent, outcome unknown: drained, then resolved
    NOT_SENT = "not_sent"
    KEPT = "kept"  # too late: kept as a candidate
    DISCARDED = "discarded"  # too late: an edit won
    SPOOLED = "spooled"  # the database is away


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one attempt."""

    result: Result
    attempt: int
    kind: AttemptKind
    rung: Rung
    version: int | None = None
    code: str = ""  # diagnosis code
    fault: str = ""
    goes_on: bool = False  # another rung may follow at once
    is_kept_back: bool = False  # our own pacing: the host has heard nothing
