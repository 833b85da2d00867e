"""One attempt from claim to proof, and the climb from rung to rung. No transaction is open while Sugar answers.

1. Claim (ledger.claims).
2. Pre-flight: what it shows is waited for; nothing is spent. Sugar may be found under another root (roots).
3. Connect; at the last call before the first byte the intent goes to disk; then the POST.
4. Settle what came (ledger.settlement); the database is away: spool it.
5. Prove the new version by a ping.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from connections.choices import AttemptKind, Fault, Rung, Trouble
from connections.custody import roots, spool, wire
from connections.custody.checkpoints import Point, reach
from connections.custody.ledger import claims, settlement, upkeep
from connections.custody.ledger.claims import NotOurs, target_of
from connections.custody.values import Claim, Declined, Goal, Outcome, Result, Want
from connections.egress import boottime
from connections.models import Connection
from connections.sugar import Answer, generation_of
from connections.vault import VaultError

logger = logging.getLogger(__name__)

MOST_RUNGS = 5
SETTLE_FOR = 4.0  # seconds
SETTLE_AGAIN_AFTER = (0.0, 0.1, 0.3, 0.6, 1.0, 2.0)  # seconds: a fail-over is often over by then
PASSES_FOR_ADMINS = frozenset({Fault.MAINTENANCE, Fault.LICENSE})
HOST_FAULTS = frozenset(
    {
        Fault.DNS_FAILURE,
        Fault.CONNECTION_REFUSED,
        Fault.TIMEOUT,
        Fault.CONNECTION_LOST,
        Fault.TLS_INVALID,
        Fault.ADDRESS_BLOCKED,
    }
)
UNHEARD = HOST_FAULTS | {Fault.SERVER_ERROR, Fault.RATE_LIMITED, Fault.BAD_RESPONSE, Fault.MAINTENANCE, Fault.LICENSE}


class _BudgetSpent(Exception):
    """This process slept too long between its last look and its first byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """What one wish led to: the attempts made, and why there was no further one."""

    outcomes: tuple[Outcome, ...]
    declined: Declined | None = None

    @property
    def last(self) -> Outcome | None:
        return self.outcomes[-1] if self.outcomes else None

    @property
    def version(self) -> int | None:
        return next((outcome.version for outcome in reversed(self.outcomes) if outcome.version), None)


def _unheard() -> None:
    """Nobody waits for a version before it is proven."""


def climb(pk: int, want: Want, *, settled: Callable[[], None] = _unheard) -> Climb:
    """Claim and send, rung by rung, until there is a proven version or nothing more to do now.

    `settled` is called when a version is stored, before its proof: workers may have it from then on.
    """
    outcomes: list[Outcome] = []
    skip: frozenset[Rung] = frozenset()
    while len(outcomes) < MOST_RUNGS:
        claimed = claims.claim(pk, want, started=boottime(), skip=skip)
        if isinstance(claimed, Declined):
            _look_at_access(pk, outcomes)
            return Climb(outcomes=tuple(outcomes), declined=claimed)
        outcome = send(claimed, settled=settled)
        outcomes.append(outcome)
        if not outcome.goes_on or want.goal in (Goal.ROTATE, Goal.SIGN_IN):
            break
        skip |= {claimed.rung}
        want = replace(want, seen=None, is_rejected=True)
    _look_at_access(pk, outcomes)
    return Climb(outcomes=tuple(outcomes))


def send(claimed: Claim, *, settled: Callable[[], None] = _unheard) -> Outcome:
    wire.release_database()
    claimed, look = _look_before(claimed)
    reach(Point.PREFLIGHT_DONE, claimed.connection_id)
    if look.fault is not None and not (claimed.is_admin_user and look.fault in PASSES_FOR_ADMINS):
        return _not_sent(claimed, look, is_preflight=True)
    upkeep.note_host_up(claimed.host)
    wire.release_database()
    try:
        answer = _grant(claimed)
    except NotOurs:
        return Outcome(result=Result.NOT_SENT, attempt=claimed.number, kind=claimed.kind, rung=claimed.rung)
    except _BudgetSpent:
        silent = Answer(endpoint=look.endpoint, fault=Fault.TIMEOUT, is_sent=False, detail="This process was asleep.")
        return settlement.not_sent(claimed, silent, is_preflight=False)
    reach(Point.ANSWERED, claimed.connection_id)
    if not answer.is_sent:
        return _not_sent(claimed, answer, is_preflight=False)
    return _after_answer(claimed, answer, settled)


def _note_host(host: str, answer: Answer) -> None:
    """What one has found out about a host the others need not, whether it was by a look or before a grant."""
    if answer.fault in HOST_FAULTS:
        upkeep.note_host_down(host, answer.fault)
    elif not answer.is_kept_back:
        upkeep.note_host_up(host)


def _look_before(claimed: Claim) -> tuple[Claim, Answer]:
    """The pre-flight. Where many ask one host at once, what a person wants waits for its turn, the rest comes again."""
    is_attended = claimed.trigger not in claims.UNATTENDED
    config = settings.SUGARADMIN
    while True:
        target, look = roots.look(
            claimed.connection_pk, claimed.generation, claimed.target, is_fresh_wanted=is_attended
        )
        left = (config.send_by - config.preflight).total_seconds() - (boottime() - claimed.started)
        wait = look.retry_after or 1
        if not (look.is_kept_back and is_attended) or wait > left:
            return replace(claimed, target=target), look
        time.sleep(wait)


def _not_sent(claimed: Claim, answer: Answer, *, is_preflight: bool) -> Outcome:
    if answer.fault in HOST_FAULTS:
        upkeep.note_host_down(claimed.host, answer.fault)
    return settlement.not_sent(claimed, answer, is_preflight=is_preflight)


def _grant(claimed: Claim) -> Answer:
    """The POST, on a connection of its own. Raises NotOurs or _BudgetSpent with nothing sent."""
    config = settings.SUGARADMIN

    def last_word() -> float:
        began = boottime()
        claims.mark_sent(claimed)
        wire.release_database()
        if boottime() - claimed.started > config.send_by.total_seconds():
            raise _BudgetSpent
        return config.grant_deadline.total_seconds() - (boottime() - began)

    left = max(config.send_by.total_seconds() - (boottime() - claimed.started), 0.1)
    client = wire.client()
    if claimed.kind == AttemptKind.PASSWORD:
        return client.sign_in(
            claimed.target,
            password=claimed.secret,
            client_secret=claimed.client_secret,
            deadline=left,
            before_first_byte=last_word,
        )
    return client.refresh(
        claimed.target,
        refresh_token=claimed.secret,
        client_secret=claimed.client_secret,
        deadline=left,
        before_first_byte=last_word,
    )


def _after_answer(claimed: Claim, answer: Answer, settled: Callable[[], None]) -> Outcome:
    outcome = settle_or_spool(claimed, settlement.seal(claimed, answer))
    logger.info(
        "A grant was settled.",
        extra={
            "action": str(claimed.kind),
            "connection": claimed.connection_id,
            "attempt": claimed.number,
            "outcome": str(outcome.result),
            "code": outcome.code,
            "version": outcome.version,
        },
    )
    if outcome.result == Result.VERSION and answer.tokens is not None:
        settled()
        return _prove(claimed, outcome, answer.tokens.access_token)
    if outcome.result == Result.DISCARDED and answer.tokens is not None:
        _log_out(claimed, answer)
    return outcome


def settle_or_spool(claimed: Claim, sealed: settlement.SealedAnswer) -> Outcome:
    """Again while the database is away, then to disk: an answer in hand is never only in memory for long."""
    began = boottime()
    for pause in SETTLE_AGAIN_AFTER:
        time.sleep(pause)
        try:
            return settlement.settle(claimed, sealed)
        except (OperationalError, InterfaceError):
            connection.close()
        if boottime() - began > SETTLE_FOR:
            break  # the wait for a connection, or for SQLite's lock, is long by itself
    if sealed.kept is not None:
        spool.keep(claimed, sealed.kept, is_definite=sealed.answer.is_definite)
        reach(Point.SPOOLED, claimed.connection_id)
    return Outcome(result=Result.SPOOLED, attempt=claimed.number, kind=claimed.kind, rung=claimed.rung)


def _prove(claimed: Claim, outcome: Outcome, access_token: str) -> Outcome:
    """A 200 to a grant is no proof that the session survived. Where Sugar checks addresses we must not ask."""
    if outcome.version is None or claimed.is_session_bound:
        _learn(claimed, access_token)
        return outcome
    reach(Point.VERIFY_START, claimed.connection_id)
    wire.release_database()
    answer = wire.client().ping(claimed.target, access_token=access_token)
    reach(Point.VERIFY_ANSWERED, claimed.connection_id)
    is_alive = upkeep.note_verify(claimed, outcome.version, answer)
    reach(Point.VERIFIED, claimed.connection_id)
    if is_alive:
        _learn(claimed, access_token)
    return outcome if is_alive else replace(outcome, goes_on=True)


def _learn(claimed: Claim, access_token: str) -> None:
    """After a sign-in: who the user is, and how this server checks sessions. Courtesy: failures change nothing."""
    wire.release_database()
    client = wire.client()
    if claimed.kind == AttemptKind.PASSWORD and not claimed.is_session_bound:
        upkeep.note_user(claimed.connection_pk, client.me(claimed.target, access_token=access_token))
    if not claimed.is_version_wanted:
        return
    wire.release_database()
    target = claimed.target
    rest = client.rest_version(target.instance_url, target.ca_pem)
    public = client.public_metadata(target.instance_url, target.ca_pem, rest_path=target.rest_path)
    if public.is_idm is None and public.fault in UNHEARD:
        return  # asked again after the next grant: SugarIdentity must not pass for a release of its number for a week
    release = "" if claimed.is_session_bound else client.server_info(target, access_token=access_token).server_version
    generation = generation_of(server_version=release, rest_max=rest.rest_max, is_idm=public.is_idm)
    upkeep.note_server(claimed.connection_pk, generation=generation, version=release or rest.rest_max)


def _log_out(claimed: Claim, answer: Answer) -> None:
    """An edit won: its session is ended at the address where it was made, as best we can."""
    if answer.tokens is None:
        return
    wire.release_database()
    wire.client().logout(
        claimed.target, access_token=answer.tokens.access_token, refresh_token=answer.tokens.refresh_token or ""
    )


def _look_at_access(pk: int, outcomes: list[Outcome]) -> None:
    """A chain found dead that nothing stored repairs: one ping decides between dying and down."""
    if not outcomes or outcomes[-1].result != Result.REFUSED:
        return
    row = Connection.objects.select_related("tenant").filter(pk=pk, deleted_at__isnull=True).first()
    if row is not None and row.trouble == Trouble.PERSON:
        ping_living(row)


def ping_living(row: Connection, *, actor: str = "background") -> Answer | None:
    """One ping with the live access token, noted; None where there is none, or where we must not ask."""
    try:
        living = upkeep.living(row, target_of(row))
    except VaultError:
        upkeep.note_key_missing(row.pk)
        return None
    if living is None or living.is_session_bound or row.held_at is not None:
        return None
    wire.release_database()
    answer = wire.client().ping(living.target, access_token=living.access_token)
    _note_host(row.host, answer)
    upkeep.note_ping(row.pk, living.number, answer, actor=actor, doubt=row.doubt_after)
    return answer


__all__ = ["Climb", "climb", "ping_living", "send", "settle_or_spool"]
