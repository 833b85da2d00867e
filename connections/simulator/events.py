"""What people do to an instance: admins, browsers, hosting, restores (SUGAR.md section 8, events)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from connections.simulator.identity import mint
from connections.simulator.issue import Issue, issue_tokens
from connections.simulator.rest import rest
from connections.simulator.wire import Json, Request, drive

if TYPE_CHECKING:
    from connections.simulator.entities import IdmToken, Session, Tables
    from connections.simulator.instance import Instance

NAMES = frozenset(
    {
        "ui_login",
        "outside_login",
        "outside_refresh",
        "admin_change_password",
        "expire_password",
        "deactivate",
        "reactivate",
        "delete_user",
        "clear_lockout",
        "lock_out",
        "delete_key",
        "change_secret",
        "add_platform",
        "remove_platform",
        "flush_sessions",
        "expire_access_tokens",
        "expire_refresh_tokens",
        "delete_rows",
        "back_up",
        "restore_backup",
        "maintenance",
        "license",
        "sts_down",
        "sts_up",
        "ip_change",
        "block_ip",
        "unblock_ip",
    }
)


class Events:
    """Each method is one event; the control API offers exactly those in NAMES."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._backup: tuple[Tables, str] | None = None

    # --- other people's sign-ins

    def ui_login(self, user: str) -> Json:
        """A browser, by password or SAML: a login on `base` that evicts the user's base rows only (section 2, c)."""
        instance, found = self._instance, self._instance.find_user(user)
        if instance.parameters.idm == "modern":
            return {"access_token": mint(instance, found, "base", family=instance.new_uuid()).access}
        key = instance.tables.key_named("sugar") or instance.key("sugar")
        payload, _ = drive(issue_tokens(instance, Issue(user=found, key=key, platform="base")))
        return payload

    def outside_login(self, user: str, platform: str, client_id: str = "sugar") -> Json:
        """Another system signs in on our user and platform; an own OAuth key keeps nothing apart (section 0.2)."""
        key = self._instance.tables.key_named(client_id)
        return self._outside_grant(
            grant_type="password",
            client_id=client_id,
            client_secret=key.secret if key is not None else "",
            username=user,
            password=self._instance.find_user(user).password,
            platform=platform,
        )

    def outside_refresh(self, refresh_token: str, platform: str, client_id: str = "sugar") -> Json:
        """Somebody else presents our refresh token: a copied database, a second system with the same secrets."""
        return self._outside_grant(
            grant_type="refresh_token", client_id=client_id, refresh_token=refresh_token, platform=platform
        )

    def _outside_grant(self, **arguments: str) -> Json:
        """Straight to Sugar: neither the journal nor the chaos of our own path sees it."""
        request = Request.build("POST", "/rest/v10/oauth2/token", payload=dict(arguments))
        return drive(rest(self._instance, request, "v10/oauth2/token")).json()

    # --- users

    def admin_change_password(self, user: str, password: str) -> None:
        """Deletes no row: tokens live on, a stored password goes stale unnoticed (section 2, e)."""
        self._instance.find_user(user).password = password

    def expire_password(self, user: str, expired: bool = True) -> None:
        self._instance.find_user(user).password_expired = expired

    def deactivate(self, user: str) -> None:
        self._instance.find_user(user).active = False

    def reactivate(self, user: str) -> None:
        """Refused refresh tokens are good again (section 2, f)."""
        self._instance.find_user(user).active = True

    def delete_user(self, user: str) -> None:
        self._instance.find_user(user).deleted = True

    def lock_out(self, user: str, minutes: int | None = None) -> None:
        found = self._instance.find_user(user)
        found.locked = True
        found.locked_until = None if minutes is None else self._instance.seconds() + 60 * minutes

    def clear_lockout(self, user: str) -> None:
        found = self._instance.find_user(user)
        found.locked, found.locked_until, found.failed = False, None, 0

    # --- keys and platforms

    def delete_key(self, client_id: str) -> None:
        """All rows of that consumer go with it; `sugar` is made again at its next use (section 2, g)."""
        tables = self._instance.tables
        key = tables.key_named(client_id)
        if key is None:
            raise ValueError(f"no key {client_id!r}")
        del tables.keys[key.id]
        tables.drop_rows([row for row in tables.rows.values() if row.key == key.id])

    def change_secret(self, client_id: str, secret: str) -> None:
        key = self._instance.tables.key_named(client_id)
        if key is None:
            raise ValueError(f"no key {client_id!r}")
        key.secret = secret

    def add_platform(self, platform: str) -> None:
        self._instance.tables.platforms.add(platform)

    def remove_platform(self, platform: str) -> None:
        """From now on every call of a session on it is 422, not only grants."""
        self._instance.tables.platforms.discard(platform)

    # --- sessions and rows

    def flush_sessions(self) -> None:
        """Session GC, a cache flush, a cluster: access tokens die, refresh rows live."""
        self._instance.sessions.clear()

    def expire_access_tokens(self, user: str = "") -> None:
        now, wanted = self._instance.seconds(), self._id_of(user)
        holders: list[Session | IdmToken] = [*self._instance.sessions.values(), *self._instance.idm.values()]
        for holder in holders:
            if wanted in ("", holder.user):
                holder.expires = min(holder.expires, now - 1)

    def expire_refresh_tokens(self, user: str = "") -> None:
        now, wanted = self._instance.seconds(), self._id_of(user)
        for row in self._instance.tables.rows.values():
            if wanted in ("", row.user):
                row.expire = min(row.expire, now - 1)
        for pair in self._instance.idm.values():
            if wanted in ("", pair.user):
                pair.refresh_expires = min(pair.refresh_expires, now - 1)

    def delete_rows(self, user: str = "") -> None:
        """Refresh tokens vanish without a trace; at the STS they become inactive."""
        tables, wanted = self._instance.tables, self._id_of(user)
        tables.drop_rows([row for row in tables.rows.values() if wanted in ("", row.user)])
        for pair in self._instance.idm.values():
            if wanted in ("", pair.user):
                pair.active = False

    def _id_of(self, user: str) -> str:
        return self._instance.find_user(user).id if user else ""

    # --- the site as a whole

    def back_up(self) -> None:
        self._backup = (copy.deepcopy(self._instance.tables), self._instance.parameters.site_key)

    def restore_backup(self, new_site_key: bool = False) -> None:
        """Old rows revive, new ones vanish; sessions on disk stay. A copy has another unique_key: crossed sites."""
        if self._backup is None:
            raise ValueError("nothing was backed up")
        tables, site_key = self._backup
        self._instance.tables = copy.deepcopy(tables)
        self._instance.configure(site_key=f"{site_key}-copy" if new_site_key else site_key)

    def maintenance(self, on: bool = True) -> None:
        self._instance.configure(maintenance=on)

    def license(self, state: str) -> None:
        self._instance.configure(license_state=state)

    def sts_down(self) -> None:
        self._instance.configure(sts_up=False)

    def sts_up(self) -> None:
        self._instance.configure(sts_up=True)

    def ip_change(self, address: str = "") -> None:
        """From now on requests seem to come from `address`; empty: from where they come."""
        self._instance.configure(source_ip=address)

    def block_ip(self) -> None:
        self._instance.configure(ip_blocked=True)

    def unblock_ip(self) -> None:
        self._instance.configure(ip_blocked=False)
        self._instance.unblock()
