"""Whatever the journal holds, the rules answer, and what they answer fits together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from connections.choices import DiagnosisCode, FixBy, Trouble
from connections.diagnosis import AttemptFact, Facts, ReportFact, State, VersionFact, diagnose, status_of
from tests.diagnosis.journal import NOW

moments = st.integers(-40 * 86400, 10 * 86400).map(lambda seconds: NOW + timedelta(seconds=seconds))
maybe = st.none() | moments
numbers = st.integers(1, 9)
words = st.sampled_from(["", "svc", "{host}", "100 %s", "“x”", "Your authentication token is invalid."])
attempts = st.builds(
    AttemptFact,
    number=numbers,
    base_version=st.none() | numbers,
    version=st.none() | numbers,
    http_status=st.none() | st.integers(100, 599),
    error=words,
    error_message=words,
    external_login_host=words,
    lockout_until=maybe,
    claimed_at=moments,
    sent_at=maybe,
    closed_at=maybe,
    lost_at=maybe,
)
versions = st.builds(
    VersionFact,
    number=numbers,
    issued_at=moments,
    access_expires_at=moments,
    refresh_expires_at=maybe,
    access_dead_at=maybe,
    verified_at=maybe,
)
reports = st.builds(ReportFact, at=moments, version=numbers, error=words, error_message=words)
all_facts = st.builds(
    Facts,
    now=st.just(NOW),
    instance_host=words,
    platform=words | st.just("base"),
    username=words,
    client_id=words,
    sugar_version=words,
    sign_in_allowed_at=maybe,
    chain_ends_at=maybe,
    access_expires_at=maybe,
    trouble_since=maybe,
    supersessions=st.lists(moments, max_size=2).map(lambda times: tuple(sorted(times, reverse=True))),
    attempts=st.lists(attempts, max_size=6, unique_by=lambda a: a.number).map(
        lambda rows: tuple(sorted(rows, key=lambda a: a.number))
    ),
    versions=st.lists(versions, max_size=3, unique_by=lambda v: v.number).map(
        lambda rows: tuple(sorted(rows, key=lambda v: v.number))
    ),
    reports=st.lists(reports, max_size=2).map(tuple),
    password_set_at=maybe,
)


@settings(max_examples=200, deadline=None)
@given(all_facts)
def test_no_rule_raises_and_no_diagnosis_is_without_proof(facts: Facts) -> None:
    diagnosis = diagnose(facts)
    if diagnosis is None:
        return
    assert diagnosis.code in DiagnosisCode
    assert diagnosis.trouble in Trouble
    assert diagnosis.fix_by in FixBy
    assert diagnosis.title
    assert diagnosis.cause
    assert diagnosis.fix
    assert diagnosis.evidence
    assert {item.attempt for item in diagnosis.evidence} - {None} <= {a.number for a in facts.attempts}


@settings(max_examples=200, deadline=None)
@given(all_facts)
def test_a_chain_that_nothing_stored_can_repair_never_looks_well(facts: Facts) -> None:
    """The rules and the status agree: no refresh token, no password and no doubt is a person's case."""
    facts = replace(facts, has_refresh_token=False, has_password=False, versions=facts.versions[-1:])
    diagnosis = diagnose(facts)
    assert diagnosis is not None
    if facts.versions:
        assert diagnosis.trouble in (Trouble.PERSON, Trouble.IN_DOUBT)


@settings(max_examples=200, deadline=None)
@given(all_facts)
def test_a_known_doubt_is_never_called_healthy_or_waited_for(facts: Facts) -> None:
    facts = replace(facts, has_refresh_token=True, is_in_doubt=True, is_new_chain_wanted=False)
    diagnosis = diagnose(facts)
    assert diagnosis is not None
    assert diagnosis.trouble in (Trouble.PERSON, Trouble.IN_DOUBT)


@settings(max_examples=100, deadline=None)
@given(
    all_facts, st.builds(State, has_open_lost_attempt=st.just(False), refresh_expires_at=maybe, access_expires_at=maybe)
)
def test_a_diagnosis_that_asks_for_a_person_shows_as_dying_or_down(facts: Facts, state: State) -> None:
    diagnosis = diagnose(facts)
    if diagnosis is None or diagnosis.trouble != Trouble.PERSON:
        return
    state = replace(state, trouble=diagnosis.trouble, is_paused=False, is_held=False, is_draft=False)
    assert status_of(state, facts.now) in ("dying", "down")
