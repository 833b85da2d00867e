"""A demo of real processes, and somebody who looks at its pages."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.dashboard.sending import FENCES
from tests.serving.site import ROOT, environment, gone, until

PATIENCE = 90.0
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass
class Desk:
    client: httpx.Client

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer.text

    def post(self, path: str, *, at: str, **fields: str) -> str:
        """Press the button that stands on the page `at`."""
        page = self.get(at)
        token = TOKEN.search(page)
        assert token is not None, at
        data = {"csrfmiddlewaretoken": token[1], **dict(FENCES.findall(page)), **fields}
        answer = self.client.post(path, data=data, headers={"Referer": str(self.client.base_url)})
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:2000]}"
        return answer.text


class Demo:
    def __init__(self, data_dir: Path, *arguments: str, **variables: str) -> None:
        self.log = data_dir / "demo.log"
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "demo", "--port", "0", *arguments],
                stdout=output, stderr=subprocess.STDOUT, text=True, start_new_session=True,
                env=environment(data_dir, DATABASE_URL="sqlite:////nonexistent/real.sqlite3", **variables),
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

    @property
    def url(self) -> str:
        return self.said(r"ready at (http://\S+?)/ ")[1]

    def connections(self) -> list[dict[str, object]]:
        items: list[dict[str, object]] = self.ask("connections?limit=200")["items"]
        return items

    def ask(self, path: str) -> Any:
        """The worker API."""
        key = self.said(r"worker's key of this run: (\S+)")[1]
        answer = httpx.get(
            f"{self.url}/api/v1/{path}", headers={"Authorization": f"Bearer {key}"}, timeout=10, trust_env=False
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """A browser without script, signed in as the demo says."""
        password = self.said(r"Sign in as demo with the password (\S+) ")[1]
        with httpx.Client(base_url=self.url, follow_redirects=True, timeout=30, trust_env=False) as client:
            desk = Desk(client)
            desk.post("/sign-in/", at="/sign-in/", login="demo", password=password)
            yield desk


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    running = Demo(tmp_path)
    yield running
    family = running.family() if running.process.poll() is None else []
    running.process.kill()
    running.process.wait()
    gone(family)
