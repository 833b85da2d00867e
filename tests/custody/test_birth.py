"""The birth time of a file, as this machine tells it, and where none does."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from connections.custody import birth


def test_a_file_was_born_when_it_was_made_whatever_was_written_since(tmp_path: Path) -> None:
    file, before = tmp_path / "new", int(time.time())
    file.write_text("x")
    os.utime(file, (1, 1))
    born = birth.born_at(file)
    if born is None:
        pytest.skip("This file system keeps no birth time.")
    assert before <= born <= time.time()
    file.write_text("y")
    assert birth.born_at(file) == born


def test_a_file_that_is_not_there_has_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        birth.born_at(tmp_path / "nowhere")


@pytest.mark.skipif(sys.platform == "darwin", reason="there Python itself tells it")
@pytest.mark.parametrize(
    "library",
    [
        pytest.param(SimpleNamespace(), id="older C library"),
        pytest.param(SimpleNamespace(statx=Mock(return_value=-1)), id="refused"),
        pytest.param(SimpleNamespace(statx=Mock(return_value=0)), id="file system that keeps none"),
    ],
)
def test_it_is_not_known_where_the_system_does_not_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: object
) -> None:
    monkeypatch.setattr(birth.ctypes, "CDLL", lambda name: library)
    assert birth.born_at(tmp_path) is None
