"""kill -9 at every point of a grant: never silently dead; healthy again by itself, or a person is told why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connections.simulator import SimulatorServer
from tests.concurrency.figures import show
from tests.crash.matrix import BLOWS, LOSS_WINDOW, Batch, run_batch
from tests.crash.site import DRAIN, database, site

AFTER_DRAIN = 60.0  # seconds, as the design asks; the drain itself is scaled down
# What Sugar told them nobody knows any more: the old token is tried once, as after a lost answer.
DIED_WITH_THE_ANSWER = frozenset({"answered", "settle_start", "settle_written", "doubt_raised"})
DATABASES = ("sqlite", "postgres")


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer() as running:
        yield running


def judge(batch: Batch) -> None:
    where = f"{batch.preset}, password {'stored' if batch.has_password else 'not stored'}"
    for fate in batch.fates:
        assert not fate.is_silently_dead, (where, fate)
        assert fate.seconds is not None, (where, fate)
        assert fate.is_alive or fate.needs_person, (where, fate)
        if batch.has_password:
            assert fate.status == "healthy", (where, fate)
            assert fate.seconds <= DRAIN + AFTER_DRAIN, (where, fate)
        elif fate.needs_person:
            assert fate.code and fate.cause, (where, fate)
            assert fate.blow in LOSS_WINDOW, (where, fate)
    forgotten = [fate for fate in batch.fates if fate.blow in DIED_WITH_THE_ANSWER]
    again = [one["fingerprint"] for one in batch.presented_again]
    assert len(again) == len(set(again)) <= len(forgotten), (where, again)


@pytest.mark.parametrize(("kind", "preset", "has_password"), [("postgres", "13.3", True), ("sqlite", "12.0", False)])
def test_a_kill_at_any_point_is_survived(
    tmp_path: Path, postgres_url: str, simulator: SimulatorServer, kind: str, preset: str, has_password: bool
) -> None:
    with database(kind, tmp_path, postgres_url) as url, site(tmp_path, url) as running:
        batch = run_batch(running, simulator, preset, has_password=has_password)
    show("\n" + table([(kind, batch)]))
    assert len(batch.fates) == len(BLOWS) >= 12
    judge(batch)


@pytest.mark.campaign
def test_the_whole_matrix(tmp_path: Path, postgres_url: str, simulator: SimulatorServer) -> None:
    batches: list[tuple[str, Batch]] = []
    for kind in DATABASES:
        folder = tmp_path / kind
        folder.mkdir()
        with database(kind, folder, postgres_url) as url, site(folder, url) as running:
            for preset in ("7.1", "12.0", "13.3", "cloud"):
                for has_password in (True, False):
                    batches.append((kind, run_batch(running, simulator, preset, has_password=has_password, rounds=2)))
    show("\n" + table(batches))
    for _, batch in batches:
        judge(batch)


def table(batches: list[tuple[str, Batch]]) -> str:
    """What docs/campaigns.md keeps."""
    lines = [
        "| database | Sugar | password | kills | silently dead | person asked | chain lost | median s | p99 s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, batch in batches:
        fates = batch.fates
        seconds = sorted(fate.seconds if fate.seconds is not None else float("inf") for fate in fates)
        figures = (
            len(fates),
            sum(fate.is_silently_dead for fate in fates),
            sum(fate.needs_person for fate in fates),
            sum(fate.is_chain_lost for fate in fates),
            f"{seconds[len(seconds) // 2]:.1f}",
            f"{seconds[int(len(seconds) * 0.99)]:.1f}",
        )
        stored = "stored" if batch.has_password else "not stored"
        lines.append(f"| {kind} | {batch.preset} | {stored} | " + " | ".join(map(str, figures)) + " |")
    return "\n".join(lines)
