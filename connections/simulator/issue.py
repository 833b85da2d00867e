"""The rows behind a grant, written in the true order, one step at a time (SUGAR.md sections 0.3 and 8)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connections.simulator.entities import Key, Row, Session, User
from connections.simulator.identity import mint
from connections.simulator.wire import Json, Step

if TYPE_CHECKING:
    from connections.simulator.instance import Instance

CHECK_EVERY = 120  # seconds until a session looks at its row again (7.7 to 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What a grant is about to write."""

    user: User
    key: Key
    platform: str
    presented: Row | None = None  # refresh: the row whose token was sent
    rotates: bool = True
    session_id: str = ""  # 12 and later take it from a PHPSESSID cookie
    is_sudo: bool = False


def issue_tokens(instance: Instance, issue: Issue) -> Generator[Step, None, tuple[Json, Row]]:
    """Session, row, cleanup. Two that overlap may delete each other's row: both answer 200, both are dead."""
    row = _new_row(instance, issue)
    yield step(instance, "create_session")
    session = _create_session(instance, issue, row)
    yield step(instance, "insert_row")
    instance.tables.add_row(row)
    if instance.parameters.evict:
        yield step(instance, "select_others")
        others = _others(instance, row)
        yield step(instance, "delete_others")
        instance.tables.drop_rows(others)
    if issue.presented is not None and issue.rotates:
        yield step(instance, "delete_presented")
        instance.tables.drop_row(issue.presented.id)
    return _answer(instance, session, row), row


def step(instance: Instance, name: str) -> Step:
    return Step(name, instance.pacing.get(name, instance.pacing.get("*", 0.0)))


def _new_row(instance: Instance, issue: Issue) -> Row:
    """The request's platform goes in, not the old row's: a refresh without one moves to `base` (section 0.4)."""
    old = issue.presented
    return Row(
        id=old.id if old is not None and not issue.rotates else instance.new_uuid(),
        user=issue.user.id,
        key=issue.key.id,
        platform=issue.platform,
        expire=_expiry(instance, old),
        download=instance.new_uuid(),
    )


def _expiry(instance: Instance, old: Row | None) -> int:
    """`max_session_lifetime`: the first token gets it, every later one inherits the first one's end."""
    cap = instance.parameters.max_session_lifetime
    if cap is None:
        return instance.seconds() + instance.parameters.refresh_token_lifetime
    return old.expire if old is not None else instance.seconds() + cap


def _create_session(instance: Instance, issue: Issue, row: Row) -> Session:
    now = instance.seconds()
    session = Session(
        access=issue.session_id or instance.new_uuid(),
        user=issue.user.id,
        platform=issue.platform,
        client=issue.key.c_key,
        expires=now + instance.parameters.access_token_lifetime,
        row_id=None if issue.is_sudo else row.id,
        check_at=now + CHECK_EVERY,
        site_key=instance.parameters.site_key,
        sudo=issue.is_sudo,
    )
    if instance.parameters.idm == "v8":
        session.access = mint(instance, issue.user, issue.platform, family=row.id, offline=False).access
        return session
    instance.sessions[session.access] = session
    return session


def _others(instance: Instance, row: Row) -> list[Row]:
    """Rows to delete: all but the newest by expiry, as many as the platform may have (`mobile` two)."""
    allowed = instance.parameters.num_sessions.get(row.platform.lower(), 1)
    others = [other for other in instance.tables.rows_of(row.user, row.platform) if other.id != row.id]
    newest_first = sorted(others, key=lambda other: other.expire, reverse=True)
    return newest_first[allowed - 1 :]


def _answer(instance: Instance, session: Session, row: Row) -> Json:
    return {
        "access_token": session.access,
        "expires_in": instance.parameters.access_token_lifetime,
        "token_type": "bearer",
        "scope": None,
        "refresh_token": row.id,
        "refresh_expires_in": row.expire - instance.seconds(),
        "download_token": row.download,
    }
