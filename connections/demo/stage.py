"""One sample connection and the simulated instance on its other side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connections.choices import DiagnosisCode, Status
from connections.custody import actions, wire
from connections.custody.audit import Actor
from connections.custody.problems import CustodyProblem
from connections.onboarding import registry
from connections.simulator import Control
from connections.simulator.control import InstanceControl

PLATFORM = "sugaradmin"
USER = "integration"
PASSWORD = "sesame"  # noqa: S105  of a user that exists in the simulator alone
NEW_PASSWORD = "tahini"  # noqa: S105  wherever a story changes it, so that whoever plays can repair it
KEY = "sugaradmin"
NO_PASSWORD = {"store_password": False}
KEEPS_EXPIRED = {"cleanup_probability": 0}
"""Else Sugar may have deleted the expired row by the time it is asked, and does not say that it expired."""
SIGN_OF_A_SAMPLE = "demo-"
"""How the external id of a sample begins: nothing else in a demo is at the simulator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Who a sample connection is, what befalls it, and what it should look like afterwards."""

    name: str  # of its instance
    label: str
    tenant: str
    preset: str
    status: Status
    story: Callable[[Stage], None]
    code: DiagnosisCode | None = None
    access_seconds: int = 180
    parameters: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a story is played: staff on our side, people and accidents on the other."""

    public_id: str
    sugar: InstanceControl
    staff: Actor

    def sign_in(self) -> None:
        """As staff do; what comes of it is the story's own matter."""
        self._try(lambda: actions.sign_in(self.public_id, self.staff, password=PASSWORD))

    def rotate(self) -> None:
        self._try(lambda: actions.rotate(self.public_id, self.staff))

    def repair(self) -> None:
        self._try(lambda: actions.repair(self.public_id, self.staff))

    def _try(self, act: Callable[[], object]) -> None:
        wire.forget_preflights()  # the story has just changed what the last look found
        try:
            act()
        except CustodyProblem:
            return  # its diagnosis stands on the connection: that is what the sample shows


def set_up(sample: Sample, control: Control, staff: Actor) -> Stage:
    """A fresh instance with our user, platform and OAuth key, and a draft that points at it."""
    sugar = control.add_instance(
        sample.name, sample.preset, access_token_lifetime=sample.access_seconds, **sample.parameters
    )
    sugar.user(USER, PASSWORD)
    sugar.add_platform(PLATFORM)
    sugar.key(KEY, KEY)
    described = {
        "label": sample.label,
        "instance_url": sugar.url,
        "platform": PLATFORM,
        "username": USER,
        "password": PASSWORD,
        "external_id": f"{SIGN_OF_A_SAMPLE}{sample.name}",
        "contact_name": "Sam Carter",
        "contact_email": f"crm-admin@{sample.name}.example",
        "tags": sample.tags,
    }
    row = registry.create(sample.tenant, described | sample.fields, staff)
    return Stage(public_id=row.public_id, sugar=sugar, staff=staff)
