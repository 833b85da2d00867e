"""A site of real processes for tests: `serve` in a directory of its own, on a free port."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 40.0
DATABASE = "sugaradmin.sqlite3"


def until(condition: Callable[[], Any], *, seconds: float = PATIENCE) -> Any:
    """The first true answer; fails when none comes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.05)
    raise AssertionError("It did not happen in time.")


def environment(data_dir: Path, **variables: str) -> dict[str, str]:
    """Ours alone, in development; nothing of the machine's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUGARADMIN_", "DATABASE_"))}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    ours = {"SUGARADMIN_ENV": "development", "SUGARADMIN_DATA_DIR": str(data_dir), "SUGARADMIN_TICK_SECONDS": "0.2"}
    return kept | ours | variables


@dataclass
class RunningSite:
    process: subprocess.Popen[str]
    log: Path

    @property
    def text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def url(self) -> str:
        found = until(lambda: re.search(r"ready at (http://\S+?)/ ", self.text) or self.process.poll() is not None)
        assert found is not True, self.text
        return str(found.group(1))

    def family(self) -> list[psutil.Process]:
        """Everybody the parent has started, at any depth."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def part(self, name: str) -> psutil.Process | None:
        """The process the parent started for a part; the others of that part are its descendants."""
        for child in psutil.Process(self.process.pid).children():
            if f"--part {name} " in _command(child):
                return child
        return None

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url() + path, timeout=10, trust_env=False)

    def code(self, *, seconds: float) -> int:
        """How it ended by itself; fails with who is late, what he did last and what was logged."""
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            late = [f"{one.pid} {one.status()} {_command(one)}{_waits(one)}" for one in self.family()]
            raise AssertionError("\n".join(["It did not stop in time.", *late, self.text])) from None

    def end(self) -> None:
        """Whatever a test left: the parent by force, the rest by its leash."""
        family = self.family() if self.process.poll() is None else []
        self.process.kill()
        self.process.wait()
        gone(family)


@cache
def migrated() -> Path:
    """A database of the product's own `migrate`, with nothing in it: made once, since each takes seconds."""
    directory = Path(tempfile.mkdtemp(prefix="sugaradmin-migrated-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"], check=True, env=environment(directory)
    )
    return directory / DATABASE


def start(data_dir: Path, *arguments: str, is_empty: bool = False, **variables: str) -> RunningSite:
    """`is_empty`: not even tables are there, as at the very first start."""
    if not is_empty and "DATABASE_URL" not in variables and not data_dir.exists():
        data_dir.mkdir(mode=0o700)
        shutil.copy(migrated(), data_dir / DATABASE)
    log = data_dir.parent / f"{data_dir.name}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "serve", "--port", "0", *arguments],
            stdout=output, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            env=environment(data_dir, **variables),
        )  # fmt: skip
    return RunningSite(process, log)


def gone(processes: list[psutil.Process], *, seconds: float = 10) -> bool:
    """Whether all of them end within that time; a zombie nobody reaps has ended too."""
    try:
        until(lambda: not [one for one in processes if _lives(one)], seconds=seconds)
    except AssertionError:
        return False
    return True


def _command(process: psutil.Process) -> str:
    """Empty for one that ended while we looked."""
    try:
        return " ".join((*process.cmdline(), ""))
    except psutil.Error:
        return ""


def _waits(process: psutil.Process) -> list[str]:
    """Where its threads stand in the kernel, where this system says it."""
    tasks = Path(f"/proc/{process.pid}/task").glob("*/wchan")
    try:
        return [task.read_text() for task in tasks]
    except OSError:
        return []


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def tell_group(site: RunningSite, number: signal.Signals) -> None:
    os.killpg(site.process.pid, number)
