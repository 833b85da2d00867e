"""One line of JSON in, one line of JSON out: how a test talks to its processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any, TextIO

Answerer = Callable[..., Any]


def answer(handlers: dict[str, Answerer]) -> None:
    """Until the other side hangs up."""
    global _line
    _line = keep_the_line_free()
    for line in sys.stdin:
        order = json.loads(line)
        say(handlers[order.pop("do")](**order))


def say(words: object) -> None:
    _line.write(json.dumps(words) + "\n")
    _line.flush()


def keep_the_line_free() -> TextIO:
    """Our words go where standard output went; what else is printed, logs above all, goes to standard error."""
    line = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return line


_line: TextIO = sys.stdout


class Partner:
    """The other end: a process of ours, started from a module."""

    def __init__(self, module: str, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def tell(self, do: str, **order: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **order}) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process has ended; what it wrote stands above"
        return json.loads(line)

    def ask(self, do: str, **order: object) -> Any:
        self.tell(do, **order)
        return self.hear()

    def end(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
