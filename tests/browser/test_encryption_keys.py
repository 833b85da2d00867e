"""The page of keys on a phone: a card clips what is too wide, so nothing may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from connections.custody import guard
from sugaradmin.keys import new_key
from tests.browser.conftest import NARROW, PHONE, Open
from tests.conftest import Configured
from tests.custody.conftest import Connect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CLIPPED = """() => [...document.querySelectorAll(".cards td *")].filter(one =>
  one.getBoundingClientRect().right > one.closest("tr").getBoundingClientRect().right).map(one => one.textContent)"""


@pytest.mark.parametrize("size", [PHONE, NARROW], ids=["360", "320"])
def test_the_state_of_a_key_that_is_needed_is_not_cut_off(
    open_desk: Open, connect: Connect, configured: Configured, tmp_path: Path, size: tuple[int, int]
) -> None:
    file = tmp_path / "encryption_keys"
    file.write_text(f"k1:{new_key()}")
    configured(encryption_key_file=file, data_dir=tmp_path)
    guard.forget()
    connect("13.3")
    file.write_text(f"k2:{new_key()},{file.read_text()}")
    desk = open_desk("admin", size=size)
    desk.go("/settings/keys/")
    assert "Opens only, and is needed" in desk.page.content()
    assert desk.page.evaluate(CLIPPED) == []
