"""What a first sign-in that failed says, and that nobody repeats it: staff must know that it is theirs to do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.scenarios.conftest import Open
from tests.scenarios.scene import HOUR, Play

CASES = [
    ("locked_out", "staff", lambda s: s.sugar.lock_out("svc", minutes=20), lambda s: None),
    ("maintenance", "staff", lambda s: s.sugar.maintenance(True), lambda s: s.sugar.maintenance(False)),
    ("connection_lost", "staff", lambda s: s.sugar.chaos("lost", endpoint="token", count=1), lambda s: None),
    (
        "platform_not_registered",
        "customer_admin",
        lambda s: s.sugar.remove_platform("intg"),
        lambda s: s.sugar.add_platform("intg"),
    ),
    ("user_agent_blocked", "customer_admin", lambda s: s.sugar.chaos("outdated"), lambda s: s.sugar.calm()),
]


@pytest.mark.parametrize(("code", "fix_by", "event", "cure"), CASES, ids=[case[0] for case in CASES])
def test_a_first_sign_in_that_failed_is_not_said_to_be_repeated(
    scene: Open, code: str, fix_by: str, event: Play, cure: Play
) -> None:
    played = scene("13.3", sign_in=False)
    event(played)
    played.sign_in()
    played.run(timedelta(minutes=3))
    assert played.told == (code, "draft"), played.trail()
    diagnosis = played.row.diagnosis
    assert diagnosis["fix_by"] == fix_by
    assert any("“Sign in again”" in step for step in diagnosis["fix"]), diagnosis["fix"]
    assert not any("Nothing to" in step for step in diagnosis["fix"]), diagnosis["fix"]
    cure(played)
    before = played.kept.grants("password")
    played.run(HOUR)
    assert (played.row.status, played.kept.grants("password")) == ("draft", before), "as the steps say"
    assert played.sign_in().outcome == "done"
