"""One-time links: for the first administrator, and for whoever is to set his own password.

The link holds 256 random bits, the database their hash. Looking at the page uses nothing up, or a mail scanner would.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from connections.choices import LinkPurpose, Role
from connections.custody.audit import Actor, record
from connections.models import DatabaseNow, OneTimeLink, Staff, database_now
from connections.onboarding.access import checked_password, create_staff

TOKEN_BYTES = 32
FIRST_ADMIN_LIVES = timedelta(hours=24)
INVITATION_LIVES = timedelta(hours=72)


class LinkGone(Exception):
    """Used before, replaced, too old, or never made: nobody is told which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A new link; `path` is its only copy in plain text."""

    path: str = field(repr=False)
    lives: timedelta


def invite_first_admin(actor: Actor) -> Issued:
    """The newest is the only one that works. Whether it is needed, whoever uses it is asked again.

    Raises Conflict where it cannot be audited: then nobody could use it either.
    """
    with transaction.atomic():
        OneTimeLink.objects.filter(purpose=LinkPurpose.FIRST_ADMIN, used_at__isnull=True).delete()
        issued = _issue(LinkPurpose.FIRST_ADMIN, None, actor, FIRST_ADMIN_LIVES)
        told = {"hours": FIRST_ADMIN_LIVES.total_seconds() / 3600}
        record(actor, "issue_first_admin_link", at=database_now(), difference=told)
        return issued


def invite(user: User, actor: Actor, *, lives: timedelta = INVITATION_LIVES) -> Issued:
    """For a person who is known already. In the transaction of whatever makes it necessary."""
    with transaction.atomic():
        issued = _issue(LinkPurpose.SET_PASSWORD, user, actor, lives)
        told = {"hours": lives.total_seconds() / 3600}
        record(actor, "issue_password_link", at=database_now(), target=user.username, difference=told)
    return issued


def _issue(purpose: LinkPurpose, user: User | None, actor: Actor, lives: timedelta) -> Issued:
    token, now = secrets.token_urlsafe(TOKEN_BYTES), database_now()
    OneTimeLink.objects.create(
        purpose=purpose, user=user, digest=digest_of(token), made_at=now, made_by=actor.name, expires_at=now + lives
    )
    return Issued(path=f"/sign-in/link/{token}/", lives=lives)


def digest_of(token: str) -> str:
    """Of 256 random bits: a slow hash would add nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


def find(digest: str) -> OneTimeLink:
    """Uses nothing up. Raises LinkGone."""
    found = OneTimeLink.objects.filter(_usable(), digest=digest).select_related("user").first()
    if found is None:
        raise LinkGone
    return found


def _usable() -> Q:
    open_now = Q(used_at__isnull=True, expires_at__gt=DatabaseNow())
    if User.objects.exists():
        return open_now & Q(purpose=LinkPurpose.SET_PASSWORD, user__is_active=True)
    return open_now


def make_first_admin(digest: str, *, username: str, password: str, address: str | None) -> Staff:
    """Raises LinkGone, and AccessRefused where name or password will not do: then the link still works."""
    with transaction.atomic():
        _use_up(digest, LinkPurpose.FIRST_ADMIN)
        return create_staff(username, password, Role.ADMIN, Actor(kind="link", name=username, address=address))


def set_password(digest: str, *, password: str, address: str | None) -> User:
    """Ends every session and every other link of this person. Raises as `make_first_admin`."""
    with transaction.atomic():
        user = _use_up(digest, LinkPurpose.SET_PASSWORD).user
        assert user is not None  # a constraint of the table
        user.set_password(checked_password(password, user))
        user.save(update_fields=["password"])
        OneTimeLink.objects.filter(user=user, used_at__isnull=True).delete()
        actor = Actor(kind="link", name=user.username, address=address)
        record(actor, "set_password", at=database_now(), target=user.username)
    return user


def _use_up(digest: str, purpose: LinkPurpose) -> OneTimeLink:
    """Of two who press at once, one finds it used."""
    fits = OneTimeLink.objects.filter(_usable(), digest=digest, purpose=purpose)
    if OneTimeLink.objects.filter(pk__in=fits.values("pk"), used_at__isnull=True).update(used_at=DatabaseNow()) != 1:
        raise LinkGone
    return OneTimeLink.objects.select_related("user").get(digest=digest)
