"""Customer links: staff make one, the customer's admin opens it, and nobody has to send a password by mail.

The token is 256 random bits, shown once and kept as a keyed hash. What a link still allows is derived each time from
its row, its attempts in the journal, the connection and the clock.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from connections.choices import BUILT_IN_PLATFORMS, AttemptState, LinkKind, LinkStanding
from connections.custody import actions, breakers, guard, keys
from connections.custody.actions import Report
from connections.custody.audit import Actor
from connections.custody.breakers import Allowance
from connections.custody.handout import Tenants, find
from connections.custody.ledger import links
from connections.custody.problems import Conflict, CustodyProblem, NotFound
from connections.models import Attempt, Connection, CustomerLink, database_now
from connections.vault import VaultError

GOOD_FOR = {LinkKind.SIGN_IN: timedelta(hours=72), LinkKind.GUIDE: timedelta(days=30)}
PATHS = {LinkKind.SIGN_IN: "/r/", LinkKind.GUIDE: "/s/"}
TOKEN_BYTES = 32
MOST_REFUSED = 5
MOST_SUBMITTED = 20  # most of these never reach Sugar: it is away, or somebody presses again and again
ASK_AGAIN_AFTER = timedelta(hours=1)
MOST_SHOWN = 50
ANSWER_WITHIN = timedelta(seconds=60)  # whoever was signing in is dead by then
MOST_WAIT = 20.0  # seconds a customer's browser is kept waiting; it goes on behind them


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A new link; `url` is its only copy."""

    link: CustomerLink
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A link as it is now. `tries_left`: the smaller of what the link and the user's hour have left."""

    link: CustomerLink
    standing: LinkStanding
    now: datetime
    refused: int = 0
    tries_left: int = 0
    next_try_at: datetime | None = None
    last: Attempt | None = None

    @property
    def connection(self) -> Connection:
        return self.link.connection

    @property
    def label(self) -> str:
        return str(self.standing.label)

    @property
    def is_open(self) -> bool:
        return self.standing in (LinkStanding.OPEN, LinkStanding.WORKING)


class MadeMeanwhile(Exception):
    """The page that asked was out of date: a link was made since, perhaps by the same press of a button."""


# -- staff ---------------------------------------------------------------------------------------------------


def issue(public_id: str, kind: LinkKind, actor: Actor, *, tenants: Tenants, seen: int) -> Issued:
    """Raises NotFound, MadeMeanwhile, Conflict (see `obstacle`)."""
    row = find(public_id, tenants)
    reason = obstacle(row, kind)
    if reason:
        raise Conflict("invalid", reason)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    lifetime = GOOD_FOR[kind]
    token_hash = _hash_of(kind, token)
    try:
        link = links.issue(row.pk, kind, token_hash=token_hash, lifetime=lifetime, seen=seen, actor=actor)
    except Connection.DoesNotExist:
        raise NotFound from None
    except LookupError:
        raise MadeMeanwhile from None
    return Issued(link=link, url=f"{settings.SUGARADMIN.base_url}{PATHS[kind]}{token}")


def obstacle(row: Connection, kind: LinkKind) -> str:
    """Why such a link would be of no use now; empty when it would be."""
    if guard.key_trouble():
        return guard.key_trouble()
    if kind == LinkKind.GUIDE and is_platform_built_in(row):
        return _("“%(platform)s” is built into Sugar: there is nothing to register.") % {"platform": row.platform}
    return ""


def is_platform_built_in(row: Connection) -> bool:
    return row.platform_key in BUILT_IN_PLATFORMS


def revoke(public_id: str, link_id: str, actor: Actor, *, tenants: Tenants) -> bool:
    """False when it was revoked before. Raises NotFound."""
    row = find(public_id, tenants)
    link = row.links.filter(public_id=link_id).first()
    if link is None:
        raise NotFound
    return links.revoke(link, actor)


def of_connection(row: Connection) -> list[Look]:
    """Newest first."""
    found = list(_whole(row.links.all())[:MOST_SHOWN])
    if not found:
        return []
    now = database_now()
    allowance = breakers.deliberate_sign_in(row, now)
    return [_look(link, now, allowance) for link in found]


def new_one_wanted_at(looks: list[Look]) -> datetime | None:
    """When the customer of these links asked for a new one that staff have not made yet."""
    asked = max((look.link.asked_at for look in looks if look.link.asked_at), default=None)
    is_made = asked is not None and any(look.link.made_at > asked for look in looks)
    return None if is_made else asked


# -- the customer --------------------------------------------------------------------------------------------


def of_token(kind: LinkKind, token: str) -> CustomerLink | None:
    """Raises Conflict where the key of the hash cannot be opened."""
    return _whole(CustomerLink.objects.filter(kind=kind, token_hash=_hash_of(kind, token))).first()


def _hash_of(kind: LinkKind, token: str) -> str:
    try:
        return keys.hash_of_link(kind, token)
    except VaultError as refused:
        raise Conflict("read_only", str(refused)) from None


def of_id(kind: LinkKind, link_id: str) -> CustomerLink | None:
    return _whole(CustomerLink.objects.filter(kind=kind, public_id=link_id)).first()


def _whole(rows: QuerySet[CustomerLink]) -> QuerySet[CustomerLink]:
    tries = Prefetch("attempts", Attempt.objects.defer("answer").order_by("-number"))
    return rows.select_related("connection__tenant").prefetch_related(tries).order_by("-pk")


def look(link: CustomerLink) -> Look:
    """What the link still allows, by the journal as it was read with it and by the clock."""
    now = database_now()
    return _look(link, now, breakers.deliberate_sign_in(link.connection, now))


def _look(link: CustomerLink, now: datetime, allowance: Allowance) -> Look:
    tries = list(link.attempts.all())
    refused = sum(one.is_refused_try for one in tries)
    last = tries[0] if tries else None
    return Look(
        link=link,
        standing=_standing(link, last, now, refused=refused),
        now=now,
        refused=refused,
        tries_left=min(allowance.left, MOST_REFUSED - refused),
        next_try_at=allowance.allowed_at,
        last=last,
    )


def _standing(link: CustomerLink, last: Attempt | None, now: datetime, *, refused: int) -> LinkStanding:
    if last is not None and last.state == AttemptState.SETTLED:
        return LinkStanding.USED
    if link.connection.generation != link.generation:
        return LinkStanding.VOID
    if link.revoked_at is not None:
        return LinkStanding.REVOKED
    if _is_working(link, last, now):
        return LinkStanding.WORKING
    if link.expires_at <= now:
        return LinkStanding.EXPIRED
    if refused >= MOST_REFUSED or link.submissions >= MOST_SUBMITTED:
        return LinkStanding.SPENT
    return LinkStanding.OPEN


def _is_working(link: CustomerLink, last: Attempt | None, now: datetime) -> bool:
    """A sign-in through it is under way, or is just about to be."""
    if last is not None and last.closed_at is None:
        return True
    if link.submitted_at is None or link.answered_at is not None:
        return False
    has_ended = last is not None and last.claimed_at >= link.submitted_at
    return not has_ended and now - link.submitted_at < ANSWER_WITHIN


def note_opened(link: CustomerLink, address: str | None) -> None:
    links.note_opened(link, actor_of(link, address))


def sign_in(link: CustomerLink, password: str, *, seen: int, address: str | None) -> Report | None:
    """One password grant for one form, however often it is sent; None: this one was sent before.

    Raises CustodyProblem: nothing was sent to Sugar.
    """
    if not links.take_submission(link, seen):
        return None
    try:
        report = actions.sign_in_through(link, actor_of(link, address), password=password, wait=MOST_WAIT)
    except CustodyProblem:
        links.note_answered(link)
        raise
    if not report.is_running:
        links.note_answered(link)
    return report


def ask_for_new(link: CustomerLink, address: str | None) -> bool:
    """Tells staff, at most once an hour for a connection; False: they have been told already."""
    return links.ask_for_new(link, actor_of(link, address), again_after=ASK_AGAIN_AFTER)


def actor_of(link: CustomerLink, address: str | None) -> Actor:
    return Actor(kind="link", name=f"customer link {link.public_id}", address=address)
