"""What a deleted connection may still hold: an answer kept on an attempt that was under way when it was deleted."""

from __future__ import annotations

from connections.custody.ledger.versions import wipe
from connections.models import Attempt, LentPassword, Tenant, TokenVersion


def wipe_remains(tenant: Tenant) -> None:
    """Of this tenant's deleted connections, inside the caller's transaction."""
    gone = {"connection__tenant": tenant, "connection__deleted_at__isnull": False}
    wipe(TokenVersion.objects.filter(**gone))
    Attempt.objects.filter(answer__isnull=False, **gone).update(answer=None)
    LentPassword.objects.filter(secret__isnull=False, **gone).update(secret=None)
