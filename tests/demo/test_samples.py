from __future__ import annotations

import pytest

from connections.choices import Status
from connections.custody import actions
from connections.custody.audit import Actor
from connections.custody.handout import find
from connections.demo.samples import SAMPLES
from connections.demo.scenes import scene
from connections.demo.stage import NEW_PASSWORD, PASSWORD, Sample, set_up
from connections.onboarding import registry
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


@pytest.mark.parametrize(
    ("name", "password"),
    [
        *((name, PASSWORD) for name in ("acme", "iris", "mistral", "nimbus")),
        *((name, NEW_PASSWORD) for name in ("fjord", "krill", "prism")),
    ],
)
def test_whoever_plays_signs_a_sample_in_again_with_the_password_of_the_page(
    name: str, password: str, simulator: SimulatorServer, like_the_demo: None
) -> None:
    sample = next(one for one in SAMPLES if one.name == name)
    stage = set_up(sample, simulator.control, STAFF)
    sample.story(stage)
    actions.sign_in(stage.public_id, STAFF, password=password)
    row = find(stage.public_id, None)
    assert row.status == Status.HEALTHY, row.diagnosis


def test_the_key_that_was_changed_has_the_new_password_as_its_secret(
    simulator: SimulatorServer, like_the_demo: None
) -> None:
    sample = next(one for one in SAMPLES if one.name == "lumen")
    stage = set_up(sample, simulator.control, STAFF)
    sample.story(stage)
    registry.edit(stage.public_id, {"client_secret": NEW_PASSWORD}, STAFF)
    actions.repair(stage.public_id, STAFF)
    assert find(stage.public_id, None).status == Status.HEALTHY


def test_a_scene_is_played_again_after_its_connection_was_deleted(
    simulator: SimulatorServer, like_the_demo: None
) -> None:
    maintenance = scene("maintenance")
    assert maintenance is not None
    played = [maintenance.play(simulator.control, STAFF) for _ in range(2)]
    actions.delete(played[1], STAFF)
    again = maintenance.play(simulator.control, STAFF)
    assert [one.public_id for one in maintenance.connections()] == [again, played[0]]


def test_the_fleet_shows_every_status_and_many_troubles() -> None:
    assert {sample.status for sample in SAMPLES} == set(Status)
    assert len(SAMPLES) >= 16
    assert len({sample.code for sample in SAMPLES if sample.code}) >= 10
