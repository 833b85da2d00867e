"""Accidents to press a button for: each befalls a fresh connection, so that it ends as it is told.

They drive the simulator by its control API, as people and accidents would do it at a customer's, and then let the
connection be refreshed, so that one need not wait for what is found. `amends` is what the customer's admin does in
Sugar; the other repairs are the product's own buttons.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from connections.choices import DiagnosisCode as Code
from connections.choices import Status
from connections.custody.audit import Actor
from connections.demo import surroundings as demo
from connections.demo.stage import (
    KEEPS_EXPIRED,
    NEW_PASSWORD,
    NO_PASSWORD,
    PLATFORM,
    SIGN_OF_A_SAMPLE,
    USER,
    Sample,
    Stage,
    set_up,
)
from connections.models import Connection, Heartbeat
from connections.models.status import ConnectionQuerySet
from connections.simulator import Control
from connections.simulator.control import InstanceControl

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

SLOW_SECONDS = 7.0  # more than the look before a grant waits
ASLEEP_SECONDS = 75.0
TENANT = "scenes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One button. `status`, `code`: what the connection has come to when the page is back."""

    name: str
    title: StrPromise
    happens: StrPromise
    """One sentence: what is done to the connection."""
    seen: StrPromise
    """One sentence: what it looks like here, and where the repair is."""
    befalls: Callable[[Stage], None]
    status: Status
    code: Code | None = None
    amends: Callable[[InstanceControl], None] | None = None
    amends_title: StrPromise | str = ""
    preset: str = "13.3"
    access_seconds: int = 900
    fields: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)

    def connections(self) -> ConnectionQuerySet:
        """Those it befell, newest first."""
        return self._ever().present().with_status().order_by("-pk")

    def _ever(self) -> ConnectionQuerySet:
        """Deleted ones too: the simulator keeps their instances, and with them their names."""
        return Connection.objects.filter(external_id__startswith=f"{SIGN_OF_A_SAMPLE}{_stem(self)}")

    def play(self, control: Control, staff: Actor) -> str:
        """Public id of the connection that it befell. Raises ControlFailed."""
        number = self._ever().count() + 1
        sample = Sample(
            name=f"{_stem(self)}{number}", label=f"{self.title} ({number})", tenant=TENANT, preset=self.preset,
            status=self.status, story=self.befalls, access_seconds=self.access_seconds, fields=self.fields,
            parameters=self.parameters, tags=("scene",),
        )  # fmt: skip
        stage = set_up(sample, control, staff)
        stage.sign_in()
        self.befalls(stage)
        return stage.public_id

    def amend(self, control: Control) -> None:
        """What the customer's admin does about it, at every instance that it befell. Raises ControlFailed."""
        for external_id in self.connections().values_list("external_id", flat=True):
            if self.amends is not None:
                self.amends(control.instance(external_id.removeprefix(SIGN_OF_A_SAMPLE)))


def _stem(scene: Scene) -> str:
    return f"scene-{scene.name}-"


def _is_stolen(stage: Stage) -> None:
    stage.sugar.outside_login(USER, PLATFORM)
    stage.rotate()


def _is_stolen_and_heals(stage: Stage) -> None:
    _is_stolen(stage)
    stage.repair()


def _lies_idle(stage: Stage) -> None:
    stage.sugar.expire_refresh_tokens(USER)
    stage.rotate()


def _loses_an_answer(stage: Stage) -> None:
    stage.sugar.chaos("lost", endpoint="token", count=1)
    stage.rotate()


def _goes_into_maintenance(stage: Stage) -> None:
    stage.sugar.maintenance()
    stage.rotate()


def _gets_another_password(stage: Stage) -> None:
    stage.sugar.admin_change_password(USER, NEW_PASSWORD)
    stage.sugar.outside_login(USER, PLATFORM)
    stage.repair()
    stage.repair()


def _becomes_slow(stage: Stage) -> None:
    stage.sugar.chaos("slow_before", seconds=SLOW_SECONDS)
    stage.rotate()


def _loses_its_platform(stage: Stage) -> None:
    stage.sugar.remove_platform(PLATFORM)
    stage.rotate()


SCENES: tuple[Scene, ...] = (
    Scene(
        name="theft", title=_("Steal the token by a browser sign-in"), befalls=_is_stolen, status=Status.DOWN,
        code=Code.REFRESH_TOKEN_SUPERSEDED, fields=NO_PASSWORD,
        happens=_("Somebody signs in as our user on our platform, and Sugar throws our session out."),
        seen=_(
            "The next refresh is refused and the connection is down, because nobody stored its password: press "
            "“Sign in again” on its page with the password above, or send the customer a sign-in link."
        ),
    ),
    Scene(
        name="healing", title=_("The same, with a stored password"), befalls=_is_stolen_and_heals,
        status=Status.HEALTHY,
        happens=_("The token is stolen in the same way, but this connection may sign in again by itself."),
        seen=_(
            "The dead refresh token and the recovery stand in its timeline, and the tokens tab shows a new chain: "
            "nothing is left to repair."
        ),
    ),
    Scene(
        name="idle", title=_("Let the refresh token expire"), befalls=_lies_idle, status=Status.DYING,
        code=Code.REFRESH_TOKEN_EXPIRED, preset="7.1", fields=NO_PASSWORD, parameters=KEEPS_EXPIRED,
        happens=_("The refresh token has lain unused for too long, while the access token still works for minutes."),
        seen=_(
            "The connection is dying, first in every list and with a countdown: whoever presses “Sign in again” before "
            "it ends spares the customer the outage."
        ),
    ),
    Scene(
        name="lost-answer", title=_("Lose an answer"), befalls=_loses_an_answer, status=Status.IN_DOUBT,
        code=Code.CONNECTION_LOST,
        happens=_("Sugar rotates the token and its answer never arrives, so nobody knows which token lives."),
        seen=_(
            "The connection is in doubt until Sugar must have finished, then Sugaradmin finds out by itself within "
            "half a minute; “Repair” shows the rungs of that ladder."
        ),
    ),
    Scene(
        name="maintenance", title=_("Switch maintenance on"), befalls=_goes_into_maintenance,
        status=Status.UNREACHABLE, code=Code.MAINTENANCE, amends=lambda sugar: sugar.maintenance(on=False),
        amends_title=_("End the maintenance"),
        happens=_("The customer's admin puts Sugar into maintenance, and it answers every call with 503."),
        seen=_(
            "The look before the grant sees it, so that no token is spent; end the maintenance here, and the "
            "connection is well again by itself."
        ),
    ),
    Scene(
        name="password", title=_("Change the password"), befalls=_gets_another_password, status=Status.DOWN,
        code=Code.BAD_CREDENTIALS,
        happens=_("The customer's admin changes the password without telling us, and the session ends."),
        seen=_(
            "After two refused tries Sugaradmin stops guessing, so that the account is not locked: save the new "
            "password above in the settings of the connection, and it signs in by itself."
        ),
    ),
    Scene(
        name="slow", title=_("Slow it down"), befalls=_becomes_slow, status=Status.UNREACHABLE, code=Code.TIMEOUT,
        amends=lambda sugar: sugar.calm("slow_before"), amends_title=_("Make it quick again"),
        happens=_("Every answer of the instance takes seven seconds, longer than the look before a grant waits."),
        seen=_(
            "The connection is unreachable and nothing is spent on it; make it quick again here, and the next look "
            "finds it well."
        ),
    ),
    Scene(
        name="platform", title=_("Take the platform off the list"), befalls=_loses_its_platform, status=Status.DYING,
        code=Code.PLATFORM_NOT_REGISTERED, amends=lambda sugar: sugar.add_platform(PLATFORM),
        amends_title=_("Register the platform again"),
        happens=_("The customer's admin removes our platform in Admin > Configure API Platforms."),
        seen=_(
            "Sugar says so before any sign-in is spent, and the diagnosis has the words for the customer; register it "
            "again here, and the connection goes on without a click."
        ),
    ),
)  # fmt: skip


def scene(name: str) -> Scene | None:
    return next((one for one in SCENES if one.name == name), None)


# -- the background --------------------------------------------------------------------------------------------


def put_background_to_sleep() -> bool:
    """Stop its ticker where it stands, for a while: a dead one is started again within a second, a hung one is not.

    False: it has shown no sign of life yet.
    """
    pid = _ticker()
    if pid is None:
        return False
    demo.note_sleep()
    os.kill(pid, signal.SIGSTOP)
    waking = threading.Timer(ASLEEP_SECONDS, wake_background)
    waking.daemon = True
    waking.start()
    return True


def wake_background() -> None:
    """Also when it is awake."""
    pid = _ticker()
    if pid is not None:
        os.kill(pid, signal.SIGCONT)
    demo.note_sleep(over=True)


def _ticker() -> int | None:
    return Heartbeat.objects.order_by("-beat_at").values_list("pid", flat=True).first()
