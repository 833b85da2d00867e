"""What begins a chain: a sign-in or an adopted token, also when its answer came late and was kept first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from unittest import mock

import pytest

from connections.choices import AttemptState
from connections.custody import checkpoints, rounds
from connections.custody.checkpoints import Point
from connections.models import Attempt, TokenVersion
from connections.onboarding import registry
from tests.concurrency.casts import cast_of, signer, ticker
from tests.concurrency.exploration import Opening, run
from tests.concurrency.scheduler import Kind
from tests.concurrency.stage import ANA, AS_IN_PRODUCTION, Stage, staged


@pytest.fixture
def stage(transactional_db: None, configured: Callable[..., None]) -> Iterator[Stage]:
    configured(**AS_IN_PRODUCTION)
    with staged("cloud") as prepared:
        yield prepared


def newest(stage: Stage) -> TokenVersion:
    return TokenVersion.objects.filter(connection_id=stage.pk).latest("number")


def test_a_token_that_comes_with_an_edit_begins_the_new_chain(stage: Stage) -> None:
    stage.reset()
    stage.set_sail(None)
    given = stage.sugar.call(
        "POST",
        "/i/s1/rest/v10/oauth2/token",
        payload={
            "grant_type": "password", "client_id": "second", "username": "svc", "password": "secret",
            "platform": "intg",
        },
    ).json()  # fmt: skip
    edit = {"client_id": "second", "refresh_token": given["refresh_token"]}
    assert registry.edit(stage.public_id, edit, ANA).diagnosis_code == "client_mismatch"
    assert rounds.tend(stage.pk) == "version"
    row = stage.row
    assert (row.status, row.diagnosis_code, row.is_new_chain_wanted) == ("healthy", "", False)
    assert (newest(stage).origin, newest(stage).chain) == ("adopted", 2)


def test_a_kept_answer_to_a_sign_in_begins_a_chain_when_it_is_proven(stage: Stage) -> None:
    """The person's sign-in was paused past its drain; its answer is used, and nobody signs in again."""
    for seed in range(30):
        chooser = Opening(seed, up_to=Point.SETTLE_START, jump=Kind.DRAIN)
        run(stage, cast_of(a=signer, b=ticker), chooser, faults=1, is_fine=False)
        proven = TokenVersion.objects.filter(connection_id=stage.pk, attempt__rung="candidate").first()
        if proven is not None:
            before = TokenVersion.objects.get(connection_id=stage.pk, number=proven.number - 1)
            assert (proven.origin, proven.chain) == ("refresh", before.chain + 1)
            return
    pytest.fail("no schedule kept an answer and proved it")


def test_a_no_that_comes_when_a_new_chain_has_begun_says_nothing_of_that(stage: Stage) -> None:
    stage.reset()
    stage.set_sail(None)
    stage.sugar.events.delete_rows()
    late: list[Attempt] = []

    def meanwhile(now: Point, _: str) -> None:
        if now == Point.ANSWERED and not late:
            late.append(Attempt.objects.get(connection_id=stage.pk, state=AttemptState.SENT))
            stage.clock.advance_to(late[0].drain_until)
            stage.sweep()
            assert newest(stage).origin == "password"

    with mock.patch.object(checkpoints, "watcher", meanwhile):
        rounds.tend(stage.pk)
    late[0].refresh_from_db()
    assert (late[0].state, late[0].fault) == ("refused", "refresh_token_invalid")
    assert (stage.row.status, stage.row.has_refresh_token) == ("healthy", True)
    assert newest(stage).refused_at is None
