"""`manage.py demo` as people start it: a real process, its children, its pages."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from connections.demo.samples import SAMPLES
from tests.demo.running import Demo, demo
from tests.serving.site import ROOT, environment, gone, until

__all__ = ["demo"]


def test_it_shows_every_status_refreshes_by_itself_and_leaves_nobody(demo: Demo, tmp_path: Path) -> None:
    demo.said(r"Sign in as demo with the password \S{16} ")
    told = demo.said(r"(\d+) sample connections are there: (.*)\.")
    assert int(told[1]) == len(SAMPLES)
    assert {word.split()[1] for word in told[2].split(", ")} == {str(sample.status) for sample in SAMPLES}

    rows = demo.connections()
    versions = {row["id"]: row["token"]["version"] for row in rows if row["token"] and row["status"] == "healthy"}
    assert len({row["diagnosis"]["code"] for row in rows if row["diagnosis"]}) >= 10

    second = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "demo", "--port", "0"],
        capture_output=True, text=True, timeout=60, env=environment(tmp_path), check=False,
    )  # fmt: skip
    assert second.returncode == 1
    assert "runs in" in second.stderr
    assert demo.connections(), "the second start must not touch the first"

    def moved() -> bool:
        return any(row["token"]["version"] > versions[row["id"]] for row in demo.connections() if row["id"] in versions)

    until(moved, seconds=150)
    family = demo.family()
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(40) == 0, demo.text
    assert gone(family)


def test_nothing_survives_a_kill_and_it_starts_afresh(demo: Demo, tmp_path: Path) -> None:
    password = demo.said(r"password (\S+) ")[1]
    demo.said(r"sample connections are being made")
    family = demo.family()
    demo.process.kill()
    demo.process.wait()
    assert family
    assert gone(family)
    again = Demo(tmp_path)
    try:
        assert again.said(r"password (\S+) ")[1] != password
        again.said(r"sample connections are being made")
    finally:
        family = again.family()
        again.process.terminate()
        again.process.wait(40)
        assert gone(family)


def test_it_never_empties_a_directory_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    real = tmp_path / "demo" / "sugaradmin.sqlite3"
    real.write_text("precious")
    refused = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "demo", "--port", "0"],
        capture_output=True, text=True, timeout=60, env=environment(tmp_path), check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "no demo made" in refused.stderr
    assert real.read_text() == "precious"


def test_it_serves_this_machine_alone(tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "demo", "--host", "0.0.0.0"],
        capture_output=True, text=True, timeout=60, env=environment(tmp_path), check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1, refused.stderr
