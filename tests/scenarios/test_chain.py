"""What can happen to the refresh token, and what is said about it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connections.custody import actions
from tests.custody.conftest import ANA
from tests.scenarios.conftest import Open
from tests.scenarios.scene import DAY, HOUR, WITHOUT_PASSWORD, Case, Scene, play


def outside_login(scene: Scene) -> None:
    scene.sugar.outside_login("svc", "intg")


def sign_in_again(scene: Scene) -> None:
    assert scene.sign_in(scene.password).outcome == "done"


def superseded_while_due(scene: Scene) -> None:
    outside_login(scene)
    scene.refresh_now()


def lose_the_answer(scene: Scene) -> None:
    scene.sugar.chaos("lost", endpoint="token", count=1)
    scene.refresh_now()


def sleep_through_the_lifetime(scene: Scene) -> None:
    actions.hold(scene.kept.public_id, ANA)
    scene.clock.jump(timedelta(days=20))
    actions.resume(scene.kept.public_id, ANA)


def expired_at_the_token_service(scene: Scene) -> None:
    """What it says of a token that was left alone for too long (SUGAR.md section 0.6)."""
    words = {"error": "invalid_request", "error_message": "The refresh token is expired"}
    scene.sugar.chaos("answer", endpoint="token", grant="refresh", status=400, payload=words)
    scene.refresh_now()


def fight(scene: Scene) -> None:
    outside_login(scene)
    scene.run(HOUR, until=lambda: scene.row.status == "down")
    sign_in_again(scene)
    scene.run(HOUR)
    outside_login(scene)


CASES = [
    Case(
        label="superseded on 13.3, no password: the early death is the second witness",
        code="refresh_token_superseded",
        status="down",
        event=outside_login,
        fields=WITHOUT_PASSWORD,
        fix_by="staff",
        evidence="Invalid refresh token",
        cure=sign_in_again,
    ),
    Case(
        label="superseded on 12.0, no password: dying, at most 120 s",
        preset="12.0",
        code="refresh_token_superseded",
        status="dying",
        event=superseded_while_due,
        fields=WITHOUT_PASSWORD,
        confidence="likely",
        fix_by="staff",
        evidence="no other use of its refresh token",
        cure=sign_in_again,
    ),
    Case(
        label="superseded on 12.0, once the memory of the row check is over",
        preset="12.0",
        code="refresh_token_superseded",
        status="down",
        event=superseded_while_due,
        fields=WITHOUT_PASSWORD,
        confidence="likely",
        fix_by="staff",
        within=timedelta(minutes=10),
    ),
    Case(
        label="rows gone on 7.1, which evicts nobody",
        preset="7.1",
        code="refresh_token_superseded",
        status="dying",
        event=lambda scene: (scene.sugar.delete_rows("svc"), scene.refresh_now()),
        fields=WITHOUT_PASSWORD,
        confidence="possible",
        fix_by="staff",
    ),
    Case(
        label="tokens gone at the STS",
        preset="cloud",
        code="refresh_token_superseded",
        status="down",
        event=lambda scene: (scene.sugar.delete_rows("svc"), scene.refresh_now()),
        fields=WITHOUT_PASSWORD,
        confidence="possible",
        fix_by="staff",
    ),
    Case(
        label="run out at the STS: nobody else can have signed in",
        preset="cloud",
        code="refresh_token_expired",
        status="down",
        event=expired_at_the_token_service,
        fields=WITHOUT_PASSWORD,
        fix_by="staff",
        evidence="400 invalid_request “The refresh token is expired”",
        cure=sign_in_again,
    ),
    Case(
        label="a fight over the platform, no password",
        code="platform_shared",
        status="down",
        event=fight,
        fields=WITHOUT_PASSWORD,
        fix_by="staff",
        evidence="already been replaced by somebody else",
        cure=sign_in_again,
    ),
    Case(
        label="our answer was lost: in doubt while it drains",
        code="connection_lost",
        status="in_doubt",
        event=lose_the_answer,
        fields=WITHOUT_PASSWORD,
        evidence="no usable answer came",
    ),
    Case(
        label="our answer was lost, no password",
        code="refresh_token_lost",
        status="down",
        event=lose_the_answer,
        fields=WITHOUT_PASSWORD,
        confidence="likely",
        fix_by="staff",
        evidence="no usable answer came",
        cure=sign_in_again,
    ),
    Case(
        label="idle longer than the refresh token lives, no password",
        code="refresh_token_expired",
        status="down",
        event=sleep_through_the_lifetime,
        fields=WITHOUT_PASSWORD,
        fix_by="staff",
        evidence="lifetime ended",
        cure=sign_in_again,
    ),
    Case(
        label="another client id, no password",
        code="client_mismatch",
        status="dying",
        event=lambda scene: (scene.sugar.key("other"), scene.edit(client_id="other")),
        fields=WITHOUT_PASSWORD,
        fix_by="staff",
        evidence="other",
        cure=sign_in_again,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_chain(scene: Open, case: Case) -> None:
    play(case, scene(case.preset, fields=case.fields, **case.own))


HEALED = [
    ("refresh_token_superseded", "13.3", outside_login),
    ("refresh_token_superseded", "12.0", superseded_while_due),
    ("connection_lost", "13.3", lose_the_answer),
    ("connection_lost", "7.1", lose_the_answer),
    ("connection_lost", "cloud", lose_the_answer),
    ("refresh_token_expired", "13.3", sleep_through_the_lifetime),
    ("access_token_rejected", "13.3", lambda scene: scene.sugar.flush_sessions()),
    ("access_token_rejected", "12.0", lambda scene: scene.sugar.flush_sessions()),
]


@pytest.mark.parametrize(("code", "preset", "event"), HEALED)
def test_with_a_password_it_heals_alone_and_the_history_says_why(
    scene: Open, code: str, preset: str, event: object
) -> None:
    played = scene(preset)
    event(played)  # type: ignore[operator]
    played.run(timedelta(minutes=10), until=lambda: played.row.version_count > 1 and played.row.status == "healthy")
    assert played.row.status == "healthy", played.trail()
    assert code in played.codes(), played.trail()
    assert played.codes(kind="recovered"), played.trail()
    played.run(timedelta(minutes=10))
    assert played.told == ("", "healthy"), played.trail()


def test_two_supersessions_in_a_day_stand_as_a_warning_for_a_day(scene: Open) -> None:
    played = scene("13.3")
    for _ in range(2):
        outside_login(played)
        played.run(HOUR)
    assert played.told == ("platform_shared", "healthy"), played.trail()
    assert played.row.diagnosis["confidence"] == "certain"
    pointed_at = [item["attempt"] for item in played.row.diagnosis["evidence"]]
    refused = played.row.attempts.filter(state="refused", fault="refresh_token_invalid").order_by("-number")
    assert pointed_at == list(refused.values_list("number", flat=True))
    assert len(pointed_at) == 2
    played.run(timedelta(hours=25))
    assert played.told == ("", "healthy"), played.trail()


def test_without_a_password_the_cap_is_forecast_and_then_named(scene: Open) -> None:
    played = scene("13.3", fields=WITHOUT_PASSWORD, max_session_lifetime=4 * 86400)
    played.configured_look(HOUR)
    played.run(3 * DAY)
    row = played.row
    assert row.chain_ends_at is not None
    assert played.told == ("session_cap_reached", "healthy"), played.trail()
    assert row.diagnosis["fix_by"] == "staff"
    played.run(2 * DAY)
    assert played.told == ("session_cap_reached", "down"), played.trail()
    sign_in_again(played)
    played.run(HOUR)
    assert played.row.status == "healthy"


def test_with_a_password_it_signs_in_before_the_cap(scene: Open) -> None:
    played = scene("13.3", max_session_lifetime=4 * 86400)
    played.configured_look(HOUR)
    ends: set[object] = set()
    statuses: set[str] = set()

    def look() -> bool:
        row = played.row
        ends.add(row.chain_ends_at)
        statuses.add(row.status)
        assert row.chain_ends_at is None or row.chain_ends_at > played.clock.now
        return False

    played.run(5 * DAY, until=look)
    assert statuses == {"healthy"}, played.trail()
    assert played.row.chain == 2
    assert played.kept.grants("password") == 2


def test_an_unseen_crash_after_sending_is_in_doubt_and_resolved(scene: Open, crash: object) -> None:
    played = scene("13.3")
    crash("answered")  # type: ignore[operator]
    played.refresh_now()
    assert played.row.attempts.get(number=2).state == "sent"
    played.run(timedelta(minutes=2))
    assert "outcome_unknown" in played.codes(), played.trail()
    assert played.row.status == "healthy"
    assert played.row.version_count == 2
