"""The password check: lock-out first, then who he is, then whether he may (SUGAR.md sections 1 and 3)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from connections.simulator import texts
from connections.simulator.refusals import Refusal
from connections.simulator.status import need_login

if TYPE_CHECKING:
    from connections.simulator.entities import User
    from connections.simulator.instance import Instance


def check_password(instance: Instance, name: str, password: str, platform: str, language: str) -> User:
    """The user, or 401 need_login: wrong, inactive, external-only and a directory that is away look the same."""
    user = instance.tables.user_named(name)
    if user is not None:
        _require_unlocked(instance, user, platform, language)
    is_directory_away = instance.parameters.idm != "off" and not instance.parameters.sts_up
    if user is None or is_directory_away or not _may_sign_in(user, password):
        if user is not None and not is_directory_away:
            _count_failure(instance, user)
        raise need_login(instance, texts.CREDENTIALS, platform, language)
    _require_kind(instance, user, platform, language)
    _count_login(instance, user)
    return user


def _may_sign_in(user: User, password: str) -> bool:
    return user.active and not user.external_only and bool(password) and user.password == password


def _require_unlocked(instance: Instance, user: User, platform: str, language: str) -> None:
    """With a time the lock is temporary and ends by itself; without one an admin has to act."""
    if not user.locked:
        return
    if user.locked_until is None:
        raise need_login(instance, texts.LOCKED, platform, language)
    left = user.locked_until - instance.seconds()
    if left > 0:
        minutes = math.ceil(left / 60)
        raise need_login(instance, texts.LOCKED_MINUTES, platform, language, minutes=minutes)
    user.locked, user.locked_until, user.failed = False, None, 0


def _count_failure(instance: Instance, user: User) -> None:
    tries, minutes = instance.parameters.lockout_tries, instance.parameters.lockout_minutes
    user.failed += 1
    if tries is not None and user.failed >= tries:
        user.locked = True
        user.locked_until = None if minutes is None else instance.seconds() + minutes * 60


def _require_kind(instance: Instance, user: User, platform: str, language: str) -> None:
    """Portal users belong to the portal, group users nowhere."""
    if platform == "portal":
        if not instance.parameters.portal_configured:
            raise Refusal(403, "portal_not_configured", texts.say(texts.PORTAL_NOT_CONFIGURED, language))
        if user.kind == "portal":
            return
    if user.kind != "regular":
        raise need_login(instance, texts.PORTAL_OR_GROUP, platform, language)


def _count_login(instance: Instance, user: User) -> None:
    """Each sign-in counts towards "password expires after N logins": no reason to sign in where a refresh would do."""
    user.failed, user.last_login = 0, instance.seconds()
    user.logins += 1
    limit = instance.parameters.expire_password_after_logins
    if limit is not None and user.logins >= limit:
        user.password_expired = True
