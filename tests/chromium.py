"""A Chromium for the browser tests: $CHROMIUM, else one that is found, else Debian's where we are root.

`python -m tests.chromium` prints its path, or says on standard error which command would bring one, and fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLAYWRIGHT = Path.home() / ".cache" / "ms-playwright"
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def find() -> str | None:
    """The first that runs; a browser named by $CHROMIUM is the only one looked at."""
    named = os.environ.get("CHROMIUM")
    candidates = [named] if named else _installed()
    return next((path for path in candidates if _runs(path)), None)


def bring() -> str | None:
    """Install Debian's, where that is ours to do."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None or os.environ.get("CHROMIUM"):
        return None
    sys.stderr.write("No Chromium is here: installing Debian's for the browser tests.\n")
    install = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]
    for command in (["apt-get", "update"], install):
        done = subprocess.run(
            command, check=False, stdout=sys.stderr, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        )
        if done.returncode != 0:
            return None
    return find()


def command_for_a_person() -> str:
    if shutil.which("apt-get"):
        return "sudo apt-get install chromium"
    return ".venv/bin/playwright install chromium"


def _installed() -> Iterator[str]:
    yield from filter(None, map(shutil.which, NAMES))
    yield from (str(path) for path in sorted(PLAYWRIGHT.glob("chromium-*/chrome-linux*/chrome"), reverse=True))
    yield str(MAC)


def _runs(path: str) -> bool:
    try:
        return subprocess.run([path, "--version"], check=False, capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def main() -> int:
    path = find() or bring()
    if path is not None:
        sys.stdout.write(f"{path}\n")
        return 0
    sys.stderr.write(
        f"The browser tests need Chromium: {command_for_a_person()}  (or set CHROMIUM to the path of one that runs)\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
