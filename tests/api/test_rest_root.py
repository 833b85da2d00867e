"""A web server that does not rewrite addresses: Sugar's REST API lies under api/rest.php, whoever brought it in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from connections.choices import EventKind
from connections.custody.ledger import roots
from connections.models import Attempt, Connection, Event
from connections.simulator import SimulatorServer
from connections.simulator.control import InstanceControl
from tests.api.conftest import Caller, Connect, Kept, MakeCaller

USUAL, PLAIN = "rest/v10", "api/rest.php/v10"


@pytest.fixture
def sugar(described: dict[str, Any], simulator: SimulatorServer) -> InstanceControl:
    """The instance of `described`, with rewriting switched off."""
    found = simulator.control.instance(described["instance_url"].rpartition("/")[2])
    found.configure(rewrite=False)
    return found


def asked(simulator: SimulatorServer, sugar: InstanceControl) -> list[str]:
    """Paths below the instance, in order."""
    return [entry["path"].removeprefix("/") for entry in simulator.control.log(instance=sugar.name)]


def create(worker: Caller, described: dict[str, Any], **own: Any) -> Any:
    response = worker.post("connections", described | {"sign_in": True} | own)
    assert response.status_code == 201
    return response.json()


def row_of(told: Any) -> Connection:
    return Connection.objects.get(public_id=told["id"])


def test_the_other_root_is_found_before_the_first_sign_in(
    described: dict[str, Any], sugar: InstanceControl, caller: MakeCaller, simulator: SimulatorServer
) -> None:
    told = create(worker := caller(), described)
    assert told["status"] == "healthy"
    base = described["instance_url"]
    assert worker.get(f"connections/{told['id']}/token").json()["api_url"] == f"{base}/{PLAIN}"
    paths = asked(simulator, sugar)
    assert [path for path in paths if path.endswith("oauth2/token")] == [f"{PLAIN}/oauth2/token"]
    assert paths[:2] == [f"{USUAL}/ping/whattimeisit", f"{PLAIN}/ping/whattimeisit"]
    event = Event.objects.get(connection=row_of(told), kind=EventKind.EDITED)
    assert (event.actor, PLAIN in event.summary) == ("background", True)


@pytest.mark.parametrize("tail", ["/api/rest.php/v10/", "/api/rest.php", "/API/REST.php/v11_20/ping?x=1"])
def test_the_root_that_was_pasted_is_the_one_that_is_asked(
    described: dict[str, Any], sugar: InstanceControl, caller: MakeCaller, simulator: SimulatorServer, tail: str
) -> None:
    base = described["instance_url"]
    told = create(caller(), described | {"instance_url": f"{base}{tail}"})
    assert (told["status"], told["instance_url"], row_of(told).rest_path) == ("healthy", base, PLAIN)
    assert asked(simulator, sugar)[0] == f"{PLAIN}/ping/whattimeisit"
    assert not Event.objects.filter(connection=row_of(told), kind=EventKind.EDITED).exists()


def test_the_instance_may_be_away_when_the_connection_is_made(
    described: dict[str, Any], sugar: InstanceControl, caller: MakeCaller, simulator: SimulatorServer
) -> None:
    sugar.chaos("html", status=200)
    told = create(worker := caller(), described)
    assert told["diagnosis"]["code"] == "not_sugar"
    assert row_of(told).rest_path == USUAL, "a page is not Sugar, wherever it lies"
    assert asked(simulator, sugar) == [f"{USUAL}/ping/whattimeisit", f"{PLAIN}/ping/whattimeisit"]
    sugar.calm()
    assert worker.post(f"connections/{told['id']}/sign-in").json()["outcome"] == "done"
    assert row_of(told).rest_path == PLAIN


def test_what_sugar_refuses_under_the_other_root_is_told(
    described: dict[str, Any], sugar: InstanceControl, caller: MakeCaller, simulator: SimulatorServer
) -> None:
    sugar.remove_platform("intg")
    told = create(caller(), described)
    assert told["diagnosis"]["code"] == "platform_not_registered"
    assert row_of(told).rest_path == PLAIN
    assert simulator.control.count(instance=sugar.name, endpoint="token") == 0


def test_an_ordinary_instance_is_asked_nothing_more(connect: Connect, simulator: SimulatorServer) -> None:
    kept = connect("13.3")
    assert not [path for path in asked(simulator, kept.sugar) if path.startswith("api/")]


def test_a_test_finds_it_too(described: dict[str, Any], sugar: InstanceControl, caller: MakeCaller) -> None:
    told = create(worker := caller(), described, sign_in=False)
    checks = worker.post(f"connections/{told['id']}/test").json()["checks"]
    assert (checks[0]["name"], checks[0]["ok"]) == ("instance", True)
    assert row_of(told).rest_path == PLAIN


def test_the_root_is_pasted_later_and_forgotten_with_the_address(
    described: dict[str, Any], caller: MakeCaller, simulator: SimulatorServer
) -> None:
    base = described["instance_url"]
    told = create(worker := caller(), described)
    worker.patch(f"connections/{told['id']}", {"instance_url": f"{base}/api/rest.php/v10"})
    after = row_of(told)
    assert (after.rest_path, after.generation, after.has_refresh_token) == (PLAIN, 1, True)
    assert worker.post(f"connections/{told['id']}/rotate").json()["outcome"] == "done"
    for pasted, root in ((base, PLAIN), (f"{base}/rest/v10", PLAIN), (f"{base}/elsewhere", USUAL)):
        worker.patch(f"connections/{told['id']}", {"instance_url": pasted})
        assert row_of(told).rest_path == root


def test_rewriting_that_is_switched_off_later_is_noticed_before_the_next_refresh(
    connect: Connect, caller: MakeCaller
) -> None:
    kept = connect("13.3")
    kept.sugar.configure(rewrite=False)
    kept.make_due()
    kept.tend()
    row = kept.row
    assert (row.rest_path, row.version_count, row.trouble) == (PLAIN, 2, "")
    assert kept.grants() == 1


def test_nothing_is_changed_while_a_grant_is_on_its_way(connect: Connect, caller: MakeCaller) -> None:
    kept, worker = connect("13.3"), caller()
    kept.sugar.hold("respond")
    asking = in_thread(lambda: worker.post(f"connections/{kept.public_id}/rotate"))
    try:
        kept.sugar.wait_standing()
        kept.sugar.configure(rewrite=False)
        worker.post(f"connections/{kept.public_id}/test")
        assert kept.row.rest_path == USUAL
    finally:
        kept.sugar.release()
        asking.join()
    assert_settled(kept)
    worker.post(f"connections/{kept.public_id}/test")
    assert kept.row.rest_path == PLAIN


def test_an_edit_wins_over_what_was_found_meanwhile(
    described: dict[str, Any],
    sugar: InstanceControl,
    caller: MakeCaller,
    simulator: SimulatorServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = create(worker := caller(), described, sign_in=False)
    keep = roots.keep

    def edited_first(pk: int, **given: Any) -> bool:
        worker.patch(f"connections/{told['id']}", {"instance_url": f"{described['instance_url']}/elsewhere"})
        return keep(pk, **given)

    monkeypatch.setattr(roots, "keep", edited_first)
    worker.post(f"connections/{told['id']}/sign-in")
    assert row_of(told).rest_path == USUAL
    assert simulator.control.count(instance=sugar.name, endpoint="token") == 0


def in_thread(ask: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            ask()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def assert_settled(kept: Kept) -> None:
    newest = Attempt.objects.filter(connection=kept.row, kind="refresh").latest("number")
    assert (newest.state, kept.row.version_count) == ("settled", 2)
