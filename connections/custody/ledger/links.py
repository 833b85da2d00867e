"""Customer links: made, opened, used, revoked, void. Each change with its event, in one transaction.

A link holds for one generation of its connection. Nothing marks it void: it is, as soon as the generation moves on,
so that no edit can forget to do so.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from connections.choices import EventKind, LinkKind
from connections.custody import audit, journal
from connections.custody.audit import Actor
from connections.custody.ledger import transitions
from connections.models import Connection, CustomerLink, DatabaseNow


def issue(pk: int, kind: LinkKind, *, token_hash: str, lifetime: timedelta, seen: int, actor: Actor) -> CustomerLink:
    """`seen`: how many links the asker saw. Raises LookupError where there are others by now (a form sent twice),
    Connection.DoesNotExist, Conflict where nothing can be audited."""
    with transaction.atomic():
        row, now = transitions.present_with_clock(pk)
        if row.links.count() != seen:
            raise LookupError
        link = CustomerLink.objects.create(
            connection=row,
            kind=kind,
            token_hash=token_hash,
            generation=row.generation,
            made_at=now,
            made_by=actor.name[:150],
            expires_at=now + lifetime,
        )
        sentence = f"{LinkKind(kind).label} {link.public_id} made, good until {link.expires_at:%Y-%m-%d %H:%M} UTC."
        journal.write_event(row, EventKind.LINK_MADE, sentence, at=now, actor=actor.name)
        audit.record_on(row, actor, "make_link", at=now, difference={"link": link.public_id, "kind": str(kind)})
        transitions.save(row)
        return link


def revoke(link: CustomerLink, actor: Actor) -> bool:
    """False when it was revoked before."""
    with transaction.atomic():
        row, now = transitions.locked_with_clock(link.connection_id)
        if not CustomerLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(revoked_at=now):
            return False
        sentence = f"{LinkKind(link.kind).label} {link.public_id} revoked."
        journal.write_event(row, EventKind.LINK_ENDED, sentence, at=now, actor=actor.name)
        audit.record_on(row, actor, "revoke_link", at=now, difference={"link": link.public_id})
        transitions.save(row)
        return True


def note_void(row: Connection, now: datetime, actor: Actor) -> None:
    """Tells staff, before the generation moves on, which links die with it."""
    dying = row.links.filter(generation=row.generation, revoked_at__isnull=True, expires_at__gt=now)
    names = list(dying.order_by("pk").values_list("public_id", flat=True)[:10])
    if names:
        sentence = f"Void, because the connection changed: {', '.join(names)}. Make new ones where they are needed."
        journal.write_event(row, EventKind.LINK_ENDED, sentence, at=now, actor=actor.name)


def note_opened(link: CustomerLink, actor: Actor) -> None:
    """Once in its life; showing it again writes nothing."""
    if link.opened_at is not None:
        return
    with transaction.atomic():
        row, now = transitions.locked_with_clock(link.connection_id)
        if CustomerLink.objects.filter(pk=link.pk, opened_at__isnull=True).update(opened_at=now):
            sentence = f"{LinkKind(link.kind).label} {link.public_id} opened for the first time."
            journal.write_event(row, EventKind.LINK_OPENED, sentence, at=now, actor=actor.name)
            transitions.save(row)


def take_submission(link: CustomerLink, seen: int) -> bool:
    """Compare-and-set: a form that was sent twice, or from two windows, signs in once."""
    usable = Q(revoked_at__isnull=True, expires_at__gt=DatabaseNow(), submissions=seen)
    taken = CustomerLink.objects.filter(usable, pk=link.pk).update(
        submissions=F("submissions") + 1, submitted_at=DatabaseNow(), answered_at=None
    )
    return taken == 1


def note_answered(link: CustomerLink) -> None:
    CustomerLink.objects.filter(pk=link.pk).update(answered_at=DatabaseNow())


def ask_for_new(link: CustomerLink, actor: Actor, *, again_after: timedelta) -> bool:
    """The customer wants another link. False: asked a moment ago, for this connection, through whichever link."""
    with transaction.atomic():
        row, now = transitions.locked_with_clock(link.connection_id)
        lately = row.links.filter(asked_at__gt=now - again_after)
        if row.deleted_at is not None or lately.exists():
            return False
        CustomerLink.objects.filter(pk=link.pk).update(asked_at=now)
        sentence = f"The customer asked for a new link: {link.public_id} does not open any more."
        journal.write_event(row, EventKind.LINK_REQUESTED, sentence, at=now, actor=actor.name)
        audit.record_on(row, actor, "request_link", at=now, difference={"link": link.public_id})
        transitions.save(row)
        return True
