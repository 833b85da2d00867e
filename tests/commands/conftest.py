"""Commands as a shell runs them: what they print, how they end. The fleet comes from custody's own fixtures."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from connections.custody import guard
from sugaradmin.keys import new_key
from tests.conftest import Configured
from tests.custody.conftest import clock, connect, simulator

__all__ = ["clock", "connect", "simulator"]
OLD, NEW = f"k1:{new_key()}", f"k2:{new_key()}"
OWN = 1  # the key of the audit chain


@dataclass(frozen=True)
class Said:
    """`error` is the one line a shell would see after `CommandError:`; empty when the command succeeded."""

    out: str
    err: str
    error: str

    @property
    def json(self) -> Any:
        assert not self.error, self.error
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("connection", "add", …, stdin="secret\\n")`"""

    def command(*words: str, stdin: str = "") -> Said:
        out, err, error = io.StringIO(), io.StringIO(), ""
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        try:
            call_command(*words, stdout=out, stderr=err)
        except CommandError as refused:
            error = str(refused)
            assert refused.returncode != 0
            assert "\n" not in error
        return Said(out.getvalue(), err.getvalue(), error)

    return command


@pytest.fixture
def ring(transactional_db: None, configured: Configured) -> Callable[[str], None]:
    """Gives this process another key ring; it begins with `OLD`."""

    def use(text: str) -> None:
        configured(encryption_keys=text, allow_http=True)
        guard.forget()

    use(OLD)
    return use
