"""What an unhappy system says: maintenance and licence, for everybody but admins (SUGAR.md sections 0.5 and 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connections.simulator import texts
from connections.simulator.refusals import Refusal
from connections.simulator.wire import Json

if TYPE_CHECKING:
    from connections.simulator.entities import User
    from connections.simulator.instance import Instance

_LICENSE_TEXTS = {
    "expired": texts.LICENSE_EXPIRED,
    "validation": texts.LICENSE_VALIDATION,
    "seats_maxed": texts.SEATS_MAXED,
    "installer_locked": texts.INSTALLER_LOCKED,
}


def require_happy_system(instance: Instance, user: User | None, language: str) -> None:
    """503 of the API. Exhausted seats do not show here, and an unknown caller counts as no admin."""
    if user is not None and user.admin:
        return
    parameters = instance.parameters
    url = {"url": "index.php?module=Users&action=Login"}
    if parameters.maintenance:
        raise Refusal(503, "maintenance", texts.say(texts.MAINTENANCE, language), **url)
    label = _LICENSE_TEXTS.get(parameters.license_state)
    if label is not None:
        raise Refusal(503, "admin_only", texts.say(label, language), **url)


def require_sign_in_allowed(instance: Instance, user: User, platform: str, language: str) -> None:
    """The check at the end of the token endpoint: by now the tokens are rotated, so a refusal burns them."""
    if user.admin:
        return
    parameters = instance.parameters
    label = texts.MAINTENANCE if parameters.maintenance else _LICENSE_TEXTS.get(parameters.license_state)
    if label is not None:
        raise need_login(instance, label, platform, language)
    if parameters.license_state == "seats_exhausted" and parameters.seat_check:
        raise Refusal(403, "license_seats_needed", texts.say(texts.SEATS_NEEDED, language))


def need_login(instance: Instance, label: str, platform: str, language: str, **values: object) -> Refusal:
    """401 need_login; where sign-in is external it names the way there."""
    extra: Json = {}
    if instance.parameters.external_login_url:
        extra = {"url": instance.parameters.external_login_url, "platform": platform}
    return Refusal(401, "need_login", texts.say(label, language, **values), **extra)
