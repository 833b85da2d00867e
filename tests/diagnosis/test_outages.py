"""The instance, the way to it, doubt, and what tests, pings and workers say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connections.choices import AttemptKind, AttemptState, Confidence, DiagnosisCode, Fault, FixBy, Generation, Trouble
from connections.diagnosis import CATALOGUE, code_of, diagnose, trouble_of
from tests.diagnosis.journal import (
    DAY,
    EXPIRES,
    HEALTHY,
    NOW,
    REFUSED,
    SETTLED,
    V18,
    V19,
    attempt,
    dead,
    dead_with_password,
    found,
    look,
    lost,
    not_sent,
    refused_refresh,
    report,
    sign_in,
    story,
)

AMBIGUOUS = [Fault.TIMEOUT, Fault.CONNECTION_LOST, Fault.SERVER_ERROR, Fault.BAD_RESPONSE, Fault.RATE_LIMITED]
ABOUT_TOKENS_AND_PASSWORDS = {
    Fault.ACCESS_TOKEN_EXPIRED,
    Fault.ACCESS_TOKEN_INVALID,
    Fault.SESSION_REJECTED,
    Fault.REFRESH_TOKEN_INVALID,
    Fault.REFRESH_TOKEN_EXPIRED,
    Fault.CREDENTIALS_REFUSED,
    Fault.LOCKED_OUT,
    Fault.SSO_REQUIRED,
    Fault.USER_UNSUITABLE,
    Fault.PASSWORD_EXPIRED,
}
OF_THE_WAY = sorted(set(Fault) - ABOUT_TOKENS_AND_PASSWORDS)


@pytest.mark.parametrize("fault", OF_THE_WAY)
def test_what_stops_a_grant_before_it_is_sent_is_the_code_with_its_designed_trouble(fault: Fault) -> None:
    for stopped in (not_sent(fault=fault), not_sent(preflight_fault=fault, preflight_status=503)):
        diagnosis = found(story(stopped))
        assert (diagnosis.code, diagnosis.trouble) == (code_of(fault), CATALOGUE[code_of(fault)].trouble)
        assert diagnosis.evidence[0].attempt == 31


@pytest.mark.parametrize("fault", sorted(set(Fault)))
def test_every_fault_of_a_refresh_leads_to_a_diagnosis(fault: Fault) -> None:
    diagnosis = found(story(attempt(31, fault=fault, http_status=400)))
    assert diagnosis.code in DiagnosisCode
    assert diagnosis.trouble != Trouble.NONE or fault in {Fault.ACCESS_DENIED, Fault.PASSWORD_EXPIRED}


@pytest.mark.parametrize("fault", sorted(set(Fault)))
def test_every_fault_of_a_sign_in_without_a_living_chain_leads_to_a_diagnosis(fault: Fault) -> None:
    assert found(dead_with_password(refused_refresh(31), sign_in(32, fault))).trouble != Trouble.NONE or fault in {
        Fault.ACCESS_DENIED,
        Fault.PASSWORD_EXPIRED,
    }


@pytest.mark.parametrize("fault", OF_THE_WAY)
def test_what_stops_a_test_is_the_code_too(fault: Fault) -> None:
    """A GET spends nothing, so no answer to it leaves a doubt."""
    diagnosis = found(story(look(31, fault)))
    assert (diagnosis.code, diagnosis.trouble) == (code_of(fault), CATALOGUE[code_of(fault)].trouble)


def test_a_test_that_works_takes_back_what_an_earlier_one_said() -> None:
    assert diagnose(story(look(31, Fault.HEADER_STRIPPED), look(32))) is None
    assert diagnose(story(look(31), look(32, Fault.HEADER_STRIPPED))) is not None


def test_the_newer_word_on_one_outage_counts() -> None:
    facts = story(not_sent(31, fault=Fault.DNS_FAILURE), look(32, Fault.MAINTENANCE))
    assert found(facts).code == DiagnosisCode.MAINTENANCE


@pytest.mark.parametrize("fault", AMBIGUOUS)
def test_after_sending_the_outcome_is_in_doubt(fault: Fault) -> None:
    facts = story(lost(fault=fault))
    diagnosis = found(facts)
    assert (diagnosis.code, diagnosis.trouble) == (fault.value, Trouble.IN_DOUBT)
    assert diagnosis.fix_by == FixBy.NOBODY
    assert trouble_of(diagnosis.code, facts) == Trouble.IN_DOUBT
    assert trouble_of(diagnosis.code, story(not_sent(fault=fault))) == Trouble.UNREACHABLE


def test_a_grant_without_any_word_is_an_unknown_outcome() -> None:
    draining = attempt(31, state=AttemptState.SENT, closed_at=None, lost_at=REFUSED)
    for unresolved in (draining, attempt(31, state=AttemptState.IN_DOUBT), attempt(31, state=AttemptState.ANSWERED)):
        diagnosis = found(story(unresolved))
        assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.OUTCOME_UNKNOWN, Trouble.IN_DOUBT)


def test_a_grant_under_way_is_no_trouble() -> None:
    assert diagnose(story(attempt(31, state=AttemptState.SENT, closed_at=None))) is None
    assert diagnose(story(not_sent(31))) is None


def test_a_doubt_outlasts_an_outage_that_keeps_us_from_resolving_it() -> None:
    diagnosis = found(story(lost(31), not_sent(32, fault=Fault.DNS_FAILURE)))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.TIMEOUT, Trouble.IN_DOUBT)
    assert [item.attempt for item in diagnosis.evidence] == [31, 32]


def test_a_doubt_that_only_custody_knows_of_is_a_doubt() -> None:
    diagnosis = found(story(is_in_doubt=True))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.OUTCOME_UNKNOWN, Trouble.IN_DOUBT)


def test_a_kept_answer_keeps_the_doubt_open_even_when_the_old_token_is_refused() -> None:
    facts = dead_with_password(refused_refresh(31), attempt(32, state=AttemptState.ANSWERED), has_password=False)
    assert found(facts).trouble == Trouble.IN_DOUBT


def test_a_lost_sign_in_is_in_doubt_while_a_password_is_stored() -> None:
    gone = sign_in(32, Fault.CONNECTION_LOST, state=AttemptState.IN_DOUBT, http_status=None)
    assert found(dead_with_password(refused_refresh(), gone)).trouble == Trouble.IN_DOUBT


def test_the_daily_try_of_a_dead_token_does_not_turn_down_into_doubt() -> None:
    draining = lost(32, state=AttemptState.SENT, closed_at=None, lost_at=REFUSED)
    for daily in (draining, lost(32)):
        assert found(dead(refused_refresh(31), daily)).trouble == Trouble.PERSON


def test_a_definite_answer_about_the_set_up_outranks_a_doubt() -> None:
    facts = story(lost(31), attempt(32, fault=Fault.CLIENT_INVALID, http_status=400, error="invalid_client"))
    assert (found(facts).code, found(facts).trouble) == (DiagnosisCode.CLIENT_INVALID, Trouble.PERSON)


def test_a_slow_test_leaves_no_doubt_even_after_a_sent_sign_in() -> None:
    facts = story(sign_in(31), look(32, Fault.TIMEOUT))
    assert (found(facts).code, found(facts).trouble) == (DiagnosisCode.TIMEOUT, Trouble.UNREACHABLE)


@pytest.mark.parametrize(
    ("fault", "at_first", "later"),
    [
        (Fault.DNS_FAILURE, FixBy.NOBODY, FixBy.CUSTOMER_ADMIN),
        (Fault.MAINTENANCE, FixBy.NOBODY, FixBy.CUSTOMER_ADMIN),
        (Fault.LICENSE, FixBy.CUSTOMER_ADMIN, FixBy.CUSTOMER_ADMIN),
        (Fault.ADDRESS_BLOCKED, FixBy.OPERATOR, FixBy.OPERATOR),
    ],
)
def test_an_outage_of_a_day_becomes_the_customers_and_never_down(fault: Fault, at_first: str, later: str) -> None:
    fresh = found(story(not_sent(fault=fault), trouble_since=NOW - DAY + timedelta(seconds=1)))
    old = found(story(not_sent(fault=fault), trouble_since=NOW - DAY))
    assert (fresh.fix_by, old.fix_by) == (at_first, later)
    assert fresh.trouble == old.trouble == Trouble.UNREACHABLE
    assert (fresh.fix == old.fix) == (at_first == later)


def test_a_dead_chain_with_a_password_waits_for_the_way() -> None:
    facts = dead_with_password(refused_refresh(31), not_sent(32, kind=AttemptKind.PASSWORD, fault=Fault.TLS_INVALID))
    assert (found(facts).code, found(facts).trouble) == (DiagnosisCode.TLS_INVALID, Trouble.UNREACHABLE)


def test_our_own_faults_come_first() -> None:
    assert found(story(lost(), is_key_missing=True)).code == DiagnosisCode.ENCRYPTION_KEY_MISSING
    restored = found(story(lost(), is_database_restored=True))
    assert (restored.code, restored.trouble, restored.fix_by) == (
        DiagnosisCode.DATABASE_RESTORED,
        Trouble.PERSON,
        FixBy.OPERATOR,
    )


DEAD_V19 = replace(V19, access_dead_at=REFUSED)


@pytest.mark.parametrize(
    "facts",
    [
        story(is_access_dead=True, versions=(V18, DEAD_V19)),
        story(is_access_dead=True),
        story(look(31, Fault.ACCESS_TOKEN_INVALID)),
        story(attempts=(replace(SETTLED, verify_fault=Fault.ACCESS_TOKEN_INVALID, verify_status=401),)),
        story(is_session_bound=True, reports=(report(error_message="The access token provided is invalid."),)),
    ],
)
def test_an_early_death_of_the_access_token_is_retried(facts: object) -> None:
    diagnosis = found(facts)
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.ACCESS_TOKEN_REJECTED, Trouble.RETRYING)


@pytest.mark.parametrize(
    "facts",
    [
        story(look(31, Fault.SESSION_REJECTED)),
        story(look(31, Fault.ACCESS_TOKEN_INVALID), reports=(report(),)),  # Sugar says it only once
        story(attempts=(replace(SETTLED, verify_fault=Fault.SESSION_REJECTED, verify_status=401),)),
        story(is_session_bound=True, reports=(report(),)),
    ],
)
def test_a_rejected_session_while_refreshes_work_points_at_the_ip_check(facts: object) -> None:
    diagnosis = found(facts)
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.SESSION_REJECTED, Trouble.RETRYING)
    assert diagnosis.fix_by == FixBy.CUSTOMER_ADMIN
    assert any("Validate user IP address" in step for step in diagnosis.fix)


@pytest.mark.parametrize(
    "facts",
    [
        story(reports=(report(),)),  # not confirmed: our ping found the token alive
        story(is_session_bound=True, reports=(report(version=18),)),
        story(look(31, Fault.ACCESS_TOKEN_INVALID, base_version=18)),
        story(is_access_dead=True, access_expires_at=NOW),  # its time had come
        story(look(31, Fault.ACCESS_TOKEN_INVALID), look(32)),
        story(look(31, Fault.ACCESS_TOKEN_EXPIRED), access_expires_at=NOW),
    ],
)
def test_what_is_no_early_death_is_no_trouble(facts: object) -> None:
    assert diagnose(facts) is None


def test_expired_too_early_on_sugaridentity_is_its_own_trouble() -> None:
    diagnosis = found(story(look(31, Fault.ACCESS_TOKEN_EXPIRED), generation=Generation.IDM))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.IDENTITY_UNAVAILABLE, Trouble.UNREACHABLE)
    elsewhere = found(story(look(31, Fault.ACCESS_TOKEN_EXPIRED)))
    assert elsewhere.code == DiagnosisCode.ACCESS_TOKEN_REJECTED


def test_a_fight_is_a_warning_until_a_day_has_passed_without_one() -> None:
    latest = NOW - DAY + timedelta(minutes=1)
    facts = story(supersessions=(latest, latest - timedelta(hours=3)))
    diagnosis = found(facts)
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.PLATFORM_SHARED, Trouble.NONE)
    assert len(diagnosis.evidence) == 2
    assert diagnose(replace(facts, now=NOW + timedelta(minutes=1), access_expires_at=NOW)) is None


def test_one_supersession_is_a_warning_only_on_a_built_in_platform() -> None:
    assert diagnose(story(supersessions=(REFUSED,))) is None
    assert diagnose(story(supersessions=(REFUSED, REFUSED - DAY))) is None
    assert found(story(supersessions=(REFUSED,), platform="mobile")).code == DiagnosisCode.PLATFORM_SHARED
    assert diagnose(story(platform="mobile")) is None


def test_a_session_cap_is_forecast_two_days_ahead_where_no_password_can_help() -> None:
    soon, far = NOW + 2 * DAY - timedelta(seconds=1), NOW + 2 * DAY
    diagnosis = found(story(has_password=False, chain_ends_at=soon))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.SESSION_CAP_REACHED, Trouble.NONE)
    assert diagnose(story(has_password=False, chain_ends_at=far)) is None
    assert diagnose(story(chain_ends_at=soon)) is None
    assert found(story(chain_ends_at=soon, is_password_refused=True)).code == DiagnosisCode.SESSION_CAP_REACHED


def test_an_expired_password_is_a_warning() -> None:
    diagnosis = found(story(is_password_expired=True))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.PASSWORD_EXPIRED, Trouble.NONE)


def test_the_healthy_have_no_diagnosis() -> None:
    assert diagnose(HEALTHY) is None
    assert diagnose(replace(HEALTHY, now=EXPIRES + timedelta(minutes=5))) is None


def test_an_unknown_answer_is_retried_and_said_to_be_unknown() -> None:
    diagnosis = found(story(attempt(31, fault=Fault.UNKNOWN, http_status=418)))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.UNKNOWN, Trouble.RETRYING)
    assert diagnosis.confidence == Confidence.POSSIBLE


@pytest.mark.parametrize(
    ("has_password", "trouble"), [(True, Trouble.UNREACHABLE), (False, Trouble.IN_DOUBT)], ids=["stored", "not stored"]
)
def test_a_sign_in_that_the_token_service_left_open_is_in_doubt_where_nothing_can_follow_it(
    has_password: bool, trouble: Trouble
) -> None:
    draining = attempt(
        31,
        AttemptKind.PASSWORD,
        state=AttemptState.SENT,
        fault=Fault.IDENTITY_UNAVAILABLE,
        lost_at=REFUSED,
        closed_at=None,
    )
    told = found(story(draining, has_password=has_password, has_refresh_token=False))
    assert (told.code, told.trouble) == (DiagnosisCode.IDENTITY_UNAVAILABLE, trouble)


def test_a_token_service_that_is_away_does_not_end_an_earlier_doubt() -> None:
    away = attempt(32, state=AttemptState.SENT, fault=Fault.IDENTITY_UNAVAILABLE, lost_at=REFUSED, closed_at=None)
    told = found(story(lost(31), away, is_in_doubt=True))
    assert (told.code, told.trouble) == (DiagnosisCode.IDENTITY_UNAVAILABLE, Trouble.IN_DOUBT)
    assert found(story(away)).trouble == Trouble.UNREACHABLE
