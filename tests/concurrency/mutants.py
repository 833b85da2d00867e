"""The real code with one guard taken out: what the scheduler must find wanting."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest import mock

from connections.choices import AttemptState
from connections.custody import reads
from connections.custody.ledger import answers, claims, settlement, transitions, versions
from connections.custody.values import Claim, Outcome, Result
from connections.models import Attempt, Connection

Mutant = Callable[[], Any]
Sealed = settlement.SealedAnswer


def without_fence() -> Any:
    """A late answer takes the stored version's place, as if its claim had never been taken over."""
    original = settlement._late

    def accept(row: Connection, attempt: Attempt, claim: Claim, sealed: Sealed, now: datetime) -> Outcome:
        if sealed.answer.tokens is not None and sealed.answer.is_definite:
            return versions.accept(row, attempt, reads.live_version(row), claim, sealed.answer.tokens, now)
        return original(row, attempt, claim, sealed, now)

    return mock.patch.object(settlement, "_late", accept)


def without_generation() -> Any:
    """The answer to a grant of the old chain is stored over the edit."""
    original = settlement._discard

    def accept(row: Connection, attempt: Attempt, claim: Claim, sealed: Sealed, now: datetime) -> Outcome:
        if attempt.state == AttemptState.SENT and sealed.answer.tokens is not None:
            return versions.accept(row, attempt, reads.live_version(row), claim, sealed.answer.tokens, now)
        return original(row, attempt, claim, sealed, now)

    return mock.patch.object(settlement, "_discard", accept)


@contextmanager
def without_intent_first() -> Iterator[None]:
    """The intent is written when the answer is there."""
    marked, settle = claims.mark_sent, settlement.settle

    def settle_marked(claim: Claim, sealed: Sealed) -> Outcome:
        marked(claim)
        return settle(claim, sealed)

    with (
        mock.patch.object(claims, "mark_sent", lambda claim: None),
        mock.patch.object(settlement, "settle", settle_marked),
    ):
        yield


def without_drain() -> Any:
    """Taken over as soon as it is sent."""
    original = claims.mark_sent
    return mock.patch.object(claims, "mark_sent", lambda claim: original(dataclasses.replace(claim, drain_seconds=0)))


def without_pre_send_check() -> Any:
    """Sends whatever became of the claim meanwhile; only the constraint is left."""
    original = claims.mark_sent

    def mark_and_go_on(claim: Claim) -> None:
        try:
            original(claim)
        except claims.NotOurs:
            return

    return mock.patch.object(claims, "mark_sent", mark_and_go_on)


def without_candidate_store() -> Any:
    """A late answer is dropped."""

    def drop(row: Connection, attempt: Attempt, claim: Claim, sealed: Sealed, now: datetime) -> Outcome:
        return answers.outcome_of(claim, Result.KEPT, row)

    return mock.patch.object(settlement, "_late", drop)


def without_later_doubt() -> Any:
    """Any new version clears any doubt, also one that was raised while it was under way."""

    def clear(row: Connection, attempt: Attempt) -> None:
        row.doubt_after = row.doubt_began = None

    return mock.patch.object(transitions, "clear_doubt", clear)
