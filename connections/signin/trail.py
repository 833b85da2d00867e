"""What happens at the door, in the audit: who came in or tried to, and what became of second factors and sessions.

A door that stays shut while the audit cannot be written would lock out whoever can mend it: coming and going is then
told to the log. Changes to a second factor are refused, like every other change.
"""

from __future__ import annotations

import logging
from typing import Any

from allauth.account import signals as account
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa import signals as second_factor
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AbstractBaseUser, User
from django.contrib.auth.signals import user_logged_out
from django.core.cache import cache
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from connections.custody import audit
from connections.custody.audit import Actor
from connections.custody.problems import Conflict
from connections.models import database_now

logger = logging.getLogger(__name__)

UNKNOWN = "unknown"
QUIET_SECONDS = 60
"""Who goes on trying while he is throttled is noted once in this time: else he could fill the audit."""


def actor_of(request: HttpRequest, name: str = "") -> Actor:
    address = request.META.get("REMOTE_ADDR") or None
    return Actor(kind="staff", name=name or request.user.get_username() or UNKNOWN, address=address)


def note(request: HttpRequest, action: str, *, name: str = "", outcome: str = "ok", **difference: Any) -> None:
    """`name`: who it is about, where nobody is signed in yet."""
    actor = actor_of(request, name)
    try:
        audit.record(actor, action, at=database_now(), target=actor.name[:100], outcome=outcome, difference=difference)
    except Conflict:
        logger.exception("The audit cannot be written.", extra={"action": action, "actor": actor.name})


def note_failure(request: HttpRequest, typed: str, **difference: Any) -> None:
    """A wrong password or code, at the door or when somebody confirms who he is."""
    note(request, _at_the_door(request), name=known_name(typed), outcome="failed", **difference)


def note_throttled(request: HttpRequest, typed: str = "") -> None:
    name, address = known_name(typed), request.META.get("REMOTE_ADDR", "")
    if cache.add(f"signin.throttled.{name}.{address}", "noted", timeout=QUIET_SECONDS):
        note(request, _at_the_door(request), name=name, outcome="throttled")


def known_name(typed: str) -> str:
    """The name if somebody has it. What nobody is called is not kept: people type passwords into the wrong field."""
    return typed if User.objects.filter(username=typed).exists() else ""


def _at_the_door(request: HttpRequest) -> str:
    return "confirm_identity" if request.user.is_authenticated else "sign_in"


def listen() -> None:
    """Called once, when the application is ready."""
    for signal, receiver in (
        (account.user_logged_in, _came_in),
        (account.authentication_step_completed, _proved),
        (account.password_changed, _changed_password),
        (user_logged_out, _went),
        (second_factor.authentication_failed, _failed_code),
        (second_factor.authenticator_used, _used),
    ):
        signal.connect(receiver, dispatch_uid=f"{__name__}.{receiver.__name__}")
    post_save.connect(_saved_factor, sender=Authenticator, dispatch_uid=f"{__name__}.saved")
    post_delete.connect(_removed_factor, sender=Authenticator, dispatch_uid=f"{__name__}.removed")


def _came_in(request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    ways = [str(record.get("type") or record["method"]) for record in get_authentication_records(request, user)]
    note(request, "sign_in", name=user.get_username(), ways=list(dict.fromkeys(ways)))


def _proved(request: HttpRequest, method: str, *, reauthenticated: bool = False, **_: Any) -> None:
    if reauthenticated:
        note(request, "confirm_identity", way=str(_.get("type") or method))


def _changed_password(request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    note(request, "change_password", name=user.get_username())


def _went(request: HttpRequest, user: AbstractBaseUser | None, **_: Any) -> None:
    if user is not None:
        note(request, "sign_out", name=user.get_username())


def _failed_code(request: HttpRequest, user: AbstractBaseUser, authenticator: Authenticator, **_: Any) -> None:
    note_failure(request, user.get_username(), way=authenticator.type)


def _used(request: HttpRequest, user: AbstractBaseUser, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        left = len(Authenticator.objects.get(pk=authenticator.pk).wrap().get_unused_codes())  # ours is from before
        note(request, "use_recovery_code", name=user.get_username(), left=left)


def _saved_factor(instance: Authenticator, created: bool, **_: Any) -> None:
    if created:
        _changed_factor("add_second_factor", instance)


def note_renamed(factor: Authenticator) -> None:
    _changed_factor("rename_second_factor", factor)


def _removed_factor(instance: Authenticator, **_: Any) -> None:
    _changed_factor("remove_second_factor", instance)


def _changed_factor(action: str, factor: Authenticator) -> None:
    """In the transaction of the change. A command has no request; it says itself what it did."""
    if context.request is None:
        return
    difference = {"kind": factor.type} | ({"name": factor.wrap().name} if factor.type == "webauthn" else {})
    audit.record(
        actor_of(context.request), action,
        at=database_now(), target=factor.user.get_username()[:100], difference=difference,
    )  # fmt: skip
