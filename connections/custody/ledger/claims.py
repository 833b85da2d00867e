"""Claim and send: who may talk to Sugar, and the last look before the first byte.

1. Lock the row, then read the clock.
2. A newer or still good version fulfils the wish: no grant.
3. An open attempt: claimed → wait until `send_by`, then it can no longer be sent; sent → wait for its drain,
   then its outcome is in doubt.
4. Choose the step; write the intent; commit.
5. At the last call before the first byte: one conditional UPDATE, claimed → sent.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from connections.choices import AttemptKind, AttemptState, EventKind, Fault, Generation, Rung, Trigger, Trouble
from connections.custody import guard, journal, keys, reads, resolution, schedule, statement, tenant_keys
from connections.custody.checkpoints import Point, reach
from connections.custody.ledger import recovery, transitions
from connections.custody.resolution import Step
from connections.custody.values import Claim, Decline, Declined, Goal, Want
from connections.models import Attempt, Connection, DatabaseLater, DatabaseNow
from connections.sugar import Target
from connections.vault import VaultError

REST_VERSION_GOOD_FOR = timedelta(days=7)
UNATTENDED = (Trigger.BACKGROUND, Trigger.WORKER, Trigger.REPORT)


class NotOurs(Exception):
    """The claim was taken over, fenced by an edit, or is too late: nothing may be sent."""


def claim(pk: int, want: Want, *, started: float, skip: frozenset[Rung] = frozenset()) -> Claim | Declined:
    """The right to one grant, or why there is none. Short: no request leaves while the row is locked.

    `started` is the caller's monotonic clock, which runs through suspend, from before this call.
    """
    reach(Point.CLAIM_START)
    try:
        with transaction.atomic(durable=True):
            return _claim(pk, want, started, skip)
    except Connection.DoesNotExist:
        return Declined(reason=Decline.DELETED)
    except IntegrityError as refused:
        # SQLite has no row locks; the constraint is the law there, and everywhere.
        if "attempt_one_open" not in str(refused) and connection.vendor != "sqlite":
            raise
        return Declined(reason=Decline.BUSY)
    finally:
        reach(Point.CLAIMED)


def _claim(pk: int, want: Want, started: float, skip: frozenset[Rung]) -> Claim | Declined:
    row, now = transitions.locked_with_clock(pk)
    declined = _refuse(row, want, now) or _read_only(row, want, now) or _yield_to_open(row, now)
    if declined is not None and declined.reason in (Decline.DELETED, Decline.HELD):
        row.due_at = None
        _yield_to_open(row, now)
    if declined is not None and declined.reason == Decline.CURRENT and want.trigger == Trigger.BACKGROUND:
        # All looks well, but a sender that died with its grant under way has told nobody.
        declined = _yield_to_open(row, now) or _refuse(row, want, now) or _read_only(row, want, now)
    if declined is None:
        # The next rung of a climb does not wait: what limits it are the breakers and the bound.
        declined = _is_bound_reached(row, now) if skip else _is_too_early(row, want, now)
    if declined is not None:
        return _declined(row, declined)
    step = resolution.next_step(row, want, now, skip=skip)
    if isinstance(step, Declined):
        if row.trouble != Trouble.NONE and not want.is_deliberate:
            # Why may be news: another connection of the same user has used up the tries, say.
            transitions.update_diagnosis(row, now, actor=want.actor)
            row.retry_at = step.retry_at
            if row.retry_at is None:
                transitions.plan_retry(row, now, was_sent=True)
        return _declined(row, step)
    claimed = _open(row, want, step, now, started)
    transitions.save(row)
    reach(Point.CLAIM_WRITTEN, row.public_id)
    return claimed


def _declined(row: Connection, declined: Declined) -> Declined:
    """An attempt may have been closed on the way: that is kept, also when nothing new is claimed."""
    transitions.save(row)
    return declined


def _refuse(row: Connection, want: Want, now: datetime) -> Declined | None:
    if row.deleted_at is not None:
        return Declined(reason=Decline.DELETED)
    if row.held_at is not None:
        return Declined(reason=Decline.HELD)
    if want.generation is not None and row.generation != want.generation:
        return Declined(reason=Decline.STALE)
    if want.attempts is not None and row.attempt_count != want.attempts:
        return Declined(reason=Decline.STALE)
    if want.seen is not None and row.version_count > want.seen:
        return Declined(reason=Decline.STALE if want.is_deliberate else Decline.CURRENT)
    if want.seen is not None and row.version_count < want.seen:
        return Declined(reason=Decline.STALE)
    if row.paused_at is not None and want.trigger != Trigger.BACKGROUND:
        return Declined(reason=Decline.PAUSED)
    if want.goal == Goal.KEEP and _is_good_enough(row, want, now):
        return Declined(reason=Decline.CURRENT)
    return None


def _read_only(row: Connection, want: Want, now: datetime) -> Declined | None:
    """Who needs a grant that a copy, or a node without its keys, must not make says so: it would die unnoticed.

    A person who asked for one is told, the row stays.
    """
    if not guard.is_read_only():
        return None
    if guard.key_trouble() and not want.is_deliberate:
        return Declined(reason=Decline.READ_ONLY, retry_at=_key_missing(row, now).retry_at)
    if not guard.is_copy() or want.is_deliberate:
        return Declined(reason=Decline.READ_ONLY)
    transitions.update_diagnosis(row, now, actor=want.actor, is_refused_by_copy=True)
    row.retry_at = row.due_at = now + settings.SUGARADMIN.look
    return Declined(reason=Decline.READ_ONLY, retry_at=row.retry_at)


def _is_good_enough(row: Connection, want: Want, now: datetime) -> bool:
    """Nothing to do: for a worker enough life is left, for the background nothing is due."""
    if row.access_dead_at is not None or row.access_expires_at is None or want.is_rejected:
        return False
    if want.trigger == Trigger.BACKGROUND:
        is_untroubled = row.trouble == Trouble.NONE or transitions.is_only_seen(row)
        is_well = is_untroubled and row.doubt_after is None and not row.is_new_chain_wanted
        return is_well and row.next_refresh_at is not None and row.next_refresh_at > now
    return row.access_expires_at - now >= timedelta(seconds=max(want.min_life, 0.001))


def _yield_to_open(row: Connection, now: datetime) -> Declined | None:
    """Point 3 of the algorithm. Returns None when the way is free, perhaps after closing what was open."""
    attempt = reads.open_grant(row)
    if attempt is None:
        return None
    limit = attempt.send_by if attempt.state == AttemptState.CLAIMED else attempt.drain_until
    assert limit is not None
    if now < limit:
        row.due_at = limit
        return Declined(reason=Decline.BUSY, retry_at=limit)
    if attempt.state == AttemptState.CLAIMED:
        _abandon(row, attempt, now)
    else:
        _take_over(row, attempt, now)
    return None


def _abandon(row: Connection, attempt: Attempt, now: datetime) -> None:
    """Its sender's next step fails, so nothing can have left: no drain is needed."""
    transitions.close(attempt, AttemptState.ABANDONED, now)
    attempt.save(update_fields=["state", "closed_at"])
    journal.write_event(
        row,
        EventKind.GRANT_ABANDONED,
        f"Attempt {attempt.number} was claimed and never sent; its sender is gone.",
        at=now,
        actor="background",
        attempt=attempt.number,
    )


def _take_over(row: Connection, attempt: Attempt, now: datetime) -> None:
    """Sent, drained, and nobody knows what Sugar did: from here on the ladder decides."""
    if attempt.fault == Fault.IDENTITY_UNAVAILABLE:
        _spare(row, attempt, now)
        return
    is_candidate = attempt.answer is not None
    transitions.close(attempt, AttemptState.ANSWERED if is_candidate else AttemptState.IN_DOUBT, now)
    attempt.save(update_fields=["state", "closed_at"])
    row.answer_lost_at = None
    if attempt.generation != row.generation and not is_same_triple(row, attempt):
        return  # it concerned another chain
    transitions.raise_doubt(row, attempt)
    journal.write_event(
        row,
        EventKind.IN_DOUBT,
        f"Attempt {attempt.number} was sent at {attempt.sent_at:%H:%M:%S} UTC and {_came_of(attempt)}.",
        at=now,
        actor="background",
        attempt=attempt.number,
    )
    transitions.update_diagnosis(row, now, actor="background", attempt=attempt.number)
    reach(Point.DOUBT_RAISED, row.public_id)


def _came_of(attempt: Attempt) -> str:
    if attempt.http_status is None:
        return "its answer never arrived"
    return f"what came back told nothing ({attempt.http_status} {attempt.error or attempt.fault})"


def _spare(row: Connection, attempt: Attempt, now: datetime) -> None:
    """Sugar could not ask its token service: the token is kept, and presented again now that nothing is under way.

    No doubt, else the ladder would try the password against the same absent service, and take it for refused.
    """
    transitions.close(attempt, AttemptState.REFUSED, now)
    attempt.save(update_fields=["state", "closed_at"])
    row.answer_lost_at = None
    transitions.update_diagnosis(row, now, actor="background", attempt=attempt.number)


def is_same_triple(row: Connection, attempt: Attempt) -> bool:
    return (attempt.instance_url, attempt.username_key, attempt.platform_key) == (
        row.instance_url,
        row.username_key,
        row.platform_key,
    )


def _is_too_early(row: Connection, want: Want, now: datetime) -> Declined | None:
    """Back-off and the bound on grants per hour: for what nobody asked for in person."""
    if want.is_deliberate:
        return None
    if row.retry_at is not None and row.retry_at > now:
        reason = Decline.PERSON if row.trouble == Trouble.PERSON else Decline.LATER
        return Declined(reason=reason, retry_at=row.retry_at)
    if row.report_wait_until is not None and row.report_wait_until > now:
        return Declined(reason=Decline.LATER, retry_at=row.report_wait_until)
    return _is_bound_reached(row, now) or _await_turn(row, now)


def _await_turn(row: Connection, now: datetime) -> Declined | None:
    """After a restore: one connection after the other."""
    turn_at = recovery.next_turn(row, now)
    if turn_at is None:
        return None
    row.retry_at = turn_at
    return Declined(reason=Decline.LATER, retry_at=turn_at)


def _is_bound_reached(row: Connection, now: datetime) -> Declined | None:
    """INV12, whatever else goes wrong: grants per connection and hour are bounded."""
    hour_ago = now - timedelta(hours=1)
    sent = Attempt.objects.filter(connection=row, sent_at__gt=hour_ago).order_by("-sent_at")
    if row.attempt_count < schedule.LEAST_BOUND or not sent[schedule.LEAST_BOUND - 1 : schedule.LEAST_BOUND].exists():
        return None  # far from any bound: the usual case, told by one look
    live = reads.live_version(row)
    lifetime = live.access_expires_at - live.issued_at if live else timedelta(hours=1)
    bound = schedule.grants_per_hour(lifetime)
    oldest = sent.values_list("sent_at", flat=True)[bound - 1 : bound].first()
    if oldest is None:
        return None
    row.due_at = oldest + timedelta(hours=1)
    return Declined(reason=Decline.LATER, retry_at=row.due_at)


def _open(row: Connection, want: Want, step: Step, now: datetime, started: float) -> Claim | Declined:
    """Writes the intent. What cannot be opened is said before a number is spent."""
    try:
        secret = _secret(row, want, step)
        client_secret = _client_secret(row)
        data_key = tenant_keys.key_of(row.tenant)  # of what will come back: on disk before anything leaves
    except VaultError:
        return _key_missing(row, now)
    config = settings.SUGARADMIN
    row.is_key_missing = False
    row.attempt_count += 1
    send_by = now + config.send_by
    attempt = Attempt(
        connection=row,
        number=row.attempt_count,
        kind=step.kind,
        rung=step.rung,
        trigger=want.trigger,
        actor=want.actor[:150],
        state=AttemptState.CLAIMED,
        generation=row.generation,
        chain=row.chain,
        base_version=step.version.number if step.version else None,
        candidate_of=step.candidate,
        is_first_sign_in=step.kind == AttemptKind.PASSWORD and row.version_count == 0,
        is_typed_password=_is_typed(row, want, step),
        link_id=want.link_pk,
        instance_url=row.instance_url,
        username_key=row.username_key,
        platform_key=row.platform_key,
        claimed_at=now,
        send_by=send_by,
    )
    statement.insert(attempt)
    row.due_at = send_by
    server_seconds = config.server_time.total_seconds() if row.server_seconds is None else row.server_seconds
    return Claim(
        attempt_pk=attempt.pk,
        attempt_id=attempt.public_id,
        number=attempt.number,
        connection_pk=row.pk,
        connection_id=row.public_id,
        tenant_id=row.tenant.public_id,
        data_key=data_key,
        generation=row.generation,
        kind=AttemptKind(step.kind),
        rung=Rung(step.rung),
        trigger=want.trigger,
        actor=want.actor,
        target=target_of(row),
        host=row.host,
        secret=secret,
        client_secret=client_secret,
        base_version=attempt.base_version,
        is_admin_user=row.is_admin_user,
        is_session_bound=row.is_session_bound,
        session_generation=Generation(row.session_generation),
        is_version_wanted=row.rest_version_at is None or now - row.rest_version_at > REST_VERSION_GOOD_FOR,
        drain_seconds=config.grant_deadline.total_seconds() + server_seconds,
        started=started,
        keeps_password=want.keeps_password and step.kind == AttemptKind.PASSWORD,
        is_stored_password=step.kind == AttemptKind.PASSWORD and not attempt.is_typed_password,
    )


def target_of(row: Connection) -> Target:
    return Target(
        instance_url=row.instance_url,
        platform=row.platform,
        username=row.username,
        client_id=row.client_id,
        ca_pem=row.ca_pem,
        rest_path=row.rest_path,
    )


def _secret(row: Connection, want: Want, step: Step) -> str:
    if step.kind == AttemptKind.PASSWORD:
        if want.password is not None:
            return want.password
        assert row.password is not None
        return keys.unseal(row.password, keys.password_context(row))
    if step.candidate is not None:
        return keys.opened_candidate(row, step.candidate).refresh_token or ""
    if step.version is not None:
        return keys.opened_refresh(row, step.version)
    assert row.adopted_token is not None
    return keys.unseal(row.adopted_token, keys.adopted_context(row))


def _is_typed(row: Connection, want: Want, step: Step) -> bool:
    """Another password than the stored one: who types that one again, or has just saved it, tries the stored one."""
    if step.kind != AttemptKind.PASSWORD or want.password is None:
        return False
    try:
        stored = keys.unseal(row.password, keys.password_context(row)) if row.password is not None else None
    except VaultError:
        return True
    return stored is None or not hmac.compare_digest(stored.encode(), want.password.encode())


def _client_secret(row: Connection) -> str:
    if row.client_secret is None:
        return ""
    return keys.unseal(row.client_secret, keys.client_secret_context(row))


def _key_missing(row: Connection, now: datetime) -> Declined:
    row.is_key_missing = True
    transitions.update_diagnosis(row, now, actor="background")
    row.retry_at = now + settings.SUGARADMIN.look
    row.due_at = row.retry_at
    return Declined(reason=Decline.PERSON, retry_at=row.retry_at)


def mark_sent(claimed: Claim) -> None:
    """Intent on disk and last look in one statement; raises NotOurs when anybody else has moved in.

    Everything is the database's: its clock, its row. After this the drain is fixed.
    """
    reach(Point.MARK_START, claimed.connection_id)
    # Only columns of the attempt's own row: PostgreSQL re-checks those after a wait for its lock, a joined
    # row it would not. An edit, a hold and a delete close a claimed attempt, so its state speaks for them too.
    marked = Attempt.objects.filter(
        pk=claimed.attempt_pk,
        state=AttemptState.CLAIMED,
        generation=claimed.generation,
        send_by__gt=DatabaseNow(),
    ).update(state=AttemptState.SENT, sent_at=DatabaseNow(), drain_until=DatabaseLater(seconds=claimed.drain_seconds))
    if marked != 1:
        raise NotOurs
    reach(Point.MARKED, claimed.connection_id)
