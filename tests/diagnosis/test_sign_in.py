"""What refused sign-ins mean, beside a dead chain and beside a living one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connections.choices import AttemptKind, AttemptState, Confidence, DiagnosisCode, Fault, FixBy, Trouble
from connections.diagnosis import diagnose, trouble_of
from tests.diagnosis.journal import (
    HEALTHY,
    NOW,
    SESSION_TEXT,
    SETTLED,
    V18,
    attempt,
    dead,
    dead_with_password,
    draft,
    found,
    look,
    not_sent,
    refused_refresh,
    report,
    sign_in,
    story,
)

REFUSED_ONCE = (refused_refresh(31), sign_in(32))
REFUSED_TWICE = (*REFUSED_ONCE, sign_in(33))


def test_one_refused_sign_in_is_tried_again() -> None:
    diagnosis = found(dead_with_password(*REFUSED_ONCE))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.BAD_CREDENTIALS, Trouble.RETRYING)
    assert (diagnosis.confidence, diagnosis.fix_by) == (Confidence.POSSIBLE, FixBy.NOBODY)


def test_two_refused_sign_ins_ask_for_a_person() -> None:
    diagnosis = found(dead_with_password(*REFUSED_TWICE))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.BAD_CREDENTIALS, Trouble.PERSON)
    assert diagnosis.fix_by == FixBy.CUSTOMER_ADMIN
    assert {item.attempt for item in diagnosis.evidence} == {31, 32, 33, None}


def test_of_a_password_that_is_not_stored_no_saving_is_told() -> None:
    told = [str(item.text) for item in found(dead(*REFUSED_TWICE)).evidence]
    assert "The password was refused 2 times." in told
    told = [str(item.text) for item in found(dead_with_password(*REFUSED_TWICE)).evidence]
    assert "The password was refused 2 times since it was last accepted or saved." in told


def test_an_outage_after_two_refusals_does_not_take_them_back() -> None:
    facts = dead_with_password(*REFUSED_TWICE, not_sent(34, kind=AttemptKind.PASSWORD, fault=Fault.DNS_FAILURE))
    assert found(facts).trouble == Trouble.PERSON


def test_a_refusal_of_the_same_user_elsewhere_counts() -> None:
    diagnosis = found(dead_with_password(refused_refresh(), is_password_refused=True, can_sign_in_now=False))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.BAD_CREDENTIALS, Trouble.PERSON)


def test_a_new_password_starts_anew() -> None:
    diagnosis = found(dead_with_password(*REFUSED_TWICE, password_set_at=NOW - timedelta(seconds=30)))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.REFRESH_TOKEN_SUPERSEDED, Trouble.RETRYING)


def test_nobody_tries_a_draft_again_by_himself() -> None:
    assert found(draft(sign_in())).trouble == Trouble.PERSON
    assert found(draft(sign_in(), has_password=False)).code == DiagnosisCode.BAD_CREDENTIALS


def test_a_persons_refused_sign_in_is_answered_as_such_although_the_chain_died_of_something_else() -> None:
    diagnosis = found(dead(*REFUSED_ONCE))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.BAD_CREDENTIALS, Trouble.PERSON)
    assert diagnosis.evidence[-1].attempt == 31


@pytest.mark.parametrize(
    "witness",
    [
        {"attempts": (SETTLED, look(31, Fault.SESSION_REJECTED), refused_refresh(32), sign_in(33))},
        {"reports": (report(error_message=SESSION_TEXT),)},
        {"attempts": (replace(SETTLED, verify_fault=Fault.SESSION_REJECTED), refused_refresh(32), sign_in(33))},
    ],
)
def test_session_refresh_and_password_refused_together_mean_an_inactive_user(witness: dict[str, object]) -> None:
    diagnosis = found(dead_with_password(*REFUSED_ONCE, **witness))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.USER_INACTIVE, Trouble.PERSON)
    assert diagnosis.fix_by == FixBy.CUSTOMER_ADMIN
    assert len(diagnosis.evidence) == 3


def test_another_error_of_a_worker_is_no_witness() -> None:
    facts = dead_with_password(*REFUSED_ONCE, reports=(report(error_message="The access token provided is invalid."),))
    assert found(facts).code == DiagnosisCode.BAD_CREDENTIALS


def test_a_lock_out_with_a_time_is_nobodys() -> None:
    until = NOW + timedelta(minutes=10)
    facts = dead_with_password(refused_refresh(), sign_in(32, Fault.LOCKED_OUT, lockout_until=until))
    diagnosis = found(facts)
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.LOCKED_OUT, Trouble.RETRYING)
    assert diagnosis.fix_by == FixBy.NOBODY
    assert "13:30:00 UTC" in diagnosis.evidence[1].text
    assert trouble_of(DiagnosisCode.LOCKED_OUT, facts) == Trouble.RETRYING


def test_a_lock_out_without_a_time_is_the_admins() -> None:
    facts = dead_with_password(refused_refresh(), sign_in(32, Fault.LOCKED_OUT))
    diagnosis = found(facts)
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.LOCKED_OUT, Trouble.PERSON)
    assert diagnosis.fix_by == FixBy.CUSTOMER_ADMIN
    assert trouble_of(DiagnosisCode.LOCKED_OUT, facts) == Trouble.PERSON


def test_a_lock_out_with_a_time_but_no_password_still_needs_somebody_to_sign_in() -> None:
    locked = sign_in(32, Fault.LOCKED_OUT, lockout_until=NOW + timedelta(minutes=10))
    diagnosis = found(dead(refused_refresh(), locked))
    assert (diagnosis.code, diagnosis.trouble, diagnosis.fix_by) == (
        DiagnosisCode.LOCKED_OUT,
        Trouble.PERSON,
        FixBy.STAFF,
    )


@pytest.mark.parametrize("fault", [Fault.SSO_REQUIRED, Fault.CREDENTIALS_REFUSED])
def test_the_address_of_a_sign_in_page_means_single_sign_on(fault: Fault) -> None:
    diagnosis = found(draft(sign_in(31, fault, external_login_host="sso.acme.example")))
    assert (diagnosis.code, diagnosis.confidence) == (DiagnosisCode.SSO_REQUIRED, Confidence.LIKELY)
    assert any("sso.acme.example" in item.text for item in diagnosis.evidence)


def test_where_a_password_once_worked_single_sign_on_is_only_possible() -> None:
    diagnosis = found(dead_with_password(refused_refresh(), sign_in(32, Fault.SSO_REQUIRED), versions=(V18,)))
    assert (diagnosis.code, diagnosis.confidence) == (DiagnosisCode.SSO_REQUIRED, Confidence.POSSIBLE)
    assert diagnosis.trouble == Trouble.PERSON


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.USER_UNSUITABLE, DiagnosisCode.USER_UNSUITABLE),
        (Fault.CLIENT_INVALID, DiagnosisCode.CLIENT_INVALID),
        (Fault.IDENTITY_REJECTED, DiagnosisCode.IDENTITY_REJECTED),
    ],
)
def test_a_final_answer_to_a_sign_in_asks_for_a_person(fault: Fault, code: DiagnosisCode) -> None:
    for facts in (draft(sign_in(31, fault)), dead(refused_refresh(), sign_in(32, fault))):
        diagnosis = found(facts)
        assert (diagnosis.code, diagnosis.trouble) == (code, Trouble.PERSON)


def test_the_built_in_client_is_ours_to_put_right_and_another_the_customers() -> None:
    refused = attempt(31, fault=Fault.CLIENT_INVALID, http_status=400, error="invalid_client")
    assert found(story(refused)).fix_by == FixBy.STAFF
    assert found(story(refused, client_id="acme")).fix_by == FixBy.CUSTOMER_ADMIN


def test_a_draft_waits_for_its_first_password_or_its_first_sign_in() -> None:
    assert found(draft(has_password=False)).code == DiagnosisCode.CREDENTIALS_MISSING
    assert diagnose(draft()) is None
    assert diagnose(draft(is_new_chain_wanted=True)) is None


def test_the_way_to_a_new_instance_is_what_a_first_sign_in_says() -> None:
    first = not_sent(31, kind=AttemptKind.PASSWORD, preflight_fault=Fault.NOT_SUGAR)
    for password in (True, False):
        assert found(draft(first, has_password=password)).code == DiagnosisCode.NOT_SUGAR


def test_a_refused_password_beside_a_living_chain_is_a_warning() -> None:
    later = attempt(32, state=AttemptState.SETTLED, version=20, http_status=200)
    diagnosis = found(story(sign_in(31), later))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.PASSWORD_STALE, Trouble.NONE)
    assert diagnosis.confidence == Confidence.POSSIBLE
    assert [item.attempt for item in diagnosis.evidence] == [31, 32]
    assert found(story(sign_in(31), sign_in(32))).confidence == Confidence.LIKELY


def test_a_refused_check_of_the_password_is_a_warning() -> None:
    diagnosis = found(story(look(31, Fault.CREDENTIALS_REFUSED)))
    assert (diagnosis.code, diagnosis.confidence) == (DiagnosisCode.PASSWORD_STALE, Confidence.LIKELY)


def test_what_a_person_mistyped_says_nothing_of_the_stored_password() -> None:
    typed = [sign_in(number, is_typed_password=True) for number in (32, 33)]
    assert diagnose(story(*typed)) is None
    assert found(dead_with_password(refused_refresh(), *typed)).trouble == Trouble.RETRYING
    assert found(dead(refused_refresh(), *typed)).code == DiagnosisCode.BAD_CREDENTIALS, "there is no other"
    assert found(draft(*typed)).code == DiagnosisCode.BAD_CREDENTIALS


def test_a_later_sign_in_or_a_new_password_ends_the_warning() -> None:
    worked = sign_in(32, None, state=AttemptState.SETTLED, version=20)
    assert diagnose(story(sign_in(31), worked)) is None
    assert diagnose(story(sign_in(31), password_set_at=NOW)) is None
    assert diagnose(story(sign_in(31), has_password=False)) is None


def test_a_lock_out_beside_a_living_chain_is_no_trouble() -> None:
    assert diagnose(story(sign_in(31, Fault.LOCKED_OUT))) is None
    assert diagnose(HEALTHY) is None


def test_a_new_password_does_not_shorten_a_lock_out() -> None:
    locked = sign_in(32, Fault.LOCKED_OUT, lockout_until=NOW + timedelta(minutes=10))
    assert found(dead_with_password(refused_refresh(), locked, password_set_at=NOW)).code == DiagnosisCode.LOCKED_OUT
    for_good = sign_in(32, Fault.LOCKED_OUT)
    diagnosis = found(dead_with_password(refused_refresh(), for_good, password_set_at=NOW))
    assert (diagnosis.code, diagnosis.trouble) == (DiagnosisCode.REFRESH_TOKEN_SUPERSEDED, Trouble.RETRYING)
