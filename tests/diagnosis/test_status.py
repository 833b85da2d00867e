"""The status, line by line and at the edges of the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.choices import Status, Trouble
from connections.diagnosis.status import State, dies_at, http_status_for, status_of

NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=12)
BEFORE = NOW - timedelta(minutes=12)
LATER = NOW + timedelta(days=10)

HEALTHY = State(
    is_paused=False,
    is_held=False,
    is_draft=False,
    trouble=Trouble.NONE,
    access_expires_at=SOON,
    access_dead_at=None,
    access_doubtful_until=None,
    has_refresh_token=True,
    has_password=False,
    refresh_expires_at=LATER,
    has_open_lost_attempt=False,
)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, Status.HEALTHY),
        ({"access_expires_at": BEFORE}, Status.HEALTHY),  # idle: refreshed when somebody asks
        ({"refresh_expires_at": None}, Status.HEALTHY),
        ({"is_paused": True}, Status.PAUSED),
        ({"is_held": True}, Status.PAUSED),
        ({"is_paused": True, "is_draft": True}, Status.PAUSED),
        ({"is_draft": True}, Status.DRAFT),
        ({"is_draft": True, "trouble": Trouble.PERSON}, Status.DRAFT),
        ({"trouble": Trouble.PERSON}, Status.DYING),
        ({"trouble": Trouble.PERSON, "has_password": True}, Status.DYING),
        ({"trouble": Trouble.PERSON, "access_expires_at": BEFORE}, Status.DOWN),
        ({"trouble": Trouble.PERSON, "access_expires_at": NOW}, Status.DOWN),
        ({"trouble": Trouble.PERSON, "access_expires_at": NOW + timedelta(microseconds=1)}, Status.DYING),
        ({"trouble": Trouble.PERSON, "access_expires_at": None}, Status.DOWN),
        ({"trouble": Trouble.PERSON, "access_dead_at": BEFORE}, Status.DOWN),
        ({"trouble": Trouble.PERSON, "has_open_lost_attempt": True}, Status.DYING),
        ({"trouble": Trouble.IN_DOUBT}, Status.IN_DOUBT),
        ({"has_open_lost_attempt": True}, Status.IN_DOUBT),
        ({"trouble": Trouble.UNREACHABLE, "has_open_lost_attempt": True}, Status.IN_DOUBT),
        ({"trouble": Trouble.UNREACHABLE}, Status.UNREACHABLE),
        ({"trouble": Trouble.RETRYING}, Status.RETRYING),
        ({"refresh_expires_at": BEFORE}, Status.DYING),
        ({"refresh_expires_at": NOW}, Status.DYING),
        ({"refresh_expires_at": NOW + timedelta(microseconds=1)}, Status.HEALTHY),
        ({"refresh_expires_at": BEFORE, "access_expires_at": BEFORE}, Status.DOWN),
        ({"refresh_expires_at": BEFORE, "trouble": Trouble.UNREACHABLE}, Status.DYING),
        ({"refresh_expires_at": BEFORE, "trouble": Trouble.RETRYING}, Status.DYING),
        ({"refresh_expires_at": BEFORE, "trouble": Trouble.IN_DOUBT}, Status.IN_DOUBT),
        ({"refresh_expires_at": BEFORE, "has_password": True}, Status.HEALTHY),
        ({"has_refresh_token": False}, Status.DYING),
        ({"has_refresh_token": False, "has_password": True, "trouble": Trouble.RETRYING}, Status.RETRYING),
        ({"has_refresh_token": False, "trouble": Trouble.IN_DOUBT}, Status.IN_DOUBT),
        ({"has_refresh_token": False, "has_open_lost_attempt": True}, Status.IN_DOUBT),
    ],
)
def test_the_first_condition_that_fits_decides(change: dict[str, object], status: Status) -> None:
    assert status_of(replace(HEALTHY, **change), NOW) == status


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, SOON),
        ({"access_doubtful_until": NOW + timedelta(seconds=120)}, NOW + timedelta(seconds=120)),
        ({"access_doubtful_until": LATER}, SOON),
        ({"access_doubtful_until": BEFORE}, NOW),
        ({"access_dead_at": BEFORE}, None),
        ({"access_expires_at": NOW}, None),
        ({"trouble": Trouble.NONE}, None),
        ({"is_held": True}, None),
    ],
)
def test_dies_at_names_the_end_of_a_dying_token_only(change: dict[str, object], expected: datetime | None) -> None:
    assert dies_at(replace(HEALTHY, **({"trouble": Trouble.PERSON} | change)), NOW) == expected


moments = st.none() | st.integers(-200, 200).map(lambda seconds: NOW + timedelta(seconds=seconds))
states = st.builds(
    State,
    trouble=st.sampled_from(Trouble),
    access_expires_at=moments,
    access_dead_at=moments,
    access_doubtful_until=moments,
    refresh_expires_at=moments,
)


@given(states)
def test_dies_at_is_known_exactly_for_the_dying_and_never_past(state: State) -> None:
    end = dies_at(state, NOW)
    assert (end is not None) == (status_of(state, NOW) == Status.DYING)
    assert end is None or (state.access_expires_at is not None and NOW <= end <= state.access_expires_at)


@given(states)
def test_healthy_means_that_something_stored_can_renew_it(state: State) -> None:
    if status_of(state, NOW) == Status.HEALTHY:
        assert state.has_password or (
            state.has_refresh_token and (state.refresh_expires_at is None or state.refresh_expires_at > NOW)
        )


def test_a_person_is_asked_with_409_and_time_with_503() -> None:
    asks = {status for status in Status if http_status_for(status) == 409}
    assert asks == {Status.DOWN, Status.DRAFT, Status.PAUSED}
    assert {http_status_for(status) for status in set(Status) - asks} == {503}
