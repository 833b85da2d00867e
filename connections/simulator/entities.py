"""The rows and sessions of a Sugar server (SUGAR.md section 8), as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class User:
    """A row of `users`. `kind`: regular, portal or group; only regular ones may sign in outside the portal."""

    id: str
    name: str
    password: str = field(repr=False)
    active: bool = True
    deleted: bool = False
    admin: bool = False
    external_only: bool = False
    kind: str = "regular"
    password_expired: bool = False
    failed: int = 0
    locked: bool = False
    locked_until: int | None = None
    logins: int = 0
    last_login: int | None = None

    @property
    def can_use_tokens(self) -> bool:
        """getAuthBean finds neither inactive nor deleted users (section 2, row f)."""
        return self.active and not self.deleted


@dataclass(slots=True, kw_only=True)
class Key:
    """A row of `oauth_consumer`. `sugar` has an empty secret and is made again when it is missing."""

    id: str
    c_key: str
    secret: str = field(default="", repr=False)
    oauth_type: str = "oauth2"
    client_type: str = "user"


@dataclass(slots=True, kw_only=True)
class Row:
    """A row of `oauth_tokens`: its id is the refresh token."""

    id: str
    user: str
    key: str
    platform: str
    expire: int
    download: str


@dataclass(slots=True, kw_only=True)
class Session:
    """A PHP session: its id is the access token. It remembers the row it was issued with (section 0.1)."""

    access: str
    user: str
    platform: str
    client: str
    expires: int
    row_id: str | None
    check_at: int
    site_key: str
    ip: str | None = None
    wiped: bool = False
    sudo: bool = False


@dataclass(slots=True, kw_only=True)
class IdmToken:
    """What the STS knows of one grant. `rotated`: its refresh token has been exchanged for the next one."""

    access: str
    refresh: str | None
    user: str
    platform: str
    expires: int
    refresh_expires: int
    family: str
    active: bool = True
    rotated: bool = False
    seen_active_until: int = 0  # Sugar's own cache of the last introspection


class Tables:
    """The database of one instance, without what lives elsewhere (sessions on disk, tokens at the STS).

    Rows and users are found by their natural keys without a scan: one instance may hold thousands of them.
    """

    def __init__(self, platforms: set[str]) -> None:
        self.platforms = platforms
        self.users: dict[str, User] = {}  # by id
        self.keys: dict[str, Key] = {}  # by id
        self.rows: dict[str, Row] = {}  # by id; change it only through the methods below
        self._users_by_name: dict[str, User] = {}
        self._rows_by_owner: dict[tuple[str, str], dict[str, Row]] = {}

    def add_user(self, user: User) -> None:
        self.users[user.id] = user
        self._users_by_name[user.name.lower()] = user

    def user_named(self, name: str) -> User | None:
        """MySQL compares names without case."""
        user = self._users_by_name.get(name.lower())
        return None if user is None or user.deleted else user

    def key_named(self, c_key: str) -> Key | None:
        return next((key for key in self.keys.values() if key.c_key == c_key), None)

    def add_row(self, row: Row) -> None:
        self.drop_row(row.id)
        self.rows[row.id] = row
        self._rows_by_owner.setdefault(_owner(row), {})[row.id] = row

    def drop_row(self, row_id: str) -> None:
        """DELETE by id: a row that is gone already is no error."""
        row = self.rows.pop(row_id, None)
        if row is not None:
            del self._rows_by_owner[_owner(row)][row_id]

    def drop_rows(self, rows: list[Row]) -> None:
        for row in rows:
            self.drop_row(row.id)

    def rows_of(self, user: str, platform: str) -> list[Row]:
        """The eviction key: (user, platform), without the client; platform compared without case (section 0.2)."""
        return list(self._rows_by_owner.get((user, platform.lower()), {}).values())


def _owner(row: Row) -> tuple[str, str]:
    return row.user, row.platform.lower()
