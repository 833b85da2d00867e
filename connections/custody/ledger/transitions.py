"""What every writer of chain state shares: the lock, the doubt, the diagnosis and the next due time."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from connections.choices import (
    AttemptState,
    Confidence,
    DiagnosisCode,
    EventKind,
    Trouble,
    VersionState,
)
from connections.custody import breakers, guard, journal, reads, schedule, statement
from connections.diagnosis import Diagnosis, diagnose
from connections.models import Attempt, Connection, HostWait, TokenVersion, database_now

FREE_LOOK_CODES = frozenset(
    {
        DiagnosisCode.PLATFORM_NOT_REGISTERED,
        DiagnosisCode.USER_AGENT_BLOCKED,
        DiagnosisCode.MAINTENANCE,
        DiagnosisCode.LICENSE,
        DiagnosisCode.FIREWALL_BLOCKED,
        DiagnosisCode.NOT_SUGAR,
        DiagnosisCode.MOVED,
        DiagnosisCode.HEADER_STRIPPED,
        DiagnosisCode.VERSION_UNSUPPORTED,
        DiagnosisCode.IDENTITY_UNAVAILABLE,
    }
)
HOST_CODES = frozenset(
    {
        DiagnosisCode.DNS_FAILURE,
        DiagnosisCode.CONNECTION_REFUSED,
        DiagnosisCode.TIMEOUT,
        DiagnosisCode.CONNECTION_LOST,
        DiagnosisCode.TLS_INVALID,
        DiagnosisCode.ADDRESS_BLOCKED,
    }
)
_COLUMNS = tuple(field.attname for field in Connection._meta.concrete_fields if not field.primary_key)
SUPERSEDED_CODES = frozenset({DiagnosisCode.REFRESH_TOKEN_SUPERSEDED, DiagnosisCode.PLATFORM_SHARED})


def locked(pk: int) -> Connection:
    """The connection's row, locked to the end of the transaction; read the clock after this, not before."""
    return _as_loaded(reads.locked(pk))


def locked_for_settling(pk: int, attempt_pk: int) -> tuple[Connection, Attempt, TokenVersion | None, datetime]:
    """With its attempt, its live version and the clock, read under the lock."""
    row, attempt, live, now = reads.for_settling(pk, attempt_pk)
    return _as_loaded(row), attempt, live, now


def _as_loaded(row: Connection) -> Connection:
    row.loaded = {name: getattr(row, name) for name in _COLUMNS}  # type: ignore[attr-defined]  # for save()
    return row


def save(row: Connection) -> None:
    """Writes what has changed since `locked`, and nothing else."""
    loaded: dict[str, Any] = row.loaded  # type: ignore[attr-defined]  # set by locked()
    changed = [name for name, before in loaded.items() if getattr(row, name) != before]
    if changed:
        statement.write(row, changed)


def locked_with_clock(pk: int) -> tuple[Connection, datetime]:
    row = locked(pk)
    return row, database_now()


def present_with_clock(pk: int) -> tuple[Connection, datetime]:
    """The same for what a person does with it. Raises Connection.DoesNotExist for a deleted one."""
    row, now = locked_with_clock(pk)
    if row.deleted_at is not None:
        raise Connection.DoesNotExist
    return row, now


def raise_doubt(row: Connection, attempt: Attempt) -> None:
    """From now on a claim is a rung of the ladder; only an attempt claimed after this moment clears it.

    The mark is the newest number given out, not the doubtful attempt's own: a rung already under way
    was sent before this doubt arose and proves nothing about it.
    """
    row.doubt_after = row.attempt_count
    if row.doubt_began is None:
        row.doubt_began = attempt.number


def clear_doubt(row: Connection, attempt: Attempt) -> None:
    if row.doubt_after is not None and attempt.number > row.doubt_after:
        row.doubt_after = None
        row.doubt_began = None


def update_diagnosis(
    row: Connection, now: datetime, *, actor: str, attempt: int | None = None, is_refused_by_copy: bool | None = None
) -> None:
    """Lets the rules speak and writes down what changed: code, trouble, and one event for each change.

    `is_refused_by_copy`: a copied database has just refused it a grant; None: as it was, while it is a copy.
    """
    if is_refused_by_copy is None:
        is_refused_by_copy = row.diagnosis_code == DiagnosisCode.DATABASE_RESTORED and guard.is_copy()
    facts = journal.facts_of(row, now, present_refusal=_present_refusal(row), is_database_restored=is_refused_by_copy)
    found = diagnose(facts)
    if found is not None and found.code in SUPERSEDED_CODES:
        _note_supersession(row)
    _apply(row, found, now, actor=actor, attempt=attempt)


def _present_refusal(row: Connection) -> datetime | None:
    live = TokenVersion.objects.filter(connection=row, state=VersionState.LIVE).only("refused_at").first()
    return live.refused_at if live else None


def _note_supersession(row: Connection) -> None:
    """Once per refusal: the present one must not pass for an earlier one when the rules are asked again."""
    refused_at = _present_refusal(row)
    if refused_at is not None and row.superseded_at != refused_at:
        row.superseded_before_at, row.superseded_at = row.superseded_at, refused_at


def _apply(row: Connection, found: Diagnosis | None, now: datetime, *, actor: str, attempt: int | None) -> None:
    code = found.code if found else ""
    trouble = found.trouble if found else Trouble.NONE
    before_code, before = row.diagnosis_code, row.trouble
    before_title = (row.diagnosis or {}).get("title", before_code)
    row.diagnosis = as_json(found) if found else None
    row.diagnosis_code = code
    row.trouble = trouble
    if trouble == Trouble.NONE:
        row.trouble_since = None
    elif row.trouble_since is None:
        row.trouble_since = now
    if attempt is not None and code:
        journal.note_failure(row, attempt, code)
    if before != Trouble.NONE and trouble == Trouble.NONE:
        row.snoozed_until = None  # it was about the trouble that is over
        journal.write_event(
            row, EventKind.RECOVERED, f"Healthy again. It was: {before_title}.", at=now, actor=actor, code=before_code
        )
    if found is not None and (code != before_code or trouble != before):
        journal.write_event(
            row, EventKind.DIAGNOSED, f"{found.title}. {found.cause}", at=now, actor=actor, code=code, attempt=attempt
        )


def as_json(found: Diagnosis) -> dict[str, Any]:
    """The stored form: plain words, no lazy strings."""
    return {
        "code": str(found.code),
        "title": str(found.title),
        "confidence": str(Confidence(found.confidence)),
        "cause": str(found.cause),
        "evidence": [
            {"text": str(item.text), "attempt": item.attempt, "version": item.version} for item in found.evidence
        ],
        "fix_by": str(found.fix_by),
        "fix": [str(step) for step in found.fix],
        "help_path": found.help_path,
    }


def reschedule(
    row: Connection, now: datetime, *, live: TokenVersion | None = None, has_open: bool | None = None
) -> None:
    """Sets `due_at`: the earliest of everything that could be due. Custody enqueues nothing, it writes this.

    `live` and `has_open=False` spare the hot path queries whose answers it knows.
    """
    attempt = reads.open_grant(row) if has_open is not False else None
    if attempt is not None:
        # Also for what is deleted or held: an attempt that nobody closes would block its triple for ever.
        row.due_at = attempt.drain_until or attempt.send_by
        return
    if row.deleted_at is not None or row.held_at is not None:
        row.due_at = None
        return
    live = live or reads.live_version(row)
    times = [_grant_due(row, live, now)]
    if live is not None and live.access_dead_at is None and not row.is_session_bound:
        times.append(row.probe_due_at)
    row.due_at = min((at for at in times if at is not None), default=None)
    if row.due_at is not None and row.report_wait_until is not None:
        row.due_at = max(row.due_at, row.report_wait_until)


def _grant_due(row: Connection, live: TokenVersion | None, now: datetime) -> datetime | None:
    if row.version_count == 0 and row.adopted_token is None and not _may_hold_answer(row):
        return None  # a draft: only a person signs it in, whatever a sign-in of his came to
    if is_only_seen(row):
        return row.next_refresh_at
    if row.trouble != Trouble.NONE or row.doubt_after is not None:
        is_free = row.doubt_after is not None or row.trouble != Trouble.PERSON
        return row.retry_at or (now if is_free else None)
    if row.is_new_chain_wanted or row.version_count == 0:
        return row.retry_at or (now if _can_begin(row) else None)
    return row.next_refresh_at


def _may_hold_answer(row: Connection) -> bool:
    """A lost sign-in of a draft leaves nothing to try but an answer that was kept."""
    return row.doubt_after is not None and reads.candidates(row).exists()


def is_only_seen(row: Connection) -> bool:
    """Trouble that a ping or a test saw, with nothing spent and the chain well: looks find its end, no grant has to."""
    is_untouched = row.failures == 0 and row.retry_at is None and row.doubt_after is None
    is_chain_well = row.access_dead_at is None and row.has_refresh_token and not row.is_new_chain_wanted
    return row.trouble != Trouble.NONE and is_untouched and is_chain_well


def look_again(row: Connection, *, is_first: bool) -> timedelta:
    """Until the next free look at what is out of order."""
    return schedule.backoff(row.failures + 1, settings.SUGARADMIN.retry) if is_first else settings.SUGARADMIN.look


def _can_begin(row: Connection) -> bool:
    """A new chain starts by itself from an adopted token, or after an edit that came with the password."""
    return row.adopted_token is not None or (row.version_count > 0 and row.password is not None)


def plan_refresh(row: Connection, live: TokenVersion, now: datetime) -> None:
    """Near expiry for the warm, half of the refresh lifetime for the idle and the paused (DESIGN section 4.9)."""
    percent = settings.SUGARADMIN.refresh_lead_percent
    warm = schedule.is_warm(last_used_at=row.last_used_at, signed_in_at=row.signed_in_at, now=now)
    times = [schedule.idle_refresh_at(live.issued_at, live.refresh_expires_at, row.chain_ends_at)]
    if warm and row.paused_at is None:
        times.append(schedule.warm_refresh_at(live.issued_at, live.access_expires_at, percent))
        if live.access_dead_at is not None:
            times.append(now)
    ahead_at = breakers.sign_in_ahead_at(row, now)
    if ahead_at is not None:
        times.append(ahead_at)
    row.next_refresh_at = min(times)


def plan_retry(row: Connection, now: datetime, *, was_sent: bool) -> None:
    """After a failure: when custody may try again by itself, from what the diagnosis says."""
    if row.trouble == Trouble.NONE and row.doubt_after is None:
        row.retry_at = None
        return
    times = [now + _wait(row, now, was_sent=was_sent)]
    if not row.has_refresh_token and row.doubt_after is None:
        times = [*_revivals(row, now), *(times if _is_free(row, was_sent=was_sent) else [])]
    row.retry_at = min(times, default=now + schedule.DAY)


def _revivals(row: Connection, now: datetime) -> list[datetime]:
    """What may bring a dead chain back: the stored password, and once a day the dead token itself,
    which a reactivated user revives (SUGAR.md section 2 f)."""
    allowance = breakers.automatic_sign_in(row, now)
    soon = now + schedule.backoff(row.failures, settings.SUGARADMIN.retry)
    times = []
    if allowance.is_allowed and row.trouble == Trouble.PERSON and not allowance.refused:
        times.append(now + schedule.DAY)  # refused in words that no repetition cures
    elif allowance.is_allowed:
        times.append(soon)
    elif allowance.allowed_at is not None:
        times.append(allowance.allowed_at)
    if row.dead_tried_at is not None:
        # Never at once: where the look before it fails, nothing is sent, and the day that is over stays over.
        times.append(max(row.dead_tried_at + schedule.DAY, soon))
    return times


def _is_free(row: Connection, *, was_sent: bool) -> bool:
    return not was_sent and row.diagnosis_code in FREE_LOOK_CODES | HOST_CODES


def _wait(row: Connection, now: datetime, *, was_sent: bool) -> timedelta:
    config = settings.SUGARADMIN
    if row.diagnosis_code == DiagnosisCode.CLIENT_INVALID:
        return schedule.CLIENT_INVALID_AGAIN
    # Also when the grant itself was told: the look before the next one asks first, and spends nothing.
    if row.diagnosis_code in FREE_LOOK_CODES and row.trouble != Trouble.IN_DOUBT:
        return config.look * random.uniform(0.8, 1)  # noqa: S311  # spread
    if not was_sent and row.diagnosis_code in HOST_CODES:
        probe_at = HostWait.objects.filter(host=row.host).values_list("next_probe_at", flat=True).first()
        return max(probe_at - now, timedelta(0)) if probe_at else config.host_probe
    if row.trouble == Trouble.PERSON:
        return schedule.DAY
    return schedule.backoff(row.failures, config.retry)


def heed(row: Connection, retry_after: int | None, now: datetime) -> None:
    """Who asks us to stay away for a while is not asked earlier; for longer than our longest back-off nobody is
    believed, since a wrong word from a proxy must not keep a customer's tokens from being renewed."""
    if retry_after:
        row.retry_at = max(row.retry_at or now, now + min(timedelta(seconds=retry_after), schedule.MAX_BACKOFF))


def note_success(row: Connection, now: datetime) -> None:
    row.failures = 0
    row.retry_at = None
    row.last_success_at = now


def close(attempt: Attempt, state: AttemptState, now: datetime) -> None:
    attempt.state = state
    attempt.closed_at = now
