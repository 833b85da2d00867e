"""Mail to staff: about their own accounts, and when a customer asks for them. No letter holds a secret but the one-time
link of who forgot his password."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from connections.choices import Role
from connections.custody.audit import Actor
from connections.models import Connection, CustomerLink
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


def mail_link_request(link_id: str) -> int:
    """A customer wants another link: how many were told."""
    link = CustomerLink.objects.select_related("connection__tenant", "connection__owner").get(public_id=link_id)
    row = link.connection
    context = {"link": link, "row": row, "site": settings.SUGARADMIN.base_url}
    text = render_to_string("mail/link_request.txt", context)
    subject = _("%(label)s: the customer asks for a new link") % {"label": " ".join(row.label.split())}
    told = _whom_to_tell(link, row)
    for user in told:
        send_mail(subject, text, settings.SUGARADMIN.mail.sender, [user.email])
    return len(told)


def _whom_to_tell(link: CustomerLink, row: Connection) -> list[User]:
    """Who made the link and who owns the connection; where neither can be reached, everybody who could make another."""
    may_see = Q(staff__tenants__isnull=True) | Q(staff__tenants=row.tenant)
    may_make = Q(staff__role__in=(Role.OPERATOR, Role.ADMIN)) & may_see
    reachable = User.objects.filter(may_make, is_active=True).exclude(email="").order_by("pk").distinct()
    concerned = reachable.filter(Q(username=link.made_by) | Q(pk=row.owner_id))
    return list(concerned or reachable)
