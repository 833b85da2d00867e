"""Why a chain is dead, and whose matter that is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connections.choices import (
    AttemptState,
    Confidence,
    DiagnosisCode,
    Fault,
    FixBy,
    Generation,
    Rung,
    Trouble,
    VersionState,
)
from connections.diagnosis import Facts, is_chain_dead, trouble_of
from tests.diagnosis.journal import (
    DAY,
    HEALTHY,
    ISSUED,
    NOW,
    REFUSED,
    V18,
    V19,
    attempt,
    dead,
    dead_with_password,
    found,
    look,
    lost,
    refused_refresh,
    sign_in,
    story,
)

CHAIN_CAUSES = [
    (dead(refused_refresh()), DiagnosisCode.REFRESH_TOKEN_SUPERSEDED),
    (dead(lost(31), refused_refresh(32)), DiagnosisCode.REFRESH_TOKEN_LOST),
    (dead(refused_refresh(fault=Fault.REFRESH_TOKEN_EXPIRED)), DiagnosisCode.REFRESH_TOKEN_EXPIRED),
    (
        dead(refused_refresh(), versions=(V18, replace(V19, refresh_expires_at=REFUSED))),
        DiagnosisCode.REFRESH_TOKEN_EXPIRED,
    ),
    (dead(refused_refresh(), chain_ends_at=REFUSED), DiagnosisCode.SESSION_CAP_REACHED),
    (
        dead(refused_refresh(fault=Fault.REFRESH_TOKEN_EXPIRED), chain_ends_at=REFUSED),
        DiagnosisCode.SESSION_CAP_REACHED,
    ),
    (dead(refused_refresh(), is_client_changed=True), DiagnosisCode.CLIENT_MISMATCH),
    (dead(is_client_changed=True, is_new_chain_wanted=True), DiagnosisCode.CLIENT_MISMATCH),
    (dead(refused_refresh(), supersessions=(REFUSED - timedelta(hours=5),)), DiagnosisCode.PLATFORM_SHARED),
]
EACH_CAUSE = pytest.mark.parametrize(("facts", "code"), CHAIN_CAUSES)


@EACH_CAUSE
def test_a_dead_chain_without_a_password_asks_for_a_person_and_names_the_cause(facts: Facts, code: str) -> None:
    diagnosis = found(facts)
    assert (diagnosis.code, diagnosis.trouble) == (code, Trouble.PERSON)
    assert diagnosis.fix_by == FixBy.STAFF
    assert trouble_of(diagnosis.code, facts) == Trouble.PERSON


@EACH_CAUSE
def test_the_same_with_a_password_is_retried_and_nobody_is_asked(facts: Facts, code: str) -> None:
    facts = replace(facts, has_password=True, can_sign_in_now=True)
    diagnosis = found(facts)
    assert (diagnosis.code, diagnosis.trouble) == (code, Trouble.RETRYING)
    assert diagnosis.fix_by == (FixBy.STAFF if code == DiagnosisCode.PLATFORM_SHARED else FixBy.NOBODY)
    assert trouble_of(diagnosis.code, facts) == Trouble.RETRYING


def test_evidence_quotes_sugar_and_points_at_the_attempt() -> None:
    evidence = found(dead(refused_refresh(31))).evidence
    assert evidence[0].attempt == 31
    assert evidence[0].text == (
        "13:16:04 UTC: the refresh with the token of version 19 was answered with "
        "400 invalid_grant “Invalid refresh token”."
    )
    assert evidence[1].version == 19
    assert "12:21:40 UTC" in evidence[1].text


def test_evidence_of_another_day_carries_its_date() -> None:
    assert found(dead(refused_refresh(), now=NOW + DAY)).evidence[0].text.startswith("2026-11-23 13:16:04 UTC: ")


def test_elimination_alone_is_likely() -> None:
    assert found(dead(refused_refresh())).confidence == Confidence.LIKELY


@pytest.mark.parametrize(
    "witness",
    [
        {"generation": Generation.ALWAYS, "versions": (V18, replace(V19, access_dead_at=REFUSED))},
        {"supersessions": (REFUSED - timedelta(hours=30),)},
    ],
)
def test_a_second_witness_makes_it_certain(witness: dict[str, object]) -> None:
    diagnosis = found(dead(refused_refresh(), **witness))
    assert (diagnosis.code, diagnosis.confidence) == (DiagnosisCode.REFRESH_TOKEN_SUPERSEDED, Confidence.CERTAIN)
    assert len(diagnosis.evidence) == 3


@pytest.mark.parametrize(
    "no_witness",
    [
        {"generation": Generation.CACHED, "versions": (V18, replace(V19, access_dead_at=REFUSED))},
        {"generation": Generation.ALWAYS, "versions": (V18, replace(V19, access_dead_at=V19.access_expires_at))},
        {"supersessions": (REFUSED,)},  # the present one is no second one
    ],
)
def test_what_proves_nothing_leaves_it_likely(no_witness: dict[str, object]) -> None:
    diagnosis = found(dead(refused_refresh(), **no_witness))
    assert (diagnosis.code, diagnosis.confidence) == (DiagnosisCode.REFRESH_TOKEN_SUPERSEDED, Confidence.LIKELY)


@pytest.mark.parametrize("generation", [Generation.IDM, Generation.NEVER])
def test_where_nobody_is_evicted_it_is_only_possible(generation: Generation) -> None:
    assert found(dead(refused_refresh(), generation=generation)).confidence == Confidence.POSSIBLE


def test_a_fight_is_two_within_a_day() -> None:
    inside, outside = REFUSED - DAY + timedelta(seconds=1), REFUSED - DAY
    assert found(dead(refused_refresh(), supersessions=(inside,))).code == DiagnosisCode.PLATFORM_SHARED
    assert found(dead(refused_refresh(), supersessions=(outside,))).code == DiagnosisCode.REFRESH_TOKEN_SUPERSEDED


def test_a_built_in_platform_is_named_as_evidence() -> None:
    diagnosis = found(dead(refused_refresh(), platform="Base"))
    assert diagnosis.code == DiagnosisCode.REFRESH_TOKEN_SUPERSEDED
    assert "“Base” is built in" in diagnosis.evidence[-1].text


def test_sugars_word_expired_beats_a_lost_answer() -> None:
    """The row was still there, so our lost grant had not rotated it."""
    facts = dead(lost(31), refused_refresh(32, fault=Fault.REFRESH_TOKEN_EXPIRED))
    assert found(facts).code == DiagnosisCode.REFRESH_TOKEN_EXPIRED


def test_a_loss_after_the_first_refusal_is_not_its_cause() -> None:
    facts = dead(refused_refresh(31), lost(32), refused_refresh(33))
    assert found(facts).code == DiagnosisCode.REFRESH_TOKEN_SUPERSEDED


def test_a_loss_before_the_last_success_is_forgotten() -> None:
    facts = dead(attempts=(lost(29), HEALTHY.attempts[0], refused_refresh()))
    assert found(facts).code == DiagnosisCode.REFRESH_TOKEN_SUPERSEDED


def test_a_refused_candidate_is_no_refusal_of_the_old_token() -> None:
    """Refused were the kept answer at 32 and the old token at 33; the evidence is about the latter."""
    kept = attempt(31, state=AttemptState.ANSWERED)
    facts = dead(kept, refused_refresh(32, rung=Rung.CANDIDATE), refused_refresh(33, rung=Rung.OLD_REFRESH))
    diagnosis = found(facts)
    assert diagnosis.code == DiagnosisCode.REFRESH_TOKEN_LOST
    assert [item.attempt for item in diagnosis.evidence] == [31, 33]


def test_a_token_that_ran_out_unnoticed_is_expired_by_the_clock() -> None:
    facts = story(has_password=False, versions=(V18, replace(V19, refresh_expires_at=NOW)))
    assert is_chain_dead(facts)
    diagnosis = found(facts)
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.REFRESH_TOKEN_EXPIRED, Trouble.PERSON)


def test_a_living_chain_is_not_dead() -> None:
    assert not is_chain_dead(HEALTHY)
    ended = replace(V19, state=VersionState.ENDED, refresh_expires_at=NOW)
    assert not is_chain_dead(story(versions=(ended,)))


@pytest.mark.parametrize("fault", [Fault.MAINTENANCE, Fault.LICENSE])
def test_a_grant_answered_with_maintenance_has_burnt_the_token(fault: Fault) -> None:
    burnt = attempt(31, fault=fault, http_status=401, error="need_login")
    assert is_chain_dead(story(burnt))
    while_it_lasts = found(story(burnt, has_password=False))
    assert (while_it_lasts.code, while_it_lasts.trouble) == (DiagnosisCode.REFRESH_TOKEN_LOST, Trouble.PERSON)
    assert while_it_lasts.fix_by == FixBy.STAFF
    still = found(story(burnt, attempt(32, preflight_fault=fault, sent_at=None), has_password=False))
    assert (still.code, still.trouble) == (DiagnosisCode.REFRESH_TOKEN_LOST, Trouble.PERSON)
    afterwards = found(dead(burnt, refused_refresh(32)))
    assert (afterwards.code, afterwards.confidence) == (DiagnosisCode.REFRESH_TOKEN_LOST, Confidence.CERTAIN)
    assert [item.attempt for item in afterwards.evidence] == [31, 32]


@pytest.mark.parametrize("fault", [Fault.MAINTENANCE, Fault.LICENSE])
def test_a_burnt_token_with_a_password_is_waited_for(fault: Fault) -> None:
    burnt = attempt(31, fault=fault, http_status=401, error="need_login")
    diagnosis = found(story(burnt))
    assert (diagnosis.code, diagnosis.trouble) == (fault.value, Trouble.UNREACHABLE)


def test_an_outage_does_not_hide_that_a_person_is_needed() -> None:
    facts = dead(refused_refresh(31), attempt(32, fault=Fault.DNS_FAILURE, sent_at=None))
    assert found(facts).trouble == Trouble.PERSON
    assert found(facts).code == DiagnosisCode.REFRESH_TOKEN_SUPERSEDED


def test_a_platform_that_is_gone_too_does_not_hide_why_the_chain_died() -> None:
    gone = attempt(32, preflight_fault=Fault.PLATFORM_NOT_REGISTERED, sent_at=None)
    assert found(dead(refused_refresh(31), gone)).code == DiagnosisCode.REFRESH_TOKEN_SUPERSEDED


def test_a_burnt_token_is_lost_once_maintenance_is_no_longer_the_word() -> None:
    burnt = attempt(31, fault=Fault.MAINTENANCE, http_status=401, error="need_login")
    diagnosis = found(story(burnt, attempt(32, fault=Fault.DNS_FAILURE, sent_at=None), has_password=False))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.REFRESH_TOKEN_LOST, Trouble.PERSON)


def test_an_edit_of_the_address_asks_for_the_password() -> None:
    diagnosis = found(dead(is_new_chain_wanted=True))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.CREDENTIALS_MISSING, Trouble.PERSON)


def test_an_edit_that_came_with_the_password_is_on_its_way() -> None:
    diagnosis = found(dead_with_password(is_new_chain_wanted=True))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.CLIENT_MISMATCH, Trouble.RETRYING)
    assert "edited" in diagnosis.cause


def test_no_refresh_token_and_no_known_cause_means_that_a_password_is_missing() -> None:
    diagnosis = found(dead())
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.CREDENTIALS_MISSING, Trouble.PERSON)


def test_used_up_sign_ins_are_retried_when_the_window_frees() -> None:
    frees = NOW + timedelta(hours=3)
    diagnosis = found(dead_with_password(refused_refresh(), can_sign_in_now=False, sign_in_allowed_at=frees))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.REFRESH_TOKEN_SUPERSEDED, Trouble.RETRYING)
    assert "16:20:00 UTC" in diagnosis.evidence[-1].text


def test_a_window_that_never_frees_asks_for_a_person() -> None:
    diagnosis = found(dead_with_password(refused_refresh(), can_sign_in_now=False))
    assert diagnosis.trouble == Trouble.PERSON


def test_a_refusal_that_custody_does_not_believe_is_retried() -> None:
    assert found(story(refused_refresh())).trouble == Trouble.RETRYING
    on_idm = found(story(refused_refresh(error="invalid_request"), generation=Generation.IDM))
    assert (on_idm.code, on_idm.trouble) == (DiagnosisCode.IDENTITY_UNAVAILABLE, Trouble.UNREACHABLE)


def test_an_inactive_user_without_a_password_is_recognised_by_the_rejected_session() -> None:
    diagnosis = found(dead(look(31, Fault.SESSION_REJECTED), refused_refresh(32)))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.USER_INACTIVE, Trouble.PERSON)


def test_a_word_on_another_version_is_no_witness_of_this_one() -> None:
    of_18 = look(29, Fault.SESSION_REJECTED, base_version=18, claimed_at=ISSUED - timedelta(minutes=1))
    facts = dead(attempts=(of_18, HEALTHY.attempts[0], refused_refresh()))
    assert found(facts).code == DiagnosisCode.REFRESH_TOKEN_SUPERSEDED


def test_a_persons_lost_sign_in_is_waited_for_until_its_drain_is_over() -> None:
    draining = sign_in(32, Fault.TIMEOUT, state=AttemptState.SENT, lost_at=REFUSED, closed_at=None, http_status=None)
    assert found(dead(refused_refresh(), draining)).trouble == Trouble.IN_DOUBT
    drained = replace(draining, state=AttemptState.IN_DOUBT, closed_at=REFUSED)
    assert found(dead(refused_refresh(), drained)).trouble == Trouble.PERSON
