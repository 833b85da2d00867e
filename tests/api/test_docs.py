"""docs/api.md names what there is."""

from __future__ import annotations

from pathlib import Path

from connections.api.contract import PROBLEMS
from connections.api.problems import CODES
from connections.api.views.documents import ALL_ROUTES
from connections.choices import Scope

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_call_stands_in_the_page_with_its_scope() -> None:
    for route in ALL_ROUTES:
        scope = f"`{route.scope}`" if route.scope else "no key"
        assert f"| `{route.method} /{route.path}` | {scope} |" in PAGE


def test_every_scope_code_status_and_parameter_stands_in_the_page() -> None:
    assert not [scope for scope in Scope.values if f"| `{scope}` |" not in PAGE]
    assert not [code for code in CODES if f"`{code}`" not in PAGE]
    assert not [status for status in PROBLEMS if f"| {status} |" not in PAGE]
    assert not [param.name for route in ALL_ROUTES for param in route.query if f"`{param.name}`" not in PAGE]
