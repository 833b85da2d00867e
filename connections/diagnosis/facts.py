"""What the rules reason over: plain values, taken from the journal by custody, never rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connections.choices import (
    AttemptKind,
    AttemptState,
    Confidence,
    DiagnosisCode,
    Fault,
    FixBy,
    Generation,
    Origin,
    Rung,
    Trigger,
    Trouble,
    VersionState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFact:
    """One closed or open row of the attempt journal."""

    number: int
    kind: AttemptKind
    rung: Rung
    trigger: Trigger
    state: AttemptState
    chain: int  # the chain that was current when it was claimed
    base_version: int | None  # the version whose refresh token it presented
    version: int | None  # the version it yielded
    fault: Fault | None
    preflight_fault: Fault | None
    verify_fault: Fault | None
    http_status: int | None
    error: str
    error_message: str  # untrusted, capped, without control characters
    external_login_host: str  # host of `url` in a `need_login` answer: SAML or SugarIdentity
    lockout_until: datetime | None
    claimed_at: datetime
    sent_at: datetime | None
    closed_at: datetime | None
    lost_at: datetime | None  # its sender knew that the answer was lost
    preflight_status: int | None = None  # HTTP status of the look before it
    verify_status: int | None = None  # HTTP status of the ping after it
    is_typed_password: bool = False  # it presented what a person typed: says nothing of the stored one

    @property
    def is_unresolved_send(self) -> bool:
        """Sent, and we never learned what Sugar did with it."""
        return self.state == AttemptState.IN_DOUBT or (self.state == AttemptState.SENT and self.lost_at is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFact:
    """One token version, without its secrets."""

    number: int
    chain: int
    origin: Origin
    state: VersionState
    issued_at: datetime
    access_expires_at: datetime
    refresh_expires_at: datetime | None
    access_dead_at: datetime | None  # a ping or a confirmed report found it dead
    verified_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFact:
    """A worker's 401, as far as it was worth keeping."""

    at: datetime
    version: int
    status: int | None
    error: str
    error_message: str
    fault: Fault | None  # what these words mean, in whatever language


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the rules may look at. `attempts` and `versions` are oldest first, bounded in number.

    Attempts are those made since instance, user, platform or client id were last edited: an answer about
    another user says nothing about this one.
    """

    now: datetime
    instance_host: str
    platform: str
    username: str
    client_id: str
    generation: Generation
    sugar_version: str
    has_password: bool
    is_password_refused: bool  # the stored password was refused twice or more since it was saved
    is_password_expired: bool  # `GET me` said so
    has_refresh_token: bool  # a stored refresh token that no definite answer has refused
    is_client_changed: bool  # client id edited since the chain began
    is_new_chain_wanted: bool  # instance, user, platform or client id edited; not signed in since
    can_sign_in_now: bool  # breaker and daily budget allow an automatic sign-in
    sign_in_allowed_at: datetime | None  # when the window frees, where it does by itself
    chain_ends_at: datetime | None
    access_expires_at: datetime | None
    is_access_dead: bool
    is_session_bound: bool  # a `session_rejected` was seen: our pings are off
    is_database_restored: bool
    is_key_missing: bool
    trouble_since: datetime | None  # start of the present outage
    supersessions: tuple[datetime, ...]  # earlier ones, newest first, at most two
    attempts: tuple[AttemptFact, ...] = ()
    versions: tuple[VersionFact, ...] = ()
    reports: tuple[ReportFact, ...] = ()
    password_set_at: datetime | None = None  # earlier refusals were about another password
    is_signed_in_by_people: bool = False  # a draft: the background never makes its first sign-in
    is_in_doubt: bool = False  # custody holds a doubt, whether or not the journal above still shows why


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One sentence of proof; `attempt` is the number of the journal row it points at."""

    text: str
    attempt: int | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is wrong with a connection, how we know, who must act and how."""

    code: DiagnosisCode
    confidence: Confidence
    trouble: Trouble  # NONE: a standing warning on a healthy connection
    title: str
    cause: str
    evidence: tuple[Evidence, ...]
    fix_by: FixBy
    fix: tuple[str, ...]

    @property
    def help_path(self) -> str:
        """Path of the help page, below the base URL."""
        return f"/help/{self.code}/"
