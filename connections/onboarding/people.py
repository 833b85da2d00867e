"""The staff: who there is, and every change to it. Somebody who may manage them always remains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from connections.choices import Role
from connections.custody.audit import Actor, record
from connections.custody.ledger import edits
from connections.models import OneTimeLink, Staff, Tenant, database_now
from connections.onboarding import invitations
from connections.onboarding.access import AccessRefused, check_name

MOST_AT_ONCE = 5_000
SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class LastAdmin(AccessRefused):
    """Nobody could manage the staff any more."""

    def __init__(self) -> None:
        super().__init__(
            _("There must remain somebody who is admin of all tenants and may sign in: make another first.")
        )


def people() -> QuerySet[User]:
    """Everybody, by name, with `has_second_factor`, `has_single_sign_on` and role."""
    factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND_FACTORS)
    accounts = SocialAccount.objects.filter(user=OuterRef("pk"))
    rows = User.objects.annotate(has_second_factor=Exists(factors), has_single_sign_on=Exists(accounts))
    return rows.select_related("staff").prefetch_related("staff__tenants").order_by("-is_active", "username")


def add(username: str, email: str, role: Role, tenants: Sequence[Tenant], actor: Actor) -> invitations.Issued:
    """A person without a password, and the link to set one. Raises AccessRefused."""
    user = User(username=username, email=email)
    check_name(user)
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save()
            staff = Staff.objects.create(user=user, role=role)
            staff.tenants.set(tenants)
            record(actor, "create_staff", at=database_now(), target=username, difference=_told(staff))
            return invitations.invite(user, actor)
    except IntegrityError:
        raise AccessRefused(_("There is somebody named %(name)s already.") % {"name": username}) from None


def change(user: User, email: str, role: Role, tenants: Sequence[Tenant], actor: Actor) -> None:
    """Takes effect with the next page this person opens. Raises LastAdmin."""
    with _keeping_an_admin():
        staff, _is_new = Staff.objects.get_or_create(user=user, defaults={"role": role})
        before = _told(staff)
        staff.role = role
        staff.save(update_fields=["role"])
        staff.tenants.set(tenants)
        User.objects.filter(pk=user.pk).update(email=email)
        difference = {"before": before, "after": _told(staff)} | ({"email": True} if email != user.email else {})
        if tenants and not user.is_superuser:
            difference |= _disowned(user, tenants)
        record(actor, "change_staff", at=database_now(), target=user.username, difference=difference)


def _disowned(user: User, tenants: Sequence[Tenant]) -> dict[str, Any]:
    """Nobody owns what he may not see."""
    count = edits.disown(user.pk, but_in=[tenant.pk for tenant in tenants])
    return {"owned_no_more": count} if count else {}


def switch(user: User, actor: Actor, *, on: bool) -> None:
    """Switched off, a person is out at once: sessions and links end. Raises LastAdmin."""
    with _keeping_an_admin():
        User.objects.filter(pk=user.pk).update(is_active=on)
        if not on:
            _end_everything(user)
        record(actor, "activate_staff" if on else "deactivate_staff", at=database_now(), target=user.username)


def reset(user: User, actor: Actor) -> invitations.Issued:
    """For who lost his second factor or his password: both go, with the binding to single sign-on; sessions end, and a
    link sets a new password."""
    with transaction.atomic():
        for factor in Authenticator.objects.filter(user=user):
            factor.delete()
        SocialAccount.objects.filter(user=user).delete()
        _end_everything(user)
        user.set_unusable_password()
        user.save(update_fields=["password"])
        record(actor, "reset_staff", at=database_now(), target=user.username)
        return invitations.invite(user, actor)


def end_session(session: UserSession, actor: Actor) -> None:
    with transaction.atomic():
        session.end()
        told = {"address": session.ip, "browser": session.user_agent[:100]}
        record(actor, "end_session", at=database_now(), target=session.user.get_username(), difference=told)


def forget_ended() -> int:
    """Sessions that are over by their age, and links that lead nowhere any more; how many there were."""
    sessions = Session.objects.filter(expire_date__lte=database_now())
    keys = list(sessions.values_list("session_key", flat=True)[:MOST_AT_ONCE])
    gone: int = UserSession.objects.filter(session_key__in=keys).delete()[0]
    gone += Session.objects.filter(session_key__in=keys).delete()[0]
    over = Q(expires_at__lte=database_now()) | Q(used_at__isnull=False)
    return gone + OneTimeLink.objects.filter(over).delete()[0]


def _end_everything(user: User) -> None:
    for session in UserSession.objects.filter(user=user):
        session.end()
    OneTimeLink.objects.filter(user=user, used_at__isnull=True).delete()


def _told(staff: Staff) -> dict[str, Any]:
    return {"role": str(staff.role), "tenants": sorted(staff.tenants.values_list("slug", flat=True))}


@contextmanager
def _keeping_an_admin() -> Iterator[None]:
    """Looks after the audit row of the change is written: from there to the commit all others wait for the chain, so
    of two admins who take each other's role at once the second finds himself the last."""
    with transaction.atomic():
        yield
        managing = Staff.objects.filter(role=Role.ADMIN, user__is_active=True, tenants__isnull=True)
        if not managing.exists() and not User.objects.filter(Q(is_superuser=True, is_active=True)).exists():
            raise LastAdmin
