"""A connection that has never signed in is signed in by people alone: no word about it may promise anything else."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from connections.choices import AttemptKind, AttemptState, DiagnosisCode, Fault, FixBy
from connections.diagnosis import AttemptFact, Diagnosis
from tests.diagnosis.journal import NOW, attempt, draft, found, lost, not_sent, sign_in

PROMISES = re.compile(
    r"nothing to (?:do|click)|(?:goes on|looks again|resolved|recover) by (?:itself|themselves)|tried again"
    r"|Sugaradmin (?:signs in|waits|looks|tries)",
    re.IGNORECASE,
)
SIGN_IN = re.compile(r"“Sign in again”|\bsign(?:s|ed)? in\b")
IS_NO_STEP_TOWARDS_IT = {DiagnosisCode.ENCRYPTION_KEY_MISSING, DiagnosisCode.USER_INACTIVE}
HAS_PASSWORD = pytest.mark.parametrize("has_password", [True, False], ids=["stored", "not stored"])
# What a first sign-in may run into: before it, instead of an answer, and as one.
OF_A_SIGN_IN = sorted(
    set(Fault)
    - {Fault.ACCESS_TOKEN_EXPIRED, Fault.ACCESS_TOKEN_INVALID, Fault.SESSION_REJECTED, Fault.PASSWORD_EXPIRED}
    - {Fault.ACCESS_DENIED, Fault.REFRESH_TOKEN_INVALID, Fault.REFRESH_TOKEN_EXPIRED}
)


def assert_asks_somebody_to_sign_in(diagnosis: Diagnosis) -> None:
    steps = " ".join(diagnosis.fix)
    assert diagnosis.fix_by != FixBy.NOBODY, diagnosis.code
    assert not PROMISES.search(steps), steps
    if diagnosis.code not in IS_NO_STEP_TOWARDS_IT:
        assert SIGN_IN.search(steps), f"{diagnosis.code}: {steps}"


@HAS_PASSWORD
@pytest.mark.parametrize("fault", OF_A_SIGN_IN)
def test_whatever_stops_a_first_sign_in_somebody_must_sign_in_again(fault: Fault, has_password: bool) -> None:
    before = not_sent(31, kind=AttemptKind.PASSWORD, preflight_fault=fault)
    for stopped in (sign_in(31, fault), before):
        assert_asks_somebody_to_sign_in(found(draft(stopped, has_password=has_password)))


@HAS_PASSWORD
@pytest.mark.parametrize("state", [AttemptState.SENT, AttemptState.IN_DOUBT])
def test_a_lost_sign_in_is_for_staff_to_do_again(state: AttemptState, has_password: bool) -> None:
    unknown = attempt(31, AttemptKind.PASSWORD, base_version=None, state=state, lost_at=NOW)
    for gone in (lost(kind=AttemptKind.PASSWORD, base_version=None, state=state, lost_at=NOW), unknown):
        diagnosis = found(draft(gone, has_password=has_password))
        assert diagnosis.fix_by == FixBy.STAFF
        assert_asks_somebody_to_sign_in(diagnosis)


@HAS_PASSWORD
def test_a_lock_out_with_a_time_is_waited_for_by_staff(has_password: bool) -> None:
    locked = sign_in(31, Fault.LOCKED_OUT, lockout_until=NOW + timedelta(minutes=10))
    diagnosis = found(draft(locked, has_password=has_password))
    assert (diagnosis.code, diagnosis.fix_by) == (DiagnosisCode.LOCKED_OUT, FixBy.STAFF)
    assert diagnosis.fix[0].startswith("Wait until the lock-out ends")
    assert_asks_somebody_to_sign_in(diagnosis)


def test_who_must_change_something_in_sugar_is_still_named() -> None:
    for fault in (Fault.PLATFORM_NOT_REGISTERED, Fault.USER_AGENT_BLOCKED, Fault.LICENSE):
        assert found(draft(sign_in(31, fault))).fix_by == FixBy.CUSTOMER_ADMIN


@pytest.mark.parametrize(
    "waited_for",
    [
        {"is_signed_in_by_people": False},  # a chain that was given to us: its refresh goes on by itself
        {"attempts": (attempt(31, AttemptKind.PASSWORD, state=AttemptState.ANSWERED, fault=Fault.TIMEOUT),)},
    ],
    ids=["adopted", "kept answer"],
)
def test_what_goes_on_by_itself_still_says_so(waited_for: dict[str, tuple[AttemptFact, ...]]) -> None:
    away = not_sent(31, preflight_fault=Fault.MAINTENANCE)
    assert found(draft(**({"attempts": (away,)} | waited_for))).fix_by == FixBy.NOBODY
