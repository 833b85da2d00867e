"""What a worker is handed, as JSON; connections and events look as everywhere: `onboarding.representation`."""

from __future__ import annotations

from typing import Any

from connections.custody.handout import HandedOut, find
from connections.onboarding.representation import ConnectionJson, connection_as_json, instant

HEADER = "OAuth-Token"


def token(given: HandedOut) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "connection": given.connection_id,
        "access_token": given.access_token,
        "header": HEADER,
        "version": given.version,
        "expires_at": instant(given.expires_at),
        "expires_in": given.expires_in,
        "instance_url": given.instance_url,
        "api_url": f"{given.instance_url}/{given.rest_path}",
        "platform": given.platform,
        "warning": given.warning,
    }
    if given.is_verified is not None:
        shown["verified"] = given.is_verified
    return shown


def connection_of(public_id: str, tenants: frozenset[int] | None) -> ConnectionJson:
    """One connection as it stands now. Raises NotFound."""
    return connection_as_json(find(public_id, tenants))
