"""What the journal says of one connection of a crowd, grant by grant, as custody would have written it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from connections.choices import (
    AttemptKind,
    AttemptState,
    EventKind,
    Fault,
    Origin,
    Status,
    Trigger,
    VersionState,
)
from connections.choices import DiagnosisCode as Code
from connections.custody import failures
from connections.demo.crowd import BLIP, GOOD, Fate, Member
from connections.demo.loading import Plain, text_of
from connections.diagnosis import CATALOGUE
from connections.models import Connection
from connections.models.fields import CROCKFORD

BETWEEN = timedelta(hours=1)  # two grants of one connection
REFRESH_LIFETIME = timedelta(days=14)
DRAIN = timedelta(seconds=55)
SIGN_IN_FAULTS = (Fault.CREDENTIALS_REFUSED, Fault.LOCKED_OUT)
SENT_AFTER = timedelta(milliseconds=30)
BACKGROUND = "background"

ATTEMPT = (
    "id", "public_id", "connection", "number", "kind", "trigger", "actor", "state", "generation", "chain",
    "base_version", "instance_url", "username_key", "platform_key", "claimed_at", "send_by", "sent_at", "drain_until",
    "closed_at", "fault", "http_status", "error", "error_message", "is_refused_try", "lockout_until",
    "preflight_fault", "preflight_status", "verify_status", "version", "diagnosis_code", "failure", "timings",
)  # fmt: skip
VERSION = (
    "connection", "attempt", "number", "chain", "origin", "state", "access_token", "refresh_token", "fingerprint",
    "refresh_fingerprint", "issued_at", "access_expires_at", "refresh_expires_at", "verified_at", "ended_at",
    "refused_at",
)  # fmt: skip
EVENT = ("connection", "number", "at", "kind", "code", "status", "summary", "attempt", "version", "actor")

BLIPS = (
    Fate(
        weight=1, status=Status.UNREACHABLE, code=Code.SERVER_ERROR, fault=Fault.SERVER_ERROR, http_status=502,
        is_before=True,
    ),
    Fate(weight=1, status=Status.IN_DOUBT, code=Code.TIMEOUT, fault=Fault.TIMEOUT),
)  # fmt: skip


@dataclass(slots=True)
class Rows:
    """What one transaction writes, in the order of the columns above."""

    attempts: list[tuple[Plain, ...]] = field(default_factory=list)
    versions: list[tuple[Plain, ...]] = field(default_factory=list)
    events: list[tuple[Plain, ...]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The two columns of a live version, and what tells them apart."""

    access: str
    refresh: str
    fingerprint: str
    refresh_fingerprint: str


@dataclass(slots=True, kw_only=True)
class Past:
    """A member with its row, and how far its course has been told. `seal`: of its live version, by number."""

    member: Member
    row: Connection
    begins_at: datetime
    answer_ms: int
    seal: Callable[[int], Tokens]
    versions: int = 0
    events: int = 1

    def at(self, place: int) -> datetime:
        """When the grant at this place of the course was claimed."""
        return self.begins_at + BETWEEN * place

    def tell(self, place: int, key: int, rows: Rows) -> None:
        """Adds the grant at `place`, whose attempt gets the key `key`, and what followed from it."""
        letter = self.member.course[place]
        if letter == GOOD:
            self._succeed(place, key, rows)
        else:
            self._fail(place, key, rows, self._blip(place) if letter == BLIP else self.member.fate)

    def _blip(self, place: int) -> Fate:
        return BLIPS[(place + self.member.number) % len(BLIPS)]

    def _succeed(self, place: int, key: int, rows: Rows) -> None:
        at, took = self.at(place), self._took(key)
        self.versions += 1
        is_first = self.versions == 1
        kind = AttemptKind.PASSWORD if is_first else AttemptKind.REFRESH
        closed = at + SENT_AFTER + timedelta(milliseconds=took)
        rows.attempts.append((
            key, attempt_id(key), self.row.pk, place + 1, kind.value,
            (Trigger.STAFF if is_first else Trigger.BACKGROUND).value, BACKGROUND, AttemptState.SETTLED.value, 1, 1,
            None if is_first else self.versions - 1, self.row.instance_url, self.row.username_key,
            self.row.platform_key, text_of(at), None, text_of(at + SENT_AFTER), text_of(at + DRAIN), text_of(closed),
            "", 200, "", "", 0, None, "", 200, 200, self.versions, "", "", _timings(took),
        ))  # fmt: skip
        rows.versions.append(self._version(place, key, at, closed))
        ends = at + timedelta(hours=self.member.access_hours)
        verb = "Signed in" if is_first else "Refreshed"
        said = f"{verb}: version {self.versions}, good until {ends:%H:%M:%S} UTC."
        told = EventKind.SIGNED_IN if is_first else EventKind.REFRESHED
        self._note(rows, closed, told, said, attempt=place + 1, version=self.versions)
        if place and self.member.course[place - 1] == BLIP:
            code = self._blip(place - 1).code or ""
            was = CATALOGUE[Code(code)].title if code else "?"
            self._note(rows, closed, EventKind.RECOVERED, f"Healthy again. It was: {was}.", code=code)

    def _version(self, place: int, key: int, at: datetime, closed: datetime) -> tuple[Plain, ...]:
        is_live = place == self.member.last_good
        held = self.seal(self.versions) if is_live else Tokens(
            access="", refresh="", fingerprint=f"{key * 2654435761 & 0xFFFFFFFF:08x}",
            refresh_fingerprint=f"{key * 2246822519 & 0xFFFFFFFF:08x}",
        )  # fmt: skip
        is_burnt = is_live and self.member.fate.is_burnt
        return (
            self.row.pk, key, self.versions, 1, (Origin.PASSWORD if self.versions == 1 else Origin.REFRESH).value,
            (VersionState.LIVE if is_live else VersionState.SUPERSEDED).value, held.access or None,
            held.refresh or None, held.fingerprint, held.refresh_fingerprint, text_of(at),
            text_of(at + timedelta(hours=self.member.access_hours)), text_of(at + REFRESH_LIFETIME), text_of(closed),
            None if is_live else text_of(closed + BETWEEN), text_of(self.at(place + 1)) if is_burnt else None,
        )  # fmt: skip

    def _fail(self, place: int, key: int, rows: Rows, fate: Fate) -> None:
        at, fault, code = self.at(place), fate.fault or "", fate.code or ""
        is_sign_in = fate.fault in SIGN_IN_FAULTS
        closed = at + timedelta(seconds=1)
        was_sent = not fate.is_before
        sent = (text_of(at + SENT_AFTER), text_of(at + DRAIN)) if was_sent else (None, None)
        state = AttemptState.ABANDONED if fate.is_before else AttemptState.REFUSED
        if was_sent and fate.http_status is None:
            state, closed = AttemptState.IN_DOUBT, at + DRAIN
        locked_until = closed + timedelta(minutes=30) if fate.fault == Fault.LOCKED_OUT else None
        rows.attempts.append((
            key, attempt_id(key), self.row.pk, place + 1,
            (AttemptKind.PASSWORD if is_sign_in else AttemptKind.REFRESH).value, Trigger.BACKGROUND.value, BACKGROUND,
            state.value, 1, 1, self.versions, self.row.instance_url, self.row.username_key, self.row.platform_key,
            text_of(at), None, *sent, text_of(closed), fault if was_sent else "",
            fate.http_status if was_sent else None, fate.error, fate.message,
            int(fate.fault == Fault.CREDENTIALS_REFUSED),
            text_of(locked_until) if locked_until else None, "" if was_sent else fault,
            200 if was_sent else fate.http_status, None, None, code, group_of(fate, self.row.host),
            _timings(430) if was_sent and fate.http_status else "{}",
        ))  # fmt: skip
        self._note(
            rows, closed, _kind_of(fate, state, is_first=self._is_first_failure(place)), _sentence(fate, state),
            code=code, status=fate.status, attempt=place + 1, version=self.versions,
        )  # fmt: skip
        if self._is_first_failure(place) and self.member.course[place] != BLIP:
            said = f"{CATALOGUE[Code(code)].title}."
            self._note(rows, closed, EventKind.DIAGNOSED, said, code=code, status=fate.status, attempt=place + 1)

    def _is_first_failure(self, place: int) -> bool:
        return self.member.course[place - 1] == GOOD

    def _took(self, key: int) -> int:
        """Milliseconds: around the host's own, now and then far above."""
        spread = key * 2654435761 % 1000
        return self.answer_ms * (700 + spread) // 1000 + (self.answer_ms * 3 if spread > 960 else 0)

    def _note(
        self,
        rows: Rows,
        at: datetime,
        kind: EventKind,
        summary: str,
        *,
        code: str = "",
        status: Status = Status.HEALTHY,
        attempt: int | None = None,
        version: int | None = None,
        actor: str = BACKGROUND,
    ) -> None:
        self.events += 1
        rows.events.append((
            self.row.pk, self.events, text_of(at), kind.value, str(code), status.value, summary, attempt, version,
            actor,
        ))  # fmt: skip

    def create(self, rows: Rows, at: datetime, actor: str) -> None:
        """The event of its creation, before every grant; it is counted from the start."""
        rows.events.append((
            self.row.pk, 1, text_of(at), EventKind.CREATED.value, "", Status.DRAFT.value, "Connection created.", None,
            None, actor,
        ))  # fmt: skip

    def pause(self, rows: Rows, at: datetime, actor: str) -> None:
        self._note(rows, at, EventKind.PAUSED, "Paused by staff.", status=Status.PAUSED, actor=actor)


def attempt_id(key: int) -> str:
    """Another for each key, and as irregular as a drawn one."""
    number = key * 0x2_9E37_79B9_7F4B & (1 << 50) - 1
    return "a_" + "".join(CROCKFORD[number >> shift & 31] for shift in range(45, -5, -5))


@lru_cache(maxsize=100_000)
def group_of(fate: Fate, host: str) -> str:
    """The group of failures, as custody names it."""
    return failures.fingerprint(code=fate.code or "", host=host, message=fate.message or fate.error or fate.fault or "")


@lru_cache(maxsize=10_000)
def _timings(took: int) -> str:
    before = took * 7 // 10
    return (
        f'{{"grant": {{"dns_ms": 1, "connect_ms": 12, "tls_ms": 31, "first_byte_ms": {before}, "total_ms": {took}}}}}'
    )


def _kind_of(fate: Fate, state: AttemptState, *, is_first: bool) -> EventKind:
    if state == AttemptState.IN_DOUBT:
        return EventKind.IN_DOUBT
    if state == AttemptState.ABANDONED:
        return EventKind.GRANT_ABANDONED
    return EventKind.CHAIN_DIED if fate.is_burnt and is_first else EventKind.GRANT_FAILED


def _sentence(fate: Fate, state: AttemptState) -> str:
    said = f"{fate.http_status or ''} {fate.error or fate.fault}".strip()
    if state == AttemptState.IN_DOUBT:
        return f"It was sent, and its answer is lost ({fate.fault}): Sugar may have carried it out."
    if state == AttemptState.ABANDONED:
        return f"Not sent: the look before found {said}."
    return f"Refused: {said}" + (f" “{fate.message}”" if fate.message else "")
