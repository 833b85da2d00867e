"""Reads the journal for the rules, and writes events: one row for every change of state."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from connections.choices import (
    AttemptKind,
    AttemptState,
    EventKind,
    Fault,
    Generation,
    Origin,
    Rung,
    Trigger,
    Trouble,
    VersionState,
)
from connections.custody import breakers, failures, statement
from connections.diagnosis import AttemptFact, Facts, ReportFact, State, VersionFact, status_of
from connections.models import Attempt, Connection, Event, TokenVersion
from connections.sugar import fault_told

ATTEMPTS_LOOKED_AT = 30
VERSIONS_LOOKED_AT = 6
SUMMARY_LENGTH = 500
SAID_IN_FAILURE = ("fault", "preflight_fault", "state", "error", "error_message")


def write_event(
    row: Connection,
    kind: EventKind,
    summary: str,
    *,
    at: datetime,
    actor: str,
    code: str = "",
    attempt: int | None = None,
    version: int | None = None,
) -> Event:
    """Counts on the locked row: the caller saves `event_count` with the rest of the change.

    The status it carries is that of the row as it stands; of several events of one moment the last one is right.
    """
    row.event_count += 1
    event = Event(
        connection=row,
        number=row.event_count,
        at=at,
        kind=kind,
        code=code,
        status=status_of(state_of(row), at),
        summary=summary[:SUMMARY_LENGTH],
        attempt=attempt,
        version=version,
        actor=actor[:150],
    )
    return statement.insert(event)


def state_of(row: Connection) -> State:
    """What the status is derived from."""
    return State(
        is_paused=row.paused_at is not None,
        is_held=row.held_at is not None,
        is_draft=row.version_count == 0,
        trouble=Trouble(row.trouble),
        access_expires_at=row.access_expires_at,
        access_dead_at=row.access_dead_at,
        access_doubtful_until=row.access_doubtful_until,
        has_refresh_token=row.has_refresh_token,
        has_password=row.password is not None,
        refresh_expires_at=row.refresh_expires_at,
        has_open_lost_attempt=row.answer_lost_at is not None,
    )


def note_failure(row: Connection, number: int, code: str) -> None:
    """Writes on a failed attempt what the rules made of it, and which group of failures it belongs to."""
    attempt = Attempt.objects.filter(connection=row, number=number).only(*SAID_IN_FAILURE).first()
    if attempt is None or not (attempt.fault or attempt.preflight_fault or attempt.state == AttemptState.IN_DOUBT):
        return
    said = attempt.error_message or attempt.error or attempt.fault or attempt.preflight_fault
    attempt.diagnosis_code = code
    attempt.failure = failures.fingerprint(code=code, host=row.host, message=said)
    attempt.save(update_fields=["diagnosis_code", "failure"])


def facts_of(
    row: Connection, now: datetime, *, present_refusal: datetime | None = None, is_database_restored: bool = False
) -> Facts:
    """What the rules may look at, from the row and the newest part of its journal.

    `present_refusal` is when Sugar refused the refresh token now in question: it is not an *earlier* supersession.
    `is_database_restored`: this connection needed a grant, and the database is a copy.
    """
    allowance = breakers.automatic_sign_in(row, now)
    return Facts(
        now=now,
        instance_host=row.host,
        platform=row.platform,
        username=row.username,
        client_id=row.client_id,
        generation=Generation(row.session_generation),
        sugar_version=row.sugar_version,
        has_password=row.password is not None,
        is_password_refused=breakers.is_password_refused(row, now),
        is_password_expired=row.is_password_expired,
        has_refresh_token=row.has_refresh_token,
        is_client_changed=row.is_client_changed,
        is_new_chain_wanted=row.is_new_chain_wanted,
        can_sign_in_now=allowance.is_allowed,
        sign_in_allowed_at=allowance.allowed_at,
        chain_ends_at=row.chain_ends_at,
        access_expires_at=row.access_expires_at,
        is_access_dead=row.access_dead_at is not None,
        is_session_bound=row.is_session_bound,
        is_database_restored=is_database_restored,
        is_key_missing=row.is_key_missing,
        trouble_since=row.trouble_since,
        supersessions=tuple(at for at in (row.superseded_at, row.superseded_before_at) if at and at != present_refusal),
        attempts=_attempts(row),
        versions=_versions(row),
        reports=_reports(row, now),
        password_set_at=row.password_set_at,
        is_signed_in_by_people=row.version_count == 0 and row.adopted_token is None,
        # An unproven version that a ping found dead is a doubt to the ladder; its death speaks for itself.
        is_in_doubt=row.doubt_after is not None and row.access_dead_at is None,
    )


def _attempts(row: Connection) -> tuple[AttemptFact, ...]:
    since_edit = Attempt.objects.filter(connection=row, generation=row.generation)
    newest = since_edit.defer("answer", "report", "timings").order_by("-number")
    return tuple(_attempt_fact(attempt) for attempt in reversed(newest[:ATTEMPTS_LOOKED_AT]))


def _attempt_fact(attempt: Attempt) -> AttemptFact:
    return AttemptFact(
        number=attempt.number,
        kind=AttemptKind(attempt.kind),
        rung=Rung(attempt.rung),
        trigger=Trigger(attempt.trigger),
        state=AttemptState(attempt.state),
        chain=attempt.chain,
        base_version=attempt.base_version,
        version=attempt.version,
        fault=_fault(attempt.fault),
        preflight_fault=_fault(attempt.preflight_fault),
        verify_fault=_fault(attempt.verify_fault),
        http_status=attempt.http_status,
        error=attempt.error,
        error_message=attempt.error_message,
        external_login_host=attempt.external_login_host,
        lockout_until=attempt.lockout_until,
        claimed_at=attempt.claimed_at,
        sent_at=attempt.sent_at,
        closed_at=attempt.closed_at,
        lost_at=attempt.lost_at,
        preflight_status=attempt.preflight_status,
        verify_status=attempt.verify_status,
        is_typed_password=attempt.is_typed_password,
    )


def _fault(value: str) -> Fault | None:
    return Fault(value) if value else None


def _versions(row: Connection) -> tuple[VersionFact, ...]:
    newest = TokenVersion.objects.filter(connection=row).defer("access_token", "refresh_token").order_by("-number")
    return tuple(
        VersionFact(
            number=version.number,
            chain=version.chain,
            origin=Origin(version.origin),
            state=VersionState(version.state),
            issued_at=version.issued_at,
            access_expires_at=version.access_expires_at,
            refresh_expires_at=version.refresh_expires_at,
            access_dead_at=version.access_dead_at,
            verified_at=version.verified_at,
        )
        for version in reversed(newest[:VERSIONS_LOOKED_AT])
    )


def _reports(row: Connection, now: datetime) -> tuple[ReportFact, ...]:
    """A worker's words are kept in the report of the probe they caused."""
    probes = Attempt.objects.filter(
        Q(claimed_at__gte=now - timedelta(days=1)), connection=row, kind=AttemptKind.PROBE, trigger=Trigger.REPORT
    ).order_by("-number")[:5]
    return tuple(_report_fact(probe) for probe in reversed(probes))


def _report_fact(probe: Attempt) -> ReportFact:
    status, error, message = (probe.report.get(name) for name in ("status", "error", "error_message"))
    return ReportFact(
        at=probe.claimed_at,
        version=probe.base_version or 0,
        status=status,
        error=error or "",
        error_message=message or "",
        fault=fault_told(status, error or "", message or ""),
    )
