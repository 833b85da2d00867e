"""Answers that do not tell what Sugar did: no blind retry, no `down` for a moment's trouble, never half a token.

`make test` takes each spoilt answer on one release, and the plainest on all; `make campaign` takes them all together.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from connections.simulator import PRESETS
from tests.custody.ambiguous import ODD, SPOILT, judge, named, watch
from tests.custody.conftest import clock, connect, simulator
from tests.scenarios.conftest import Open, scene
from tests.scenarios.scene import WITHOUT_PASSWORD, Scene

__all__ = ["clock", "connect", "scene", "simulator"]
LOST = {"kind": "lost"}


def thirds(cases: list[dict[str, Any]]) -> list[Any]:
    """Each of them; a third again on PostgreSQL, and there the campaign takes them all."""
    return [pytest.param(one, marks=[pytest.mark.once] * (place % 3 > 0)) for place, one in enumerate(cases)]


def spoil_refresh(played: Scene, chaos: dict[str, Any]) -> None:
    played.kept.simulator.control.clear_log()
    played.sugar.chaos(**chaos, endpoint="token", grant="refresh", count=1)
    played.refresh_now()


def spoil_sign_in(played: Scene, chaos: dict[str, Any]) -> None:
    played.kept.simulator.control.clear_log()
    played.sugar.chaos(**chaos, endpoint="token", grant="password", count=1)
    played.sign_in(played.password)


@pytest.mark.parametrize("chaos", thirds(SPOILT + ODD), ids=named)
def test_a_spoilt_refresh_heals_with_the_password(scene: Open, chaos: dict[str, Any]) -> None:
    played = scene("13.3")
    spoil_refresh(played, chaos)
    judge(played, watch(played), can_sign_in=True, is_spoilt=chaos in SPOILT)


@pytest.mark.once
@pytest.mark.parametrize("chaos", [*SPOILT[::2], *ODD[:3]], ids=named)
def test_a_spoilt_refresh_without_a_password_is_never_silent(scene: Open, chaos: dict[str, Any]) -> None:
    played = scene("12.0", fields=WITHOUT_PASSWORD)
    spoil_refresh(played, chaos)
    judge(played, watch(played), can_sign_in=False, is_spoilt=chaos in SPOILT)


@pytest.mark.parametrize("preset", list(PRESETS))
@pytest.mark.parametrize("fields", [{}, WITHOUT_PASSWORD], ids=["password", "none"])
def test_a_lost_refresh_on_every_release(scene: Open, preset: str, fields: dict[str, Any]) -> None:
    played = scene(preset, fields=fields)
    spoil_refresh(played, LOST)
    judge(played, watch(played), can_sign_in=not fields)


@pytest.mark.once
@pytest.mark.parametrize("chaos", SPOILT[::3] + ODD[:3], ids=named)
def test_a_spoilt_sign_in_heals_with_the_password(scene: Open, chaos: dict[str, Any]) -> None:
    played = scene("13.3")
    spoil_sign_in(played, chaos)
    judge(played, watch(played), can_sign_in=True, is_spoilt=chaos in SPOILT)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_lost_sign_in_without_a_password_is_never_silent(scene: Open, preset: str) -> None:
    played = scene(preset, fields=WITHOUT_PASSWORD)
    spoil_sign_in(played, LOST)
    judge(played, watch(played), can_sign_in=False)


def test_a_sign_in_without_a_refresh_token_names_what_is_missing(scene: Open) -> None:
    """No password is stored either: dying from its first moment on, and a person must learn why."""
    played = scene("13.3", fields=WITHOUT_PASSWORD)
    spoil_sign_in(played, {"kind": "no_refresh_token"})
    assert played.told == ("credentials_missing", "dying"), played.trail()
    assert "Version 2 came without a refresh token." in [told["text"] for told in played.row.diagnosis["evidence"]]
    judge(played, watch(played), can_sign_in=False, is_spoilt=False)


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("preset", "spoil", "fields"),
    list(itertools.product(PRESETS, (spoil_refresh, spoil_sign_in), ({}, WITHOUT_PASSWORD))),
)
@pytest.mark.parametrize("chaos", SPOILT + ODD, ids=named)
def test_every_spoilt_answer_on_every_release(
    scene: Open, preset: str, spoil: Any, fields: dict[str, Any], chaos: dict[str, Any]
) -> None:
    played = scene(preset, fields=fields)
    spoil(played, chaos)
    judge(played, watch(played), can_sign_in=not fields, is_spoilt=chaos in SPOILT)
