"""People who look at the pages."""

from __future__ import annotations

import time

from django.contrib.auth.models import User
from django.test import Client

from connections.choices import Role
from connections.models import Staff, Tenant

PASSWORD = "a long enough pass phrase"


def person(role: str = Role.ADMIN, *, tenants: tuple[str, ...] = (), name: str = "") -> User:
    """A user with a role; empty role: none at all. Known already: as they are."""
    name = name or f"{role or 'nobody'}{'_of_' + '_'.join(tenants) if tenants else ''}"
    user = User.objects.filter(username=name).first() or User.objects.create_user(name, password=PASSWORD)
    if role:
        staff, _ = Staff.objects.get_or_create(user=user, defaults={"role": role})
        staff.tenants.set([Tenant.objects.get_or_create(slug=slug, defaults={"name": slug})[0] for slug in tenants])
    return user


def signed_in(role: str = Role.ADMIN, *, tenants: tuple[str, ...] = (), proved_ago: float | None = 0) -> Client:
    """`proved_ago`: seconds since the person proved who he is; None: nothing is known of it."""
    client = Client()
    user = person(role, tenants=tenants)
    client.force_login(user)
    if proved_ago is not None:
        prove(client, user, ago=proved_ago)
    return client


def prove(client: Client, user: User, *, ago: float = 0) -> None:
    """As django-allauth notes a sign-in by password."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - ago}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
