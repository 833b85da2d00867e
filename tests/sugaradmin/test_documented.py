"""Every setting is documented, and nothing documented is no setting."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sugaradmin import settings as product

ROOT = Path(product.BASE_DIR)


def settings_read() -> set[str]:
    return {name for name in product._env.known if not name.endswith("_FILE")}


@pytest.mark.parametrize(
    ("page", "pattern"),
    [("docs/configuration.md", r"^\| `([A-Z_]+)`"), (".env.example", r"^#?([A-Z_]+)=")],
)
def test_every_setting_is_listed_and_nothing_else(page: str, pattern: str) -> None:
    listed = re.findall(pattern, (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(settings_read())


def test_what_can_come_from_a_file_is_marked_as_secret() -> None:
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    marked = set(re.findall(r"^\| `([A-Z_]+)` \*secret\*", text, re.MULTILINE))
    assert marked == {name.removesuffix("_FILE") for name in product._env.known if name.endswith("_FILE")}


def test_every_test_that_the_security_page_names_exists() -> None:
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests|sugaradmin|connections)/[\w/.]+?)(?:::(\w+))?`", text)
    assert len(named) > 30
    for path, function in named:
        assert not function or f"def {function}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{function}"
        assert (ROOT / path).exists(), path
