"""Mail to staff about their own accounts."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.utils.translation import gettext as _

from connections.custody.audit import Actor
from connections.onboarding import invitations

LIVES = timedelta(hours=1)


def mail_password_link(username: str) -> bool:
    """False where nobody of this name has a password here and an address."""
    user = User.objects.filter(username=username, is_active=True).exclude(email="").first()
    if user is None or not user.has_usable_password():
        return False
    issued = invitations.invite(user, Actor(kind="background", name="forgotten password"), lives=LIVES)
    text = _(
        "Somebody, probably you, said at %(site)s that the password of %(name)s was forgotten.\n\n"
        "To set a new one, within an hour:\n%(link)s\n\n"
        "If it was not you: do nothing. Your password stays as it is."
    ) % {"site": settings.SUGARADMIN.base_url, "name": username, "link": settings.SUGARADMIN.base_url + issued.path}
    send_mail(_("A new password for Sugaradmin"), text, settings.SUGARADMIN.mail.sender, [user.email])
    return True
