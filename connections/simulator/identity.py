"""SugarIdentity: the token service (STS) that keeps the tokens of SugarCloud (SUGAR.md section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connections.simulator.entities import IdmToken
from connections.simulator.refusals import Refusal, access_token_expired, invalid_request

if TYPE_CHECKING:
    from connections.simulator.entities import User
    from connections.simulator.instance import Instance

INACTIVE = "invalid_grant: The refresh token is inactive because it is malformed, expired or otherwise invalid"
AWAY = "cURL error 28: Operation timed out after 10001 milliseconds with 0 bytes received"
_SCOPES = {
    "scope": "Access token should contain https://apis.sugarcrm.com/auth/crm scope",
    "tenant": "Access token does not belong to tenant",
    "user": "User check error",
}


def mint(instance: Instance, user: User, platform: str, *, family: str, offline: bool = True) -> IdmToken:
    """A new pair. Tokens carry no platform and evict nobody; the platform is kept only for the journal."""
    parameters, now = instance.parameters, instance.seconds()
    token = IdmToken(
        access=instance.new_opaque("sta-"),
        refresh=instance.new_opaque("str-") if offline else None,
        user=user.id,
        platform=platform,
        expires=now + parameters.access_token_lifetime,
        refresh_expires=now + parameters.refresh_token_lifetime,
        family=family,
    )
    instance.remember(token)
    return token


def exchange_refresh(instance: Instance, refresh: str, platform: str) -> IdmToken:
    """Rotate at the STS, in one step. Failure is 400 invalid_request, not invalid_grant (section 0.6)."""
    if not instance.parameters.sts_up:
        raise invalid_request(AWAY)
    old = instance.idm_by_refresh.get(refresh)
    if old is None:
        raise invalid_request(INACTIVE)
    if old.rotated:
        if instance.parameters.revoke_family:
            revoke_family(instance, old.family)
        raise invalid_request(INACTIVE)
    user = instance.tables.users.get(old.user)
    if not old.active or user is None or not user.can_use_tokens or old.refresh_expires < instance.seconds():
        raise invalid_request(INACTIVE)
    old.rotated = True
    return mint(instance, user, platform, family=old.family)


def revoke_family(instance: Instance, family: str) -> None:
    """Reuse of a rotated token looks like theft: access and refresh tokens of the whole family die."""
    for token in instance.idm.values():
        if token.family == family:
            token.active = False


def introspect(instance: Instance, token: IdmToken) -> None:
    """Raise unless the STS calls the token active. There is no look at sibling rows: an old token lives its hour."""
    now = instance.seconds()
    if instance.parameters.idm_rejects:
        message = _SCOPES.get(instance.parameters.idm_rejects, "User check error")
        raise Refusal(401, "idm_nonrecoverable_error", message)
    if token.seen_active_until > now:
        return
    if not instance.parameters.sts_up:
        raise access_token_expired()  # an outage looks like an expired token
    if not token.active or now > token.expires:
        raise _inactive(instance)
    token.seen_active_until = now + instance.parameters.introspection_ttl


def _inactive(instance: Instance) -> Refusal:
    """13.3 and later word it their own way."""
    if instance.parameters.generation == "always":
        return Refusal(401, "invalid_grant", "IDM access token is expired")
    return access_token_expired()
