"""What every request looked like and how it ended: the witness that tests question."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from connections.simulator.wire import Json, Response


@dataclass(slots=True, kw_only=True)
class Entry:
    """One request. `platform` is what the request itself said (None: it said nothing)."""

    number: int
    at: float
    instance: str
    method: str
    path: str
    endpoint: str  # token | api | legacy | page
    route: str
    grant: str  # refresh | password | other word | empty
    user: str
    platform: str | None
    client: str
    refresh_token: str
    access_token: str
    user_agent: str
    peer: str
    status: int | None = None  # None: still in flight
    error: str = ""
    delivery: str = ""  # full | cut | lost | reset | abandoned (the client had left)
    closed_at: float | None = None
    is_definite: bool = False  # the client was told for certain what became of its refresh token

    @property
    def fingerprint(self) -> str:
        """Of the refresh token; empty without one."""
        return hashlib.sha256(self.refresh_token.encode()).hexdigest()[:8] if self.refresh_token else ""

    def close(self, response: Response, *, at: float, is_trusted: bool) -> None:
        """Note the answer. `is_trusted` is False where a refusal proves nothing, as during an outage of the STS."""
        delivery = response.delivery
        self.status, self.error, self.closed_at = response.status, response.error[:60], at
        self.delivery = delivery.kind if delivery.cut_at is None else "cut"
        is_refused = response.status == 400 and self.error in ("invalid_grant", "invalid_request")
        is_answered = delivery.is_whole and (response.status == 200 or is_refused)
        self.is_definite = self.endpoint == "token" and is_answered and is_trusted

    def abandon(self) -> None:
        """The client had hung up before it could read the answer."""
        self.delivery, self.is_definite = "abandoned", False

    def as_json(self) -> Json:
        return {**asdict(self), "fingerprint": self.fingerprint}


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """A refresh token that came again although its fate had been told."""

    instance: str
    fingerprint: str
    told_at: float
    told_status: int
    again_at: float
    number: int


class Journal:
    """The newest entries of all instances, and counts since the last clear."""

    def __init__(self, size: int = 50_000) -> None:
        self._entries: deque[Entry] = deque(maxlen=size)
        self._last = 0
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def next_number(self) -> int:
        self._last += 1
        return self._last

    def abandon(self, number: int) -> None:
        for entry in reversed(self._entries):
            if entry.number == number:
                entry.abandon()
                return

    def add(self, entry: Entry) -> None:
        self._entries.append(entry)
        self.counts[(entry.instance, entry.endpoint, entry.grant)] += 1

    def clear(self) -> None:
        self._entries.clear()
        self.counts.clear()

    def entries(
        self,
        *,
        instance: str = "",
        endpoint: str = "",
        grant: str = "",
        user: str = "",
        after: int = 0,
    ) -> list[Entry]:
        return [
            entry
            for entry in self
            if entry.number > after
            and (not instance or entry.instance == instance)
            and (not endpoint or entry.endpoint == endpoint)
            and (not grant or entry.grant == grant)
            and (not user or entry.user.lower() == user.lower())
        ]

    def count(self, *, instance: str = "", endpoint: str = "", grant: str = "") -> int:
        return sum(
            number
            for (where, what, how), number in self.counts.items()
            if instance in ("", where) and endpoint in ("", what) and grant in ("", how)
        )

    def without_platform(self) -> list[Entry]:
        """Grants that did not name their platform: a refresh without one moves to `base` (section 0.4)."""
        return [entry for entry in self if entry.endpoint == "token" and entry.platform is None]

    def presented_again(self) -> list[Presentation]:
        """Refresh tokens sent after the client had been told for certain what became of them."""
        told: dict[tuple[str, str], Entry] = {}
        again: list[Presentation] = []
        for entry in self:
            if entry.grant != "refresh" or not entry.refresh_token:
                continue
            key = (entry.instance, entry.refresh_token)
            first = told.get(key)
            if first is not None and first.closed_at is not None and first.closed_at <= entry.at:
                again.append(_presentation(first, entry))
            elif entry.is_definite:
                told[key] = entry
        return again


def _presentation(first: Entry, entry: Entry) -> Presentation:
    return Presentation(
        instance=entry.instance,
        fingerprint=entry.fingerprint,
        told_at=first.closed_at or first.at,
        told_status=first.status or 0,
        again_at=entry.at,
        number=entry.number,
    )
