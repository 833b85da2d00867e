"""What survives a restart of the simulator."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from connections.simulator import PRESETS, Control, World
from connections.simulator.archive import load, save
from tests.simulator.player import Clock, Player
from tests.simulator.wires import grant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("preset", list(PRESETS))
def test_tokens_live_on_in_another_world(world: World, clock: Clock, preset: str, tmp_path: Path) -> None:
    svc = Player(world.add_instance("acme", preset, max_session_lifetime=9000))
    mine, admin = svc.tokens(), Player(svc.instance, user="admin", password="admin").tokens()
    svc.instance.events.lock_out("svc")
    world.advance(100)
    save(world, tmp_path / "state.json")

    other = World(clock=clock)
    assert load(other, tmp_path / "state.json")
    again = Player(other["acme"])
    assert other.clock() == world.clock()
    assert again.instance.parameters == svc.instance.parameters
    assert again.lives(mine) and again.lives(admin)
    assert again.refresh(mine).status == 200
    assert again.sign_in().status == 401
    assert again.instance.violations() == []


def test_nothing_saved_is_no_error_and_another_file_is(world: World, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    assert not load(world, path)
    path.write_text("[]")
    with pytest.raises(ValueError, match="no archive"):
        load(world, path)


def test_the_program_keeps_its_state_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    command = [sys.executable, "-m", "connections.simulator", "--state", str(path), "--instance", "acme=13.3"]
    for password in ("secret", "new"):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            url = program.stdout.readline().split()[-1]
            assert grant(f"{url}/i/acme", password=password)[0] == 200
            if password == "secret":
                Control(url).instance("acme").admin_change_password("svc", "new")
            program.send_signal(signal.SIGTERM)
            assert program.wait(5) == 0
