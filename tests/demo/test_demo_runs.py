"""`manage.py demo` as people start it: a real process, its children, its pages."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from connections.demo.samples import SAMPLES
from tests.serving.site import ROOT, environment, gone, until

PATIENCE = 90.0


class Demo:
    def __init__(self, data_dir: Path, *arguments: str) -> None:
        self.log = data_dir / "demo.log"
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "demo", "--port", "0", *arguments],
                stdout=output, stderr=subprocess.STDOUT, text=True, start_new_session=True,
                env=environment(data_dir, DATABASE_URL="sqlite:////nonexistent/real.sqlite3"),
            )  # fmt: skip

    @property
    def text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def said(self, pattern: str) -> re.Match[str]:
        found = until(lambda: re.search(pattern, self.text) or self.process.poll() is not None, seconds=PATIENCE)
        assert isinstance(found, re.Match), self.text
        return found

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def connections(self) -> list[dict[str, object]]:
        key = self.said(r"worker's key of this run: (\S+)")[1]
        url = self.said(r"ready at (http://\S+?)/ ")[1]
        answer = httpx.get(
            f"{url}/api/v1/connections?limit=200",
            headers={"Authorization": f"Bearer {key}"}, timeout=10, trust_env=False,
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        items: list[dict[str, object]] = answer.json()["items"]
        return items


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    running = Demo(tmp_path)
    yield running
    family = running.family() if running.process.poll() is None else []
    running.process.kill()
    running.process.wait()
    gone(family)


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
        told = again.said(r"(\d+) sample connections are there")
        assert int(told[1]) == len(SAMPLES)
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
