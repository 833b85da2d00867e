"""Small journals to reason about: a healthy connection at version 19, and what then happened to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connections.choices import (
    AttemptKind,
    AttemptState,
    Fault,
    Generation,
    Origin,
    Rung,
    Trigger,
    VersionState,
)
from connections.diagnosis import AttemptFact, Diagnosis, Facts, ReportFact, VersionFact, diagnose
from connections.sugar import fault_told

NOW = datetime(2026, 11, 23, 13, 20, tzinfo=UTC)
ISSUED = datetime(2026, 11, 23, 12, 21, 40, tzinfo=UTC)
REFUSED = datetime(2026, 11, 23, 13, 16, 4, tzinfo=UTC)
EXPIRES = ISSUED + timedelta(hours=1)
DAY = timedelta(days=1)
SESSION_TEXT = "Your authentication token is invalid."


def attempt(number: int, kind: AttemptKind = AttemptKind.REFRESH, **changes: Any) -> AttemptFact:
    """A sent and answered attempt; each number is ten seconds after the one before."""
    at = REFUSED + timedelta(seconds=10 * (number - 31))
    fact = AttemptFact(
        number=number,
        kind=kind,
        rung=Rung.NONE,
        trigger=Trigger.BACKGROUND,
        state=AttemptState.REFUSED,
        chain=1,
        base_version=19,
        version=None,
        fault=None,
        preflight_fault=None,
        verify_fault=None,
        http_status=None,
        error="",
        error_message="",
        external_login_host="",
        lockout_until=None,
        claimed_at=at - timedelta(seconds=1),
        sent_at=at,
        closed_at=at,
        lost_at=None,
    )
    return replace(fact, **changes)


SETTLED = attempt(
    30,
    state=AttemptState.SETTLED,
    base_version=18,
    version=19,
    http_status=200,
    claimed_at=ISSUED,
    sent_at=ISSUED,
    closed_at=ISSUED,
)
V18 = VersionFact(
    number=18,
    chain=1,
    origin=Origin.PASSWORD,
    state=VersionState.SUPERSEDED,
    issued_at=ISSUED - timedelta(hours=1),
    access_expires_at=ISSUED,
    refresh_expires_at=ISSUED + 14 * DAY,
    access_dead_at=None,
    verified_at=ISSUED - timedelta(hours=1),
)
V19 = replace(
    V18,
    number=19,
    origin=Origin.REFRESH,
    state=VersionState.LIVE,
    issued_at=ISSUED,
    access_expires_at=EXPIRES,
    verified_at=ISSUED,
)
HEALTHY = Facts(
    now=NOW,
    instance_host="acme.example",
    platform="intg",
    username="svc",
    client_id="sugar",
    generation=Generation.CACHED,
    sugar_version="12.0.0",
    has_password=True,
    is_password_refused=False,
    is_password_expired=False,
    has_refresh_token=True,
    is_client_changed=False,
    is_new_chain_wanted=False,
    can_sign_in_now=True,
    sign_in_allowed_at=None,
    chain_ends_at=None,
    access_expires_at=EXPIRES,
    is_access_dead=False,
    is_session_bound=False,
    is_database_restored=False,
    is_key_missing=False,
    trouble_since=None,
    supersessions=(),
    attempts=(SETTLED,),
    versions=(V18, V19),
)


def story(*then: AttemptFact, **changes: Any) -> Facts:
    """The healthy connection, what then happened, and what else is different."""
    return replace(HEALTHY, **({"attempts": (SETTLED, *then)} | changes))


def dead(*then: AttemptFact, **changes: Any) -> Facts:
    """The same, its refresh token definitely refused, and no password stored."""
    return story(*then, **({"has_refresh_token": False, "has_password": False, "can_sign_in_now": False} | changes))


def dead_with_password(*then: AttemptFact, **changes: Any) -> Facts:
    return dead(*then, **({"has_password": True, "can_sign_in_now": True} | changes))


NEVER_SIGNED_IN = {"versions": (), "access_expires_at": None, "is_signed_in_by_people": True}


def draft(*then: AttemptFact, **changes: Any) -> Facts:
    return dead(*then, **(NEVER_SIGNED_IN | {"attempts": then, "has_password": True} | changes))


def refused_refresh(number: int = 31, **changes: Any) -> AttemptFact:
    answer = {"http_status": 400, "error": "invalid_grant", "error_message": "Invalid refresh token"}
    return attempt(number, **({"fault": Fault.REFRESH_TOKEN_INVALID} | answer | changes))


def sign_in(number: int = 32, fault: Fault | None = Fault.CREDENTIALS_REFUSED, **changes: Any) -> AttemptFact:
    answer = {"http_status": 401, "error": "need_login", "error_message": "You must specify a valid username…"}
    return attempt(number, AttemptKind.PASSWORD, **({"fault": fault, "base_version": None} | answer | changes))


def lost(number: int = 31, **changes: Any) -> AttemptFact:
    """Sent; the answer never came; its drain is over."""
    return attempt(number, **({"fault": Fault.TIMEOUT, "state": AttemptState.IN_DOUBT} | changes))


def not_sent(number: int = 31, **changes: Any) -> AttemptFact:
    return attempt(number, **({"state": AttemptState.ABANDONED, "sent_at": None} | changes))


def look(number: int = 31, fault: Fault | None = None, **changes: Any) -> AttemptFact:
    """A test or probe with the present access token."""
    state = AttemptState.SETTLED if fault is None else AttemptState.REFUSED
    return attempt(number, AttemptKind.TEST, **({"fault": fault, "state": state} | changes))


def report(**changes: Any) -> ReportFact:
    words = {"status": 401, "error": "invalid_grant", "error_message": SESSION_TEXT} | changes
    fault = fault_told(words["status"], words["error"], words["error_message"])
    return ReportFact(**({"at": REFUSED, "version": 19, "fault": fault} | words))


def found(facts: Facts) -> Diagnosis:
    diagnosis = diagnose(facts)
    assert diagnosis is not None
    assert diagnosis.evidence, "a diagnosis without proof"
    assert diagnosis.fix
    assert diagnosis.cause
    return diagnosis
