"""No words past gettext: neither in a template nor in what the rooms of the pages say to people."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connections.api.routes import ROUTES
from connections.dashboard.deed_words import WORDS
from connections.dashboard.doings import DOINGS

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
ROOMS = ("dashboard", "customer", "diagnosis", "templatetags")
CODE = [
    path
    for room in ROOMS
    for path in sorted((ROOT / "connections" / room).rglob("*.py"))
    if path.name != "bundle.py"  # Markdown for us, read in English by whoever mends the product
] + [ROOT / "connections" / "condition.py"]
CONTRACT = {"templates/api/docs.html"}
"""The contract of the worker API is in English, in its document for programs and so on the page of the same."""
NAMES = {
    "Sugaradmin", "HTTP", "UTC", "ms", "pid", "curl", "Authorization", "Bearer", "eu", "gold", "acme", "borealis",
    "Acme", "EU", "Borealis", "ana", "sign_in", "c_",
}  # fmt: skip
"""Names, units, signs, and the customers of the style guide: the same in every language."""
SHOWN_ATTRIBUTES = re.compile(r'\b(?:title|alt|aria-label|placeholder|data-[\w-]*(?:word|show|hide))="([^"]*)"')
TRANSLATORS = {"_", "gettext", "gettext_lazy", "_gettext", "ngettext", "ngettext_lazy", "pgettext"}
TO_PEOPLE = {
    "ValidationError", "PermissionDenied", "add_error", "success", "refuse", "AccessRefused", "CharField",
    "ChoiceField", "_ok", "_warn", "_fail",
}  # fmt: skip
SHOWN_KEYWORDS = {"label", "help_text", "title", "text", "effect", "reason", "cause", "what_it_is", "how_we_know"}


def bare(source: str) -> Iterator[str]:
    """Words of a template that no tag translates."""
    for pattern in (
        r"{#.*?#}", r"{% comment %}.*?{% endcomment %}", r"{% blocktranslate\b.*?{% endblocktranslate %}",
        r"{[{%].*?[%}]}", r"<(code|script|style)\b[^>]*>.*?</\1>",
    ):  # fmt: skip
        source = re.sub(pattern, " ", source, flags=re.DOTALL)
    text = " ".join([re.sub(r"<[^>]*>", " ", source), *SHOWN_ATTRIBUTES.findall(source)])
    for word in re.findall(r"[A-Za-z_]{2,}", re.sub(r"&\w+;", " ", text)):
        if word not in NAMES:
            yield word


@pytest.mark.parametrize(
    "path",
    [path for path in TEMPLATES if str(path.relative_to(ROOT)) not in CONTRACT],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_word_of_a_template_goes_past_gettext(path: Path) -> None:
    assert list(bare(path.read_text())) == []


def test_it_would_be_found() -> None:
    source = '<p title="Three words more">{% translate "Fine" %}</p>Forgotten <code>curl -s</code>{{ n }} rows'
    assert list(bare(source)) == ["Forgotten", "rows", "Three", "words", "more"]


def untranslated(tree: ast.AST) -> Iterator[str]:
    """Sentences that are given to people as they stand: `forms.ValidationError("…")`, `label="…"`."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        given = [one.value for one in call.keywords if one.arg in SHOWN_KEYWORDS] if name not in TRANSLATORS else []
        given += call.args if name in TO_PEOPLE else []
        for value in given:
            parts = value.values if isinstance(value, ast.JoinedStr) else [value]
            if any(_is_sentence(part) for part in parts):
                yield ast.unparse(value)


def _is_sentence(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and bool(re.search(r"[A-Za-z]{2,} [a-z]", str(node.value)))


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sentence_to_people_goes_past_gettext(path: Path) -> None:
    assert list(untranslated(ast.parse(path.read_text()))) == []


NOTERS = {"record", "record_on", "record_denied", "_record", "_save", "_note", "note", "note_others", "_changed_factor"}
"""Who writes into the audit is given the name of the deed as it stands."""


def deeds(tree: ast.AST) -> Iterator[str]:
    """Names of deeds: `deed="edit"`, `audit.record(actor, "edit", …)`, and the names behind a door of the API."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        given = [one.value for one in call.keywords if one.arg == "deed"] + (call.args if name in NOTERS else [])
        for value in (
            one for each in given for one in ((each.body, each.orelse) if type(each) is ast.IfExp else (each,))
        ):
            if isinstance(value, ast.Constant) and re.fullmatch(r"[a-z]+(_[a-z]+)*", str(value.value)):
                yield str(value.value)


def test_every_deed_of_the_audit_has_words_of_its_own() -> None:
    rooms = [ROOT / "connections" / room for room in ("custody", "dashboard", "demo", "management", "onboarding")]
    paths = [path for room in (*rooms, ROOT / "connections" / "signin") for path in room.rglob("*.py")]
    written = {deed for path in paths for deed in deeds(ast.parse(path.read_text()))}
    called = {route.deed or route.name for route in ROUTES if route.method != "GET"}
    pressed = {name.replace("-", "_") for name in DOINGS}
    assert {"edit", "rotate_encryption_key", "sign_out", "create_staff"} <= written
    assert (written | called | pressed) - set(WORDS) == set()


def test_no_plural_is_built_by_hand() -> None:
    """One form for one and another for many is ngettext's to choose, or `blocktranslate count`."""
    by_hand = re.compile(r"\bpluralize\b|[\"']s[\"'] if\b|if [\w.]+ (?:==|!=) 1 %}|(?:==|!=) 1 else [\"']")
    paths = [*TEMPLATES, *CODE, *(ROOT / "static" / "js").glob("*.js")]
    assert {str(path): found for path in paths if (found := by_hand.findall(path.read_text()))} == {}


def test_scripts_bring_no_words_of_their_own() -> None:
    """They take them from the page, where they are translated."""
    sentence = re.compile(r"[\"'`]([A-Z][a-z]+(?: [a-z]+)+)[\"'`]")
    scripts = (ROOT / "static" / "js").glob("*.js")
    assert {path.name: found for path in scripts if (found := sentence.findall(path.read_text()))} == {}
