"""The actions of a connection: who may, what each says before it acts, and when it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.choices import AttemptKind, Trouble
from connections.custody import breakers, guard
from connections.dashboard.rights import Asker, Right, reason_without
from connections.dashboard.wording import dated, duration, is_snoozed, relative
from connections.models import Attempt, Connection

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One action. `is_grant`: it may send a grant, so a page that is out of date must not start it. `is_undone`: so
    easily taken back that the button acts at once. `is_dangerous`: the person must have proved lately who he is."""

    name: str
    title: StrPromise
    right: Right
    short: StrPromise
    effect: Callable[[Connection], str]
    is_grant: bool = False
    is_grave: bool = False
    is_undone: bool = False
    is_dangerous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An action on this connection, for this person, now; `reason` says why it is disabled."""

    doing: Doing
    reason: str = ""

    @property
    def is_enabled(self) -> bool:
        return not self.reason


def _test(row: Connection) -> str:
    return _(
        "Sends up to three GET requests with the current access token: is the instance in service, does Sugar accept "
        "the token, whose is it. No grant is sent, nothing changes at Sugar or here."
    )


def _rotate(row: Connection) -> str:
    told = {"old": row.version_count, "new": row.version_count + 1}
    return (
        _(
            "Sends one refresh grant now and creates version %(new)d. Version %(old)d is superseded; workers fetch the "
            "new token by themselves. On Sugar 13.3 and later the old access token ends at once."
        )
        % told
    )


def _sign_in(row: Connection) -> str:
    told = {"user": row.username, "platform": row.platform}
    text = _(
        "Signs in with a password: one password grant as %(user)s on platform %(platform)s. This ends every other "
        "session of %(user)s on %(platform)s, also those of other systems, and starts a new chain."
    )
    return text % told


def _repair(row: Connection) -> str:
    return _(
        "Climbs the ladder by itself and shows each rung: a kept answer, the old refresh token once, then the stored "
        "password. If the access token turns out to be well, it sends no grant at all. A sign-in ends other sessions "
        "of %(user)s on %(platform)s."
    ) % {"user": row.username, "platform": row.platform}


def _pause(row: Connection) -> str:
    return _(
        "Workers get no refresh any more; a living token is still served until it ends, and the chain is kept alive. "
        "Nothing is sent to Sugar now. Resume undoes it at any time."
    )


def _resume(row: Connection) -> str:
    return _("Tokens are refreshed and handed out again. What is due is done within 30 seconds.")


def _hold(row: Connection) -> str:
    text = _("Nothing leaves and nothing is handed out any more, not even a living token: workers stop at once. ")
    if row.refresh_expires_at is None:
        return text + _("Resume undoes it.")
    return text + _("Resume undoes it, as long as the refresh token lives (until %(at)s).") % {
        "at": dated(row.refresh_expires_at)
    }


def _snooze(row: Connection) -> str:
    return _(
        "Nobody is called for this connection, and the count in the titles leaves it out. Refreshes, looks and repairs "
        "go on. It ends at its time, or when the connection recovers."
    )


def _wake(row: Connection) -> str:
    return _("It counts again, and people are called again, from now on.")


DOINGS: dict[str, Doing] = {
    doing.name: doing
    for doing in (
        Doing(
            name="test", title=gettext_lazy("Test"), right=Right.OPERATE, effect=_test,
            short=gettext_lazy("Three GETs, changes nothing."),
        ),
        Doing(
            name="repair", title=gettext_lazy("Repair"), right=Right.OPERATE, effect=_repair, is_grant=True,
            short=gettext_lazy("Tries what is stored, rung by rung."),
        ),
        Doing(
            name="rotate", title=gettext_lazy("Rotate"), right=Right.OPERATE, effect=_rotate, is_grant=True,
            short=gettext_lazy("One refresh grant now, a new version."),
        ),
        Doing(
            name="sign-in", title=gettext_lazy("Sign in again"), right=Right.OPERATE, effect=_sign_in, is_grant=True,
            is_dangerous=True, short=gettext_lazy("Password grant, ends other sessions."),
        ),
        Doing(
            name="pause", title=gettext_lazy("Pause"), right=Right.OPERATE, effect=_pause, is_undone=True,
            short=gettext_lazy("No refreshes; the chain is kept alive."),
        ),
        Doing(
            name="resume", title=gettext_lazy("Resume"), right=Right.OPERATE, effect=_resume, is_undone=True,
            short=gettext_lazy("Refresh and hand out again."),
        ),
        Doing(
            name="snooze", title=gettext_lazy("Snooze"), right=Right.OPERATE, effect=_snooze,
            short=gettext_lazy("Nobody is called for a while."),
        ),
        Doing(
            name="wake", title=gettext_lazy("End the snooze"), right=Right.OPERATE, effect=_wake, is_undone=True,
            short=gettext_lazy("It counts and calls again."),
        ),
        Doing(
            name="hold", title=gettext_lazy("Hold"), right=Right.ADMINISTER, effect=_hold, is_grave=True,
            is_dangerous=True, short=gettext_lazy("Nothing leaves, workers stop at once."),
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Every action of a connection, and each reason why some are disabled, told once with their names."""

    offers: list[Offer]
    reasons: list[tuple[str, list[StrPromise]]]
    under_way: str

    @property
    def enabled(self) -> list[str]:
        return [offer.doing.name for offer in self.offers if offer.is_enabled]


def board(row: Connection, asker: Asker, open_grant: Attempt | None) -> Board:
    """Of two that undo each other only the one that fits; what cannot be done is disabled, not hidden."""
    is_stopped = row.paused_at is not None or row.held_at is not None
    hidden = ("pause" if is_stopped else "resume", "snooze" if is_snoozed(row) else "wake")
    offers = [offer(doing, row, asker, open_grant) for doing in DOINGS.values() if doing.name not in hidden]
    reasons: dict[str, list[StrPromise]] = {}
    for one in offers:
        if one.reason:
            reasons.setdefault(one.reason, []).append(one.doing.title)
    running = under_way(open_grant, row.now) if open_grant else ""  # type: ignore[attr-defined]  # annotated by find
    return Board(offers=offers, reasons=list(reasons.items()), under_way="" if running in reasons else running)


def offer(doing: Doing, row: Connection, asker: Asker, open_grant: Attempt | None) -> Offer:
    reason = "" if asker.may(doing.right) else reason_without(doing.right, asker)
    return Offer(doing=doing, reason=reason or obstacle(doing, row, open_grant))


def obstacle(doing: Doing, row: Connection, open_grant: Attempt | None) -> str:
    """Why nobody could do this now; empty when it can be done."""
    if row.held_at is not None and doing.name not in ("resume", "hold", "snooze", "wake"):
        return _("This connection is held: resume it first.")
    if doing.name in _SWITCHES:
        return _SWITCHES[doing.name](row)
    if not doing.is_grant:
        return ""
    if row.paused_at is not None:
        return _("This connection is paused: resume it first.")
    if doing.name == "rotate" and row.version_count == 0:
        return _("It has never signed in: there is nothing to refresh.")
    if doing.name == "rotate" and _is_refresh_token_missing(row):
        return _("Sugar gave no refresh token with this version: sign in instead.")
    if guard.is_read_only():
        return _("Custody is read-only: %(why)s") % {"why": guard.read_only_reason()}
    return under_way(open_grant, row.now) if open_grant else ""  # type: ignore[attr-defined]  # annotated by find


def _is_refresh_token_missing(row: Connection) -> bool:
    """And nothing is out of order: of a chain that died, the dead token itself may be tried."""
    is_well = row.trouble == Trouble.NONE and row.doubt_after is None
    return is_well and not row.has_refresh_token and row.adopted_token is None


_SWITCHES: dict[str, Callable[[Connection], str]] = {
    "pause": lambda row: _("It is paused already.") if row.paused_at else "",
    "hold": lambda row: _("It is held already.") if row.held_at else "",
    "resume": lambda row: "" if row.paused_at or row.held_at else _("It is neither paused nor held."),
    "snooze": lambda row: "",
    "wake": lambda row: "" if is_snoozed(row) else _("It is not snoozed."),
}


def under_way(attempt: Attempt, now: datetime) -> str:
    """`A refresh is running since 4 s, started by background.` A lost one says until when it is waited for."""
    told = {
        "kind": AttemptKind(attempt.kind).label,
        "span": duration(now - attempt.claimed_at),
        "actor": attempt.actor or attempt.trigger,
    }
    if attempt.lost_at is not None and attempt.drain_until is not None:
        if attempt.drain_until <= now:
            return (
                _("%(kind)s by %(actor)s: the answer was lost. Its wait is over; the worker resolves it next.") % told
            )
        told["until"] = relative(attempt.drain_until, now)
        text = _(
            "%(kind)s by %(actor)s: the answer was lost; the server may still work on it. It is resolved %(until)s."
        )
        return text % told
    return _("%(kind)s running for %(span)s, started by %(actor)s.") % told


def refused_tries(row: Connection) -> int:
    """How often Sugar refused this user's password since it was saved: told before another try."""
    return breakers.refused_tries(row)[: breakers.REFUSALS_PER_PASSWORD].count()
