"""Whose connections they are: only somebody who may see a connection can be its owner."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from connections.custody.handout import Tenants


def may_own(tenants: Tenants) -> QuerySet[User]:
    """Staff who may sign in and see connections of one of these tenants, by name. None: of any tenant."""
    sees_one = Q(staff__isnull=False)
    if tenants is not None:
        sees_one &= Q(staff__tenants__isnull=True) | Q(staff__tenants__in=tenants)
    return User.objects.filter(Q(is_superuser=True) | sees_one, is_active=True).order_by("username").distinct()
