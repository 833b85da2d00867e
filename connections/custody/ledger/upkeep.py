"""What pings and probes teach: proofs, deaths, reports; and which rows the background takes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import Q

from connections.choices import (
    AttemptState,
    Endpoint,
    EventKind,
    Fault,
    Generation,
    Trouble,
    VersionState,
)
from connections.custody import journal, keys, reads, schedule, statement
from connections.custody.ledger import looks, recovery, transitions
from connections.custody.ledger.versions import wipe
from connections.custody.values import Claim
from connections.models import Attempt, Connection, DatabaseLater, DatabaseNow, HostWait, TokenVersion, database_now
from connections.sugar import Answer, Target
from connections.vault import VaultError

MEMORY_OF_THE_ROW_CHECK = timedelta(seconds=120)  # SUGAR.md section 0.1: 7.7–12.x
DEAD_FAULTS = frozenset({Fault.ACCESS_TOKEN_INVALID, Fault.ACCESS_TOKEN_EXPIRED})
MAY_BE_CACHED = frozenset({Generation.CACHED, Generation.UNKNOWN})
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """The live version, opened for one look at the instance."""

    connection_pk: int
    connection_id: str
    tenant_id: str
    target: Target
    number: int
    access_token: str
    is_session_bound: bool
    attempt: int | None


def living(row: Connection, target: Target) -> Living | None:
    """The live access token, for a ping; None where there is none to ask with. Raises VaultError."""
    version = reads.live_version(row)
    if version is None or version.access_token is None:
        return None
    return Living(
        connection_pk=row.pk,
        connection_id=row.public_id,
        tenant_id=row.tenant.public_id,
        target=target,
        number=version.number,
        access_token=keys.opened_access(row, version),
        is_session_bound=row.is_session_bound,
        attempt=version.attempt.number if version.attempt else None,
    )


def note_verify(claim: Claim, number: int, answer: Answer) -> bool:
    """The ping right after a grant. Returns False when the new token is already dead: two grants overlapped."""
    return note_ping(claim.connection_pk, number, answer, verifying=claim)


def note_ping(
    pk: int,
    number: int,
    answer: Answer,
    *,
    verifying: Claim | None = None,
    actor: str = "background",
    doubt: int | None = None,
    is_session_told: bool = False,
) -> bool:
    """Writes down what a ping with version `number` showed; False when it showed the token dead.

    `doubt` is the connection's mark of doubt from before the ping was sent. `is_session_told`: the worker who reported
    it heard `session_rejected`, which Sugar says only once.
    """
    with transaction.atomic(durable=True):
        row = transitions.locked(pk)
        version, now = reads.live_with_clock(row)
        if verifying is not None and not answer.is_kept_back:
            is_away = version is not None and _is_token_service_away(row, version, answer, now)
            fault = Fault.IDENTITY_UNAVAILABLE if is_away else answer.fault or ""
            Attempt.objects.filter(pk=verifying.attempt_pk).update(verify_fault=fault, verify_status=answer.status)
        if version is None or version.number != number:
            return True  # it has moved on; what this ping says is history
        is_alive = _note(row, version, answer, now, actor=actor, is_verify=verifying is not None)
        row.is_session_bound = row.is_session_bound or (is_session_told and not is_alive)
        if answer.fault is None:
            recovery.settle_by_ping(row, version, now, doubt=doubt, actor=actor)
        statement.write(version, ["verified_at", "access_dead_at", "pinged_at", "ping_taken_until"])
        transitions.reschedule(row, now, live=version, has_open=False if _is_newest(row, verifying) else None)
        transitions.save(row)
    return is_alive


def _is_newest(row: Connection, claim: Claim | None) -> bool:
    """Whoever claims takes the next number: while this claim's is the newest, nothing later is under way."""
    return claim is not None and claim.number == row.attempt_count


def _note(
    row: Connection, version: TokenVersion, answer: Answer, now: datetime, *, actor: str, is_verify: bool
) -> bool:
    is_for_report = version.ping_taken_until is not None
    version.ping_taken_until = None
    if answer.is_kept_back:
        row.probe_due_at = now + settings.SUGARADMIN.retry
        return True
    if answer.fault is None:
        # A ping of our own, just after a grant or for a test, says nothing about what a worker meets afterwards.
        version.pinged_at = now if is_for_report else version.pinged_at
        if looks.note_news(row, version, answer, now, actor=actor):
            transitions.update_diagnosis(row, now, actor=actor)
        _note_alive(row, version, now)
        return True
    if answer.fault in DEAD_FAULTS and _is_own_grant_open(row):
        row.probe_due_at = now + settings.SUGARADMIN.retry  # on 13.3 and later our own refresh explains it
        return True
    is_identity_trouble = _may_be_identity_trouble(row, version, answer, now)
    # The grant's own row says it, where it says that the token is dead.
    is_told = is_verify and answer.fault in DEAD_FAULTS | {Fault.SESSION_REJECTED} and not is_identity_trouble
    is_news = not is_told and looks.note_news(row, version, answer, now, actor=actor)
    if answer.fault == Fault.SESSION_REJECTED:
        row.is_session_bound = True  # our own network may be what it objects to: no more pings from us
        _note_dead(row, version, answer, now, actor=actor)
        return False
    if answer.fault in DEAD_FAULTS and not is_identity_trouble:
        _note_dead(row, version, answer, now, actor=actor)
        return False
    # Anything else says nothing about the token: look again, soon while this is new or the version is unproven.
    if is_news:
        transitions.update_diagnosis(row, now, actor=actor, attempt=row.attempt_count)
    is_unproven = version.verified_at is None and not is_identity_trouble
    row.probe_due_at = now + transitions.look_again(row, is_first=is_news or is_unproven)
    return True


def _is_own_grant_open(row: Connection) -> bool:
    attempt = reads.open_grant(row)
    return attempt is not None and attempt.state == AttemptState.SENT


def _is_too_young(row: Connection, version: TokenVersion, answer: Answer, now: datetime) -> bool:
    """SugarIdentity says `has expired` before the token's time is over."""
    is_said = row.session_generation == Generation.IDM and answer.fault == Fault.ACCESS_TOKEN_EXPIRED
    return is_said and now < version.access_expires_at


def _is_token_service_away(row: Connection, version: TokenVersion, answer: Answer, now: datetime) -> bool:
    """Said of a version that has never worked it proves nothing, however often: nobody's sign-in ends a session there,
    and a grant would yield another version that fares no better. It is looked at until it works or its time is over."""
    return version.verified_at is None and _is_too_young(row, version, answer, now)


def _may_be_identity_trouble(row: Connection, version: TokenVersion, answer: Answer, now: datetime) -> bool:
    """An STS outage says `has expired` for good tokens (SUGAR.md section 6): one such answer proves nothing, a second
    one later does. Its moment is kept where a doubtful life is."""
    if not _is_too_young(row, version, answer, now):
        return False
    if _is_token_service_away(row, version, answer, now):
        return True
    if row.access_doubtful_until is None:
        row.access_doubtful_until = now + settings.SUGARADMIN.retry
        return True
    return now < row.access_doubtful_until


def _note_alive(row: Connection, version: TokenVersion, now: datetime) -> None:
    config = settings.SUGARADMIN
    row.probe_due_at = _probe_at(row, version, now)
    row.access_doubtful_until = _doubtful_until(row, now)
    if version.verified_at is not None:
        return
    proven_at = version.issued_at + config.session_check
    if row.session_generation in MAY_BE_CACHED and now < proven_at:
        row.probe_due_at = proven_at  # this ping may come from a 120 s memory; a later one decides
        return
    version.verified_at = now
    wipe(TokenVersion.objects.filter(connection=row, number__lt=version.number))


def _probe_at(row: Connection, version: TokenVersion, now: datetime) -> datetime | None:
    """Warm connections are looked at now and then: staff should know of an early death before the workers do."""
    if row.trouble == Trouble.PERSON:
        return now + MEMORY_OF_THE_ROW_CHECK if now < version.access_expires_at else None
    is_warm = schedule.is_warm(last_used_at=row.last_used_at, signed_in_at=row.signed_in_at, now=now)
    at = now + settings.SUGARADMIN.look
    return at if is_warm and at < version.access_expires_at else None


def _doubtful_until(row: Connection, now: datetime) -> datetime | None:
    """A dead chain: a good ping may be a cached one, until one later than the memory has passed."""
    if row.trouble != Trouble.PERSON or row.session_generation not in MAY_BE_CACHED:
        return None
    is_second = row.access_doubtful_until is not None and now >= row.access_doubtful_until
    return None if is_second else (row.access_doubtful_until or now + MEMORY_OF_THE_ROW_CHECK)


def _note_dead(row: Connection, version: TokenVersion, answer: Answer, now: datetime, *, actor: str) -> None:
    if version.access_dead_at is not None:
        return
    version.access_dead_at = now
    row.access_dead_at = now
    row.access_doubtful_until = None
    row.probe_due_at = None
    journal.write_event(
        row,
        EventKind.TOKEN_DIED,
        f"Access token {version.number} is dead: {answer.status} {answer.error} “{answer.error_message}”",
        at=now,
        actor=actor,
        attempt=version.attempt.number if version.attempt else None,
        version=version.number,
    )
    if version.verified_at is None and version.attempt is not None and answer.fault != Fault.SESSION_REJECTED:
        # A 200 to a grant is no proof: an overlapping outsider deleted our new session (SUGAR.md section 0.3).
        transitions.raise_doubt(row, version.attempt)
    row.retry_at = None if row.trouble != Trouble.PERSON else row.retry_at
    transitions.update_diagnosis(row, now, actor=actor)
    if row.trouble == Trouble.PERSON and row.retry_at is None:
        transitions.plan_retry(row, now, was_sent=True)
    transitions.plan_refresh(row, version, now)


def note_believed_death(pk: int, number: int, *, actor: str) -> None:
    """A worker's 401 where our own pings are off."""
    answer = Answer(endpoint=Endpoint.API, fault=Fault.ACCESS_TOKEN_INVALID, status=401, error="invalid_grant")
    with transaction.atomic(durable=True):
        row, now = transitions.locked_with_clock(pk)
        version = TokenVersion.objects.filter(connection=row, number=number, state=VersionState.LIVE).first()
        if version is None:
            return
        version.verified_at = version.verified_at or now  # unproven is not the same as doubtful here
        _note_dead(row, version, answer, now, actor=actor)
        statement.write(version, ["verified_at", "access_dead_at"])
        transitions.reschedule(row, now, live=version)
        transitions.save(row)


def note_user(pk: int, answer: Answer) -> None:
    """What `GET me` said of the user: an admin's grants work in maintenance; an expired password is a warning."""
    if answer.user is None:
        return
    with transaction.atomic(durable=True):
        row, now = transitions.locked_with_clock(pk)
        row.is_admin_user = answer.user.is_admin
        row.is_password_expired = answer.user.is_password_expired
        if row.is_password_expired or row.diagnosis_code:
            transitions.update_diagnosis(row, now, actor="background")
        transitions.save(row)


def note_server(pk: int, *, generation: Generation, version: str) -> None:
    with transaction.atomic(durable=True):
        row, now = transitions.locked_with_clock(pk)
        row.rest_version_at = now
        row.sugar_version = version[:40]
        row.session_generation = generation
        transitions.save(row)


def note_key_missing(pk: int) -> None:
    """A stored secret does not open with the keys of this process: the status says so until it does again."""
    with transaction.atomic(durable=True):
        row, now = transitions.locked_with_clock(pk)
        if not row.is_key_missing:
            row.is_key_missing = True
            transitions.update_diagnosis(row, now, actor="background")
            row.retry_at = row.due_at = now + settings.SUGARADMIN.look
            transitions.save(row)


def note_use(pk: int) -> None:
    """At most every ten minutes: who is warm. A connection that was idle gets its refresh moved near expiry."""
    with transaction.atomic(durable=True):
        locked, now = transitions.locked_with_clock(pk)
        was_warm = schedule.is_warm(last_used_at=locked.last_used_at, signed_in_at=locked.signed_in_at, now=now)
        locked.last_used_at = now
        live = reads.live_version(locked)
        if not was_warm and live is not None and locked.trouble == Trouble.NONE:
            transitions.plan_refresh(locked, live, now)
            transitions.reschedule(locked, now, live=live)
        transitions.save(locked)


def take_ping(version_pk: int, *, seconds: float, good_for: float) -> bool:
    """Single flight for pings on reports: one pings, the others wait for what it finds."""
    with_clock = TokenVersion.objects.filter(pk=version_pk, access_dead_at__isnull=True)
    free = Q(ping_taken_until__isnull=True) | Q(ping_taken_until__lte=DatabaseNow())
    stale = Q(pinged_at__isnull=True) | Q(pinged_at__lte=DatabaseLater(seconds=-good_for))
    return with_clock.filter(free, stale).update(ping_taken_until=DatabaseLater(seconds=seconds)) == 1


def note_reported_death(pk: int, number: int) -> timedelta:
    """A reported version was found dead. Returns how long its refresh must wait: fresh versions that keep being
    reported before half their life back off from 30 s to 15 min (INV12)."""
    with transaction.atomic(durable=True):
        row, now = transitions.locked_with_clock(pk)
        version = TokenVersion.objects.filter(connection=row, number=number, state=VersionState.LIVE).first()
        if version is None:
            return timedelta(0)
        since = row.report_grant_at
        if since is not None and since >= version.issued_at:
            return max(since - now, timedelta(0))  # its refresh has its time: who reports the same version joins it
        half = version.issued_at + (version.access_expires_at - version.issued_at) / 2
        row.report_streak = row.report_streak + 1 if now < half else 0
        wait = schedule.report_wait(row.report_streak - 1)
        due = max(now, since + wait) if since else now
        row.report_grant_at = row.report_wait_until = due
        transitions.reschedule(row, now, live=version)
        transitions.save(row)
    return max(due - now, timedelta(0))


# -- the background ------------------------------------------------------------------------------------------


def take_due(count: int, *, lease: timedelta) -> list[int]:
    """Takes up to `count` due connections by moving their due time ahead: no two rounds look at the same one.

    A lease, not a lock: if its holder dies the row is due again; what may be sent is decided by the claim.
    """
    with transaction.atomic(durable=True):
        now = database_now()
        due = Connection.objects.due(now).order_by("due_at", "pk")
        if database.features.has_select_for_update_skip_locked:
            due = due.select_for_update(of=("self",), skip_locked=True)
        taken = sorted(due.values_list("pk", flat=True)[:count])
        if taken:
            Connection.objects.filter(pk__in=taken).update(due_at=now + lease)
    return taken


def is_anything_due() -> bool:
    return Connection.objects.due(database_now()).exists()


def postpone(pk: int, until: datetime) -> None:
    """Nothing to do before `until`."""
    Connection.objects.filter(pk=pk, deleted_at__isnull=True, held_at__isnull=True).update(due_at=until)


def plan_again(pk: int, *, not_before: datetime | None = None) -> None:
    """Recompute when it is due: after a round that found nothing to do, or not before `not_before`."""
    with transaction.atomic(durable=True):
        row, now = transitions.locked_with_clock(pk)
        live = reads.live_version(row)
        is_overdue = row.next_refresh_at is not None and row.next_refresh_at <= now
        if live is not None and row.trouble == Trouble.NONE and is_overdue and row.access_dead_at is None:
            transitions.plan_refresh(row, live, now)
        transitions.reschedule(row, now, live=live)
        if row.due_at is not None and row.due_at <= now:
            row.due_at = max(not_before or now, now + settings.SUGARADMIN.tick)
        transitions.save(row)


# -- hosts that do not answer --------------------------------------------------------------------------------


def note_host_down(host: str, fault: str) -> None:
    """From now on one probe speaks for all connections of this host: every 30 s, after an hour every 5 min."""
    config = settings.SUGARADMIN
    now = database_now()
    wait, is_new = HostWait.objects.get_or_create(
        host=host, defaults={"down_since": now, "next_probe_at": now + config.host_probe, "fault": fault}
    )
    if not is_new:
        is_old = now - wait.down_since > timedelta(hours=1)
        again = max(config.look, config.host_probe) if is_old else config.host_probe
        HostWait.objects.filter(host=host).update(next_probe_at=now + again, fault=fault)


def host_wait(host: str) -> datetime | None:
    """When the host is probed next; None: it answers, for all we know."""
    return HostWait.objects.filter(host=host).values_list("next_probe_at", flat=True).first()


def take_host_probe(host: str, seen: datetime) -> bool:
    """Compare-and-set: whoever wins probes for everybody."""
    again = DatabaseLater(seconds=settings.SUGARADMIN.host_probe.total_seconds())
    return (
        HostWait.objects.filter(host=host, next_probe_at=seen, next_probe_at__lte=DatabaseNow()).update(
            next_probe_at=again
        )
        == 1
    )


def note_host_up(host: str) -> None:
    """It answers again: its connections need not wait for their own turn."""
    waits = HostWait.objects.filter(host=host)
    if waits.exists() and waits.delete()[0]:
        Connection.objects.present().filter(host=host, trouble=Trouble.UNREACHABLE).update(
            retry_at=None, due_at=DatabaseNow()
        )


def note_spool_unreadable(attempt_id: str) -> None:
    """A spool file whose key is gone: its connection says so."""
    attempt = Attempt.objects.select_related("connection").filter(public_id=attempt_id).first()
    if attempt is not None:
        Connection.objects.filter(pk=attempt.connection_id).update(is_key_missing=True)


__all__ = ["Living", "VaultError"]
