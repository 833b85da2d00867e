"""Evidence of what really happened on the wire."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connections.custody import actions
from connections.models import Event
from tests.custody.conftest import ANA
from tests.scenarios.conftest import Open
from tests.scenarios.scene import WITHOUT_PASSWORD, Scene


def texts(scene: Scene) -> list[str]:
    return [item["text"] for item in scene.row.diagnosis["evidence"]]


def test_a_failed_test_says_what_sugar_answered_to_it(scene: Open) -> None:
    played = scene("13.3")
    played.sugar.chaos("strip_auth", endpoint="api")
    actions.test(played.kept.public_id, ANA)
    assert played.told == ("header_stripped", "unreachable"), played.trail()
    assert texts(played)[0].endswith(
        "the test was answered with 401 need_login “No valid authentication for user.”."
    ), texts(played)
    tested = played.row.attempts.get(kind="test")
    assert (tested.http_status, tested.error) == (401, "need_login")


def test_a_test_that_met_a_page_does_not_pass_it_off_as_sugars(scene: Open) -> None:
    played = scene("13.3")
    played.sugar.chaos("html", endpoint="api", path="ping", status=200)
    actions.test(played.kept.public_id, ANA)
    assert "the test was answered with 200, a page that is not Sugar's." in texts(played)[0]


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        ("lost", {}, "no usable answer came"),
        ("cut", {"at": 20}, "the answer that came was of no use (200, cut off)"),
        ("html_after", {"status": 200}, "the answer that came was of no use (200, a page that is not Sugar's)"),
        ("error_after", {"status": 502}, "the answer that came was of no use (502"),
    ],
)
def test_a_lost_grant_is_told_when_it_was_sent_and_with_what_came(
    scene: Open, kind: str, options: dict[str, object], told: str
) -> None:
    played = scene("13.3", fields=WITHOUT_PASSWORD)
    played.sugar.chaos(kind, endpoint="token", count=1, **options)
    played.refresh_now()
    said = Event.objects.filter(connection=played.row, kind="in_doubt").order_by("number").values_list("summary")[0][0]
    assert ("its answer is lost" in said) == (kind == "lost"), said
    assert ("what came back tells nothing" in said) == (kind != "lost"), said
    played.run(timedelta(minutes=2), until=lambda: played.row.attempts.count() > 2)
    first = played.row.attempts.get(number=2)
    assert first.closed_at - first.sent_at > timedelta(seconds=10), "it drained"
    text = texts(played)[0]
    assert told in text
    assert text.startswith(f"{first.sent_at:%H:%M:%S} UTC: "), (text, first.sent_at, first.closed_at)
