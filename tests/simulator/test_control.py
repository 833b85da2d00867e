"""The control API and its client: what a test, a demo button or a command can do from outside."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from connections.simulator import Control, ControlFailed, SimulatorServer
from connections.simulator import events as event_names
from connections.simulator.control import InstanceControl
from connections.simulator.events import Events
from tests.simulator.wires import grant, send


@pytest.fixture
def sim() -> Iterator[SimulatorServer]:
    with SimulatorServer(port_per_instance=True) as server:
        yield server


@pytest.fixture
def control(sim: SimulatorServer) -> Control:
    return sim.control


def test_it_makes_and_removes_instances(control: Control) -> None:
    acme = control.add_instance("acme", "12.0", access_token_lifetime=60)
    assert control.instances() == {"acme": acme.url}
    assert json.loads(grant(acme.url)[1])["expires_in"] == 60
    acme.delete()
    assert control.instances() == {}
    with pytest.raises(ControlFailed, match="unknown"):
        acme.state()


def test_what_makes_no_sense_is_refused(control: Control) -> None:
    acme = control.add_instance("acme")
    with pytest.raises(ControlFailed, match="unknown preset"):
        control.add_instance("other", "99")
    with pytest.raises(ControlFailed, match="exists"):
        control.add_instance("acme")
    with pytest.raises(ControlFailed, match="unknown parameter"):
        acme.configure(colour="red")
    with pytest.raises(ControlFailed, match="license_state"):
        acme.license("lost")
    with pytest.raises(ControlFailed, match="unknown"):
        acme.act("explode")
    with pytest.raises(ControlFailed, match="no user"):
        acme.deactivate("nobody")


def test_every_event_can_be_reached_from_outside() -> None:
    public = {name for name in vars(Events) if not name.startswith("_")}
    assert public == event_names.NAMES
    assert public <= set(dir(InstanceControl))


def test_events_change_the_world(control: Control) -> None:
    acme = control.add_instance("acme")
    mine = json.loads(grant(acme.url)[1])
    refresh = {"grant_type": "refresh_token", "refresh_token": mine["refresh_token"]}
    acme.back_up()
    acme.outside_login("svc", "intg")
    assert grant(acme.url, **refresh)[0] == 400
    acme.restore_backup()
    acme.user("extra", "pw", admin=True)
    acme.key("own", "s3cret")
    acme.admin_change_password("svc", "new")
    acme.lock_out("admin")
    state = acme.state()
    assert {user["name"] for user in state["users"]} == {"admin", "svc", "extra"}  # type: ignore[attr-defined,index]
    assert grant(acme.url, username="extra", password="pw", client_id="own", client_secret="s3cret")[0] == 200
    assert grant(acme.url, **refresh)[0] == 200
    acme.ip_change("203.0.113.5")
    acme.block_ip()
    with pytest.raises(OSError):
        grant(acme.url)
    acme.unblock_ip()
    assert grant(acme.url, password="new")[0] == 200


def test_the_clock_moves_for_everybody_and_skews_for_one(control: Control) -> None:
    acme = control.add_instance("acme", skew=7200)
    mine = json.loads(grant(acme.url)[1])
    before = control.send("GET", "")["now"]
    control.advance_clock(3601)
    assert control.send("GET", "")["now"] - before > 3600  # type: ignore[operator]
    token = f"/rest/v10/ping?oauth_token={mine['access_token']}"
    acme.configure(allow_oauth_via_get=True)
    assert b"has expired" in send(acme.url, "GET", token)[1]
    assert abs(acme.state()["now"] - control.send("GET", "")["now"] - 7200) < 5  # type: ignore[operator]


def test_two_refreshes_are_made_to_overlap_and_both_die(sim: SimulatorServer, control: Control) -> None:
    acme = control.add_instance("acme")
    mine = json.loads(grant(acme.url)[1])
    acme.hold("select_others", 2)
    answers: list[int] = []

    def refresh() -> None:
        answers.append(grant(acme.url, grant_type="refresh_token", refresh_token=mine["refresh_token"])[0])

    threads = [threading.Thread(target=refresh) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert acme.wait_standing(2) == ["select_others", "select_others"]
    assert len(acme.rows()) == 3
    assert acme.release() == 2
    for thread in threads:
        thread.join()
    assert answers == [200, 200]
    assert acme.rows() == []
    assert control.verdict() == {"violations": [], "presented_again": [], "without_platform": []}


def test_a_slow_instance_overlaps_by_itself(control: Control) -> None:
    acme = control.add_instance("acme")
    mine = json.loads(grant(acme.url)[1])
    acme.pace(all=0.1)
    refresh = {"grant_type": "refresh_token", "refresh_token": mine["refresh_token"]}
    threads = [threading.Thread(target=grant, args=(acme.url,), kwargs=refresh) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert acme.rows() == []


def test_the_log_is_filtered_and_counted(control: Control) -> None:
    acme = control.add_instance("acme")
    grant(acme.url)
    grant(acme.url, grant_type="refresh_token", refresh_token="x", platform=None)
    (entry,) = control.log(instance="acme", grant="refresh")
    assert (entry["status"], entry["platform"], len(str(entry["fingerprint"]))) == (400, "", 8)
    assert control.count(endpoint="token") == 2
    control.clear_log()
    assert control.count() == 0


def test_a_closed_port_refuses_and_opens_again_at_the_same_place(control: Control) -> None:
    acme = control.add_instance("acme")
    url = acme.url
    acme.close_port()
    with pytest.raises(ConnectionRefusedError):
        grant(url)
    acme.open_port()
    assert grant(url)[0] == 200


def test_chaos_by_name(control: Control) -> None:
    acme = control.add_instance("acme")
    acme.chaos("error_before", endpoint="token", count=1, status=503)
    assert [grant(acme.url)[0] for _ in range(2)] == [503, 200]
    acme.chaos("waf")
    acme.calm()
    assert grant(acme.url)[0] == 200
    with pytest.raises(ControlFailed, match="unknown chaos"):
        acme.chaos("magic")
