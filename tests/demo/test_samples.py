from __future__ import annotations

import pytest

from connections.choices import Status
from connections.custody.audit import Actor
from connections.custody.handout import find
from connections.demo.samples import SAMPLES
from connections.demo.stage import Sample, set_up
from connections.simulator import SimulatorServer

STAFF = Actor(kind="staff", name="demo")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_each_story_ends_as_it_is_told(sample: Sample, simulator: SimulatorServer, like_the_demo: None) -> None:
    stage = set_up(sample, simulator.control, STAFF)
    sample.story(stage)
    row = find(stage.public_id, None)
    assert (row.status, row.diagnosis_code) == (sample.status, sample.code or row.diagnosis_code), row.diagnosis
    if sample.status is Status.HEALTHY and sample.code is None:
        assert not row.diagnosis_code


def test_the_fleet_shows_every_status_and_many_troubles() -> None:
    assert {sample.status for sample in SAMPLES} == set(Status)
    assert len(SAMPLES) >= 16
    assert len({sample.code for sample in SAMPLES if sample.code}) >= 10
