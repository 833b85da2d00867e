"""Lets people and programs in: a staff account with a role, a key with scopes and tenants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from connections.choices import Role, Scope
from connections.custody.audit import Actor, record
from connections.models import Staff, database_now
from connections.onboarding import api_keys
from connections.onboarding.registry import InvalidFields, tenant_for


class AccessRefused(Exception):
    """Nothing was made; the message says why, in one line."""


def create_staff(username: str, password: str, role: Role, actor: Actor) -> Staff:
    """Raises AccessRefused: the name is taken or no name, the password is too weak."""
    user = User(username=username)
    check_name(user)
    user.set_password(checked_password(password, user))
    try:
        with transaction.atomic():
            user.save()
            staff = Staff.objects.create(user=user, role=role)
            record(actor, "create_staff", at=database_now(), target=username[:100], difference={"role": str(role)})
    except IntegrityError:
        raise AccessRefused(_("There is somebody named %(name)s already.") % {"name": username}) from None
    return staff


def check_name(user: User) -> None:
    """Raises AccessRefused."""
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as refused:
        raise AccessRefused(" ".join(refused.messages)) from None


def checked_password(password: str, user: User) -> str:
    """Raises AccessRefused: too short, too common, too much like the name."""
    try:
        validate_password(password, user)
    except ValidationError as refused:
        raise AccessRefused(" ".join(refused.messages)) from None
    return password


def create_api_key(
    name: str, scopes: Sequence[str], actor: Actor, *, tenants: Sequence[str] = (), expires_at: datetime | None = None
) -> api_keys.Issued:
    """`tenants` are short names; none means all. Raises AccessRefused."""
    unknown = [scope for scope in scopes if scope not in Scope.values]
    if unknown:
        told = {"unknown": ", ".join(unknown), "known": ", ".join(Scope.values)}
        raise AccessRefused(_("There is no scope %(unknown)s; there are %(known)s.") % told)
    if expires_at is not None and expires_at <= database_now():
        raise AccessRefused(_("A key that has expired already would open nothing."))
    try:
        # An operator may name a customer before the first connection: an unknown one is made, as by the API.
        limits = [tenant_for(slug, actor, None) for slug in tenants] if tenants else None
        return api_keys.issue(name, scopes, actor, tenants=limits, expires_at=expires_at)
    except InvalidFields as refused:
        raise AccessRefused(str(refused)) from None
    except ValueError as refused:
        raise AccessRefused(str(refused)) from None
