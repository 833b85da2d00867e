"""Who acts at the same time: processes of the product, each doing what it does in production."""

from __future__ import annotations

from connections.choices import Trigger
from connections.custody import actions, handout, reports, rounds, sending
from connections.custody.ledger import upkeep
from connections.custody.values import Goal, Want
from connections.onboarding import registry
from tests.concurrency.scheduler import Role
from tests.concurrency.stage import ANA, Stage

REPORT = {"status": 401, "error": "invalid_grant", "error_message": "The access token provided is invalid."}


def background(stage: Stage) -> Role:
    """One round: takes what is due and tends it."""

    def play() -> list[str]:
        return [rounds.tend(pk) for pk in upkeep.take_due(8, lease=rounds._lease())]

    return play


def ticker(stage: Stage) -> Role:
    """A round whenever something is due, or any time later, as the ticker and the queue have it."""

    def play() -> None:
        for _ in range(4):
            assert stage.scheduler is not None
            stage.scheduler.idle()
            background(stage)()

    return play


def tending(stage: Stage) -> Role:
    """A round whose lease another one did not see: a task that the queue delivered twice."""
    return lambda: rounds.tend(stage.pk)


def worker(stage: Stage) -> Role:
    """A caller that needs more life than is left: it must refresh, or wait for who does."""
    return lambda: handout.token(stage.public_id, tenants=None, min_ttl=1800, wait=10, actor="worker")


def claimant(stage: Stage) -> Role:
    """A web process that has looked, seen version 1, and goes for a grant."""
    want = Want(goal=Goal.KEEP, trigger=Trigger.WORKER, actor="worker", seen=1, min_life=3600.0, is_rejected=True)
    return lambda: sending.climb(stage.pk, want)


def reporter(stage: Stage) -> Role:
    return lambda: reports.rejected(
        stage.public_id, tenants=None, version=1, wait=10, actor="worker", report=dict(REPORT)
    )


def rotator(stage: Stage) -> Role:
    return lambda: actions.rotate(stage.public_id, ANA)


def signer(stage: Stage) -> Role:
    return lambda: actions.sign_in(stage.public_id, ANA, password="secret")


def repairer(stage: Stage) -> Role:
    return lambda: actions.repair(stage.public_id, ANA)


def mover(stage: Stage) -> Role:
    """Another platform: another chain, at the same address."""
    return lambda: registry.edit(stage.public_id, {"platform": "other", "password": "secret"}, ANA)


def rekeyer(stage: Stage) -> Role:
    """Another OAuth key on the same user and platform: the triple stays, the chain does not."""
    return lambda: registry.edit(stage.public_id, {"client_id": "second", "password": "secret"}, ANA)


def holder(stage: Stage) -> Role:
    """Held for a moment: what was claimed is abandoned, and may be claimed again."""

    def play() -> None:
        actions.hold(stage.public_id, ANA)
        actions.resume(stage.public_id, ANA)

    return play


def remover(stage: Stage) -> Role:
    return lambda: actions.delete(stage.public_id, ANA)


def cast_of(**roles: object):
    """`cast_of(a=background, b=worker)`: the roles by name, made anew for every schedule."""

    def make(stage: Stage) -> dict[str, Role]:
        return {name: role(stage) for name, role in roles.items()}  # type: ignore[operator]

    make.__name__ = "+".join(getattr(role, "__name__", name) for name, role in roles.items())
    return make


PAIRS = (
    cast_of(a=tending, b=claimant),
    cast_of(a=claimant, b=claimant),
    cast_of(a=background, b=worker),
    cast_of(a=worker, b=rotator),
    cast_of(a=tending, b=signer),
    cast_of(a=background, b=reporter),
    cast_of(a=tending, b=repairer),
    cast_of(a=tending, b=mover),
    cast_of(a=tending, b=rekeyer),
    cast_of(a=claimant, b=holder),
    cast_of(a=tending, b=remover),
    cast_of(a=claimant, b=ticker),
)
TRIOS = (
    cast_of(a=background, b=worker, c=rotator),
    cast_of(a=tending, b=claimant, c=signer),
    cast_of(a=background, b=reporter, c=repairer),
    cast_of(a=claimant, b=rekeyer, c=tending),
    cast_of(a=tending, b=holder, c=claimant),
    cast_of(a=reporter, b=reporter, c=background),
    cast_of(a=signer, b=ticker, c=claimant),
    cast_of(a=rekeyer, b=ticker, c=ticker),
)
