"""Imports point down only, and only the ledger writes tokens and chain state."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "connections"

# A room may import itself and the rooms named here: DESIGN section 3. Pure rooms know no ORM and no settings.
PURE = ("vault", "egress", "sugar", "diagnosis")
ALLOWED: dict[str, set[str]] = {
    "choices": set(),
    "vault": {"choices"},
    "egress": {"choices"},
    "sugar": {"choices", "egress"},
    "diagnosis": {"choices"},
    "simulator": set(),
    "models": {"choices", "vault", "egress", "sugar", "diagnosis"},
}
ALLOWED["custody"] = {*ALLOWED["models"], "models"}
ALLOWED["onboarding"] = {*ALLOWED["custody"], "custody"}
ALLOWED["notify"] = {*ALLOWED["custody"], "custody", "onboarding"}
_UPPER = {*ALLOWED["notify"], "notify"}
ALLOWED["signin"] = _UPPER
ALLOWED["tasks"] = _UPPER
ALLOWED["condition"] = _UPPER
ALLOWED["metrics"] = {*_UPPER, "condition"}
ALLOWED["health"] = {*_UPPER, "condition", "metrics"}
ALLOWED["serving"] = {*_UPPER, "tasks", "condition"}
ALLOWED["dashboard"] = {*_UPPER, "condition", "signin"} - {"sugar", "vault", "egress"}
ALLOWED["demo"] = {*_UPPER, "serving", "simulator", "tasks", "dashboard"}
ALLOWED["customer"] = {*_UPPER} - {"sugar", "vault", "egress", "notify"}
ALLOWED["templatetags"] = {*ALLOWED["dashboard"], "dashboard"}
ALLOWED["api"] = {*_UPPER} - {"sugar", "vault", "egress"}
ALLOWED["management"] = {*_UPPER, "serving", "demo", "simulator", "tasks", "condition", "api"}
ALLOWED["checks"] = {"choices"}
ALLOWED["apps"] = {"checks", "serving", "signin"}
ALLOWED["admin"] = {"models", "choices"}
ALLOWED["policy_reports"] = {"customer"}
ALLOWED["urls"] = {"dashboard", "customer", "health", "api"}
ALLOWED["signin_urls"] = {"dashboard"}
ALLOWED["migrations"] = {"models", "choices", "vault"}
FORBIDDEN = dict.fromkeys(("dashboard", "customer", "api"), ("connections.custody.ledger",))


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Everything imported, at any depth of the module; names for `from connections import x` too.

    What only the type checker sees is left out.
    """
    for node in _running(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from _running(child)


def rooms_imported(path: Path) -> set[str]:
    found = {name.split(".")[1] for name, _ in imports_of(path) if name.startswith("connections.")}
    return {room for room in found if (PACKAGE / room).is_dir() or (PACKAGE / f"{room}.py").is_file()}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down_only(path: Path) -> None:
    room = room_of(path)
    assert room in ALLOWED, f"Say in this test what the new room {room!r} may import."
    upward = rooms_imported(path) - ALLOWED[room] - {room}
    assert not upward, f"{room} must not import {', '.join(sorted(upward))}"
    for name, _ in imports_of(path):
        assert not name.startswith(FORBIDDEN.get(room, ("-",))), f"{room} must not import {name}"


def test_pure_rooms_know_no_orm_and_no_settings() -> None:
    for path in modules():
        if room_of(path) in PURE:
            names = [name for name, _ in imports_of(path)]
            assert not [name for name in names if name.startswith(("django.db", "django.conf"))], path


def test_the_simulator_imports_nothing_of_ours_and_no_django() -> None:
    for path in (PACKAGE / "simulator").rglob("*.py"):
        for name, _ in imports_of(path):
            assert not name.startswith("django"), path
            if name.startswith("connections."):
                assert name.startswith("connections.simulator"), f"{path} imports {name}"


def test_no_import_hides_in_a_function_to_dodge_a_cycle() -> None:
    hidden = []
    for path in modules():
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                hidden += [
                    f"{path.relative_to(ROOT)}:{node.lineno}"
                    for node in ast.walk(function)
                    if isinstance(node, ast.Import | ast.ImportFrom)
                ]
    assert not hidden


def test_modules_of_a_room_form_no_cycle() -> None:
    graph = {_name(path): {name for name, _ in imports_of(path)} for path in modules()}
    graph = {name: {other for other in others if other in graph and other != name} for name, others in graph.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join((*trail, name))
        if name in done:
            return
        for other in graph[name]:
            # A package's __init__ that gathers names is imported by its siblings' users, not by its siblings.
            if not name.startswith(f"{other}."):
                visit(other, (*trail, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_only_the_ledger_writes_tokens_and_chain_state() -> None:
    """Anything that saves, updates or deletes these three models lives in custody.ledger; pruning and
    re-encryption are the two exceptions, and change neither state nor chain. The demo's crowd is written as a whole,
    by a module that nothing else imports."""
    writes = re.compile(
        r"(TokenVersion|Attempt|Connection)\.objects\b[^\n]*(\.create\(|\.update\(|\.delete\(|bulk_)|\brow\.save\("
    )
    exceptions = {"custody/pruning.py", "custody/rekey.py", "demo/seeding.py"}
    for path in modules():
        place = str(path.relative_to(PACKAGE))
        if place.startswith(("custody/ledger/", "migrations/", "models/")) or place in exceptions:
            continue
        assert not writes.search(path.read_text()), place


def test_only_the_demo_writes_a_crowd() -> None:
    for path in modules():
        if room_of(path) != "demo":
            found = [
                name
                for name, _ in imports_of(path)
                if name.startswith(("connections.demo.seeding", "connections.demo.loading"))
            ]
            assert not found, path


def test_httpx_is_imported_in_one_place_at_most() -> None:
    users = {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if any(name.split(".")[0] in ("httpx", "httpcore") for name, _ in imports_of(path))
    }
    assert all(user.startswith("egress/") for user in users), users


def test_the_environment_is_read_in_one_place() -> None:
    for path in modules():
        if room_of(path) in ("serving", "demo"):
            continue  # they start processes and hand them an environment
        assert "os.environ" not in path.read_text(), path
