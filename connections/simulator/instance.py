"""One Sugar server: its parameters, tables, sessions and clock."""

from __future__ import annotations

import random
import re
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

from connections.simulator.chaos import Chaos
from connections.simulator.entities import IdmToken, Key, Session, Tables, User
from connections.simulator.events import Events
from connections.simulator.exchange import exchange
from connections.simulator.holds import Holds
from connections.simulator.journal import Journal
from connections.simulator.presets import BUILT_IN_PLATFORMS, Parameters, replace_parameters
from connections.simulator.refusals import Refusal, invalid_platform
from connections.simulator.wire import Exchange, Json, Request, Response, drive

_PLATFORM_NAME = re.compile(r"[A-Za-z0-9_-]{1,127}")


class Instance:
    """The state model of SUGAR.md section 8. One thread at a time; nothing in it waits."""

    def __init__(
        self, name: str, parameters: Parameters, *, clock: Callable[[], float], rng: random.Random, journal: Journal
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.journal = journal
        self.random = rng
        self.tables = Tables(platforms=set(BUILT_IN_PLATFORMS))
        self.sessions: dict[str, Session] = {}
        self.idm: dict[str, IdmToken] = {}  # by access token
        self.idm_by_refresh: dict[str, IdmToken] = {}
        self.chaos = Chaos()
        self.holds = Holds()
        self.pacing: dict[str, float] = {}  # seconds before each step of the token endpoint, `*` for all of them
        self.events = Events(self)
        self.in_flight = 0
        self._clock = clock
        self._recent: deque[float] = deque()
        self._blocked_until = 0.0
        self.key("sugar")

    # --- clock, randomness

    def now(self) -> float:
        """The server's own clock, which may be wrong."""
        return self._clock() + self.parameters.skew

    def seconds(self) -> int:
        """PHP's time()."""
        return int(self.now())

    def new_uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def new_opaque(self, prefix: str) -> str:
        """A token of the STS: no UUID, which is how the server tells the kinds apart (section 1)."""
        return f"{prefix}{self.random.getrandbits(256):064x}.{self.random.getrandbits(128):032x}"

    def journal_time(self) -> float:
        """The world's clock, without this server's error."""
        return self._clock()

    def iso_time(self) -> str:
        return datetime.fromtimestamp(self.seconds(), tz=UTC).isoformat()

    # --- set-up

    def configure(self, **changes: object) -> None:
        """Change parameters; what does not exist raises ValueError."""
        self.parameters = replace_parameters(self.parameters, changes)

    def user(self, name: str, password: str = "", **attributes: object) -> User:
        """Add a user; attributes are the fields of `User`."""
        if self.tables.user_named(name):
            raise ValueError(f"user {name!r} exists")
        try:
            user = User(id=self.new_uuid(), name=name, password=password, **attributes)  # type: ignore[arg-type]
        except TypeError as exc:
            raise ValueError(f"unknown attribute of a user: {exc}") from exc
        self.tables.add_user(user)
        return user

    def key(self, c_key: str, secret: str = "", *, oauth_type: str = "oauth2", client_type: str = "user") -> Key:
        """Add an OAuth key."""
        key = Key(id=self.new_uuid(), c_key=c_key, secret=secret, oauth_type=oauth_type, client_type=client_type)
        self.tables.keys[key.id] = key
        return key

    def reset(self, platforms: set[str]) -> None:
        """Empty tables, as before the first user and key."""
        self.tables = Tables(platforms=platforms)

    def remember(self, pair: IdmToken) -> None:
        """Keep a pair of the STS, to be found by either half."""
        self.idm[pair.access] = pair
        if pair.refresh is not None:
            self.idm_by_refresh[pair.refresh] = pair

    # --- questions

    def find_user(self, name: str) -> User:
        user = self.tables.user_named(name)
        if user is None:
            raise ValueError(f"no user {name!r} on {self.name}")
        return user

    def require_platform(self, platform: str, language: str) -> None:
        """Unknown to a strict registry (case-sensitive), or a bad name: 422 (section 3)."""
        is_known = not self.parameters.strict_platforms or platform in self.tables.platforms
        if not is_known or not _PLATFORM_NAME.fullmatch(platform):
            raise invalid_platform(language)

    def require_user_agent(self, platform: str, user_agent: str, text: str) -> None:
        """14.0 and later: `api.allowedClients[platform]` against the User-Agent, on every endpoint."""
        allowed = self.parameters.allowed_clients.get(platform)
        if not self.parameters.checks_user_agent or not allowed:
            return
        if not any(user_agent.startswith(prefix) for prefix in allowed):
            raise Refusal(403, "client_not_allowed", text)

    def address_of(self, request: Request) -> str:
        """X-Forwarded-For and Client-IP come first (section 3, IP check)."""
        if self.parameters.source_ip:
            return self.parameters.source_ip
        forwarded = request.headers.get("x-forwarded-for", "").split(",")[0].strip()
        return forwarded or request.headers.get("client-ip", "") or request.peer

    def is_blocked(self) -> bool:
        """Blocked by hand, or for more than `rate_limit` requests in one second; the blocked get no answer."""
        limit = self.parameters.rate_limit
        now = self._clock()
        if limit is not None:
            self._recent.append(now)
            while self._recent and self._recent[0] <= now - 1:
                self._recent.popleft()
            if len(self._recent) > limit:
                self._blocked_until = now + self.parameters.block_seconds
        return self.parameters.ip_blocked or now < self._blocked_until

    def unblock(self) -> None:
        self._blocked_until = 0.0
        self._recent.clear()

    def violations(self) -> list[str]:
        """Rows beyond the sessions that a platform may have; judged only while no grant is in flight."""
        if not self.parameters.evict or self.in_flight:
            return []
        groups: dict[tuple[str, str], int] = {}
        for row in self.tables.rows.values():
            key = (row.user, row.platform.lower())
            groups[key] = groups.get(key, 0) + 1
        allowed = self.parameters.num_sessions
        return [
            f"{self.name}: {count} rows for user {user} on {platform}"
            for (user, platform), count in groups.items()
            if count > allowed.get(platform, 1)
        ]

    def forget_sessions(self, *, before: int) -> None:
        """Session GC, and the STS clearing out what can neither be used nor refreshed."""
        self.sessions = {token: one for token, one in self.sessions.items() if one.expires >= before}
        stale = [pair for pair in self.idm.values() if pair.refresh_expires < before]
        for pair in stale:
            del self.idm[pair.access]
            self.idm_by_refresh.pop(pair.refresh or "", None)

    # --- requests

    def handle(self, request: Request) -> Exchange:
        """Process one request: yields the name of each operation before it happens, returns the Response."""
        return exchange(self, request)

    def call(
        self,
        method: str,
        target: str,
        *,
        payload: Json | None = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        peer: str = "127.0.0.1",
    ) -> Response:
        """Send one request and run it straight through."""
        built = Request.build(method, target, payload=payload, token=token, headers=headers, peer=peer)
        return drive(self.handle(built))

    def grant(self, **arguments: object) -> Response:
        """POST /oauth2/token with these arguments; `client_id` is `sugar` unless given."""
        return self.call("POST", "/rest/v10/oauth2/token", payload=cast(Json, {"client_id": "sugar", **arguments}))
