"""What the evidence says of an attempt is what happened: sent or not, when, and what came back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connections.choices import AttemptState, Fault
from connections.diagnosis import Facts
from tests.diagnosis.journal import REFUSED, attempt, dead, found, look, lost, refused_refresh, story

DRAINED = REFUSED + timedelta(seconds=55)


def first_of(facts: Facts) -> str:
    return found(facts).evidence[0].text


def test_a_test_that_was_answered_was_sent() -> None:
    answer = {"http_status": 401, "error": "invalid_grant", "error_message": "The access token provided is invalid."}
    seen = look(31, Fault.ACCESS_TOKEN_INVALID, sent_at=None, **answer)
    assert first_of(story(seen)) == (
        "13:16:04 UTC: the test was answered with 401 invalid_grant “The access token provided is invalid.”."
    )


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault.DNS_FAILURE, "13:16:04 UTC: the test could not be sent (dns failure)."),
        (Fault.TIMEOUT, "13:16:04 UTC: no answer to the test came (timeout)."),
        (Fault.HEADER_STRIPPED, "13:16:04 UTC: the test was answered with header stripped."),
    ],
)
def test_a_test_without_a_status_is_told_by_what_stopped_it(fault: Fault, sentence: str) -> None:
    assert first_of(story(look(31, fault, sent_at=None))) == sentence


def test_a_lost_grant_is_told_at_the_moment_of_sending() -> None:
    for state, closed_at in ((AttemptState.SENT, None), (AttemptState.IN_DOUBT, DRAINED)):
        gone = lost(state=state, lost_at=REFUSED + timedelta(seconds=30), closed_at=closed_at)
        assert first_of(story(gone)).startswith("13:16:04 UTC: the refresh with the token of version 19 was sent, and")


def test_a_kept_answer_is_told_at_the_moment_of_sending() -> None:
    kept = attempt(31, state=AttemptState.ANSWERED, closed_at=DRAINED, http_status=200)
    assert "13:16:04 UTC: the refresh with the token of version 19 was sent; its answer came late" in first_of(
        story(kept)
    )


def test_an_answer_that_left_the_grant_open_is_told_when_it_came() -> None:
    """The token is spared at the end of the drain, long after Sugar said that it could not ask its token service."""
    answer = {"fault": Fault.IDENTITY_UNAVAILABLE, "http_status": 400, "error": "invalid_request"}
    text = first_of(story(attempt(31, lost_at=REFUSED + timedelta(seconds=2), closed_at=DRAINED, **answer)))
    assert text.startswith("13:16:06 UTC: ")
    assert text.endswith("was answered with 400 invalid_request.")


@pytest.mark.parametrize(
    ("fault", "answer", "told"),
    [
        (Fault.CONNECTION_LOST, {"http_status": 200}, "200, cut off"),
        (Fault.TIMEOUT, {"http_status": 200}, "200, cut off"),
        (Fault.NOT_SUGAR, {"http_status": 200}, "200, a page that is not Sugar's"),
        (Fault.BAD_RESPONSE, {"http_status": 200}, "200, not readable as an answer of Sugar's"),
        (Fault.SERVER_ERROR, {"http_status": 502}, "502"),
        (Fault.SERVER_ERROR, {"http_status": 500, "error": "fatal_error"}, "500 fatal_error"),
        (Fault.RATE_LIMITED, {"http_status": 429}, "429"),
    ],
)
def test_an_answer_that_tells_nothing_is_not_called_an_answer(
    fault: Fault, answer: dict[str, object], told: str
) -> None:
    text = first_of(story(lost(fault=fault, **answer)))
    assert text.endswith(f"was sent, and the answer that came was of no use ({told}).")


def test_a_late_refusal_of_sugars_own_is_its_answer() -> None:
    late = refused_refresh(31, state=AttemptState.IN_DOUBT, closed_at=DRAINED)
    assert "was answered with 400 invalid_grant" in first_of(dead(late))


def test_a_grant_that_was_held_back_at_the_last_moment_was_not_sent_and_lost_nothing() -> None:
    held_back = attempt(31, state=AttemptState.ABANDONED, fault=Fault.TIMEOUT)
    assert "could not be sent (timeout)" in first_of(story(held_back))
    assert found(dead(held_back, refused_refresh(32))).code == "refresh_token_superseded"
    assert found(story(held_back)).trouble == "unreachable"
