"""Typed readers of the environment: the only place that looks at it.

A value that does not parse, a secret that is missing and a name nobody reads all end the same way: one EnvError whose
text is one line that names the variable, says what is wrong and shows a value that would do.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Value = TypeVar("Value")

PREFIX = "SUGARADMIN_"
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})
# What our own containers and service managers set beside the settings; not ours to judge.
SETTINGS_MODULE = "DJANGO_SETTINGS_MODULE"


class EnvError(Exception):
    """The environment does not make a configuration; the text is one line for the operator, without any secret."""


class Environment:
    """Reads one mapping of names to texts and remembers which names exist, so that the rest can be refused."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables
        self._known: set[str] = set()

    def text(self, name: str, default: str = "") -> str:
        """The value without surrounding blanks; an empty one counts as not set."""
        self._known.add(name)
        return self._variables.get(name, "").strip() or default

    def secret(self, name: str, *, example: str) -> str:
        """The value of NAME, or the content of the file that NAME_FILE points at; empty when neither is set."""
        value, path = self.text(name), self.text(f"{name}_FILE")
        if value and path:
            raise EnvError(f"{name} and {name}_FILE are both set: keep one of them.")
        if not path:
            return value
        try:
            content = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise EnvError(f"{name}_FILE: cannot read {path!r}; it must be a file that holds {example}.") from None
        if not content:
            raise EnvError(f"{name}_FILE: {path!r} is empty; it must hold {example}.")
        return content

    def choice(self, name: str, default: str, *, words: tuple[str, ...]) -> str:
        value = self.text(name, default).lower()
        if value not in words:
            raise _bad(name, value, "one of " + ", ".join(words), default)
        return value

    def integer(self, name: str, default: int, *, least: int = 0, most: int = 1_000_000) -> int:
        return self._parsed(
            name, default, lambda text: _between(int(text), least, most), f"a whole number {least}–{most}"
        )

    def number(self, name: str, default: float, *, least: float = 0, most: float = 1_000_000) -> float:
        return self._parsed(
            name, default, lambda text: _between(float(text), least, most), f"a number {least:g}–{most:g}"
        )

    def seconds(self, name: str, default: float, *, least: float = 0.01, most: float = 86_400) -> timedelta:
        return timedelta(seconds=self.number(name, default, least=least, most=most))

    def days(self, name: str, default: int) -> timedelta:
        return timedelta(days=self.integer(name, default, least=1, most=36_500))

    def flag(self, name: str, *, default: bool = False) -> bool:
        return self._parsed(name, default, _truth, "yes or no", example="yes")

    def list(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The parts between commas, in order, without blanks and empty parts."""
        return tuple(part.strip() for part in self.text(name).split(",") if part.strip()) or default

    def networks(self, name: str) -> tuple[Network, ...]:
        return self._parsed(name, (), _networks, "networks with commas between them", example="10.20.0.0/16,fd12::/48")

    def ports(self, name: str, default: frozenset[int]) -> frozenset[int]:
        return self._parsed(name, default, _ports, "ports with commas between them", example="443,8443")

    def url(self, name: str, default: str = "", *, schemes: tuple[str, ...]) -> SplitResult | None:
        """The parts of an address with one of these schemes; nothing when it is not set. Never quotes the value."""
        value = self.text(name, default)
        if not value:
            return None
        example = f"{schemes[-1]}://host.example/path"
        try:
            parts = urlsplit(value)
            parts.port  # noqa: B018  urllib checks the port only when it is asked for
        except ValueError:
            raise EnvError(f"{name} is not an address; write for example {example}.") from None
        if parts.scheme not in schemes:
            raise EnvError(
                f"{name} must begin with {' or '.join(f'{scheme}:' for scheme in schemes)}, as in {example}."
            )
        return parts

    @property
    def known(self) -> frozenset[str]:
        """Every name that a reader asked for."""
        return frozenset(self._known)

    def refuse_unknown(self) -> None:
        """Stop on a name with our prefix that no reader asked for: a typing error must not become a default."""
        for name in sorted(self._variables):
            if name.startswith(PREFIX) and name not in self._known:
                close = difflib.get_close_matches(name, self._known, n=1, cutoff=0.6)
                hint = f"did you mean {close[0]}?" if close else "docs/configuration.md lists all."
                raise EnvError(f"{name} is not a setting of Sugaradmin: {hint}")

    def _parsed(
        self, name: str, default: Value, parse: Callable[[str], Value], wanted: str, *, example: str = ""
    ) -> Value:
        value = self.text(name)
        if not value:
            return default
        try:
            return parse(value)
        except ValueError:
            raise _bad(name, value, wanted, example or f"{default}") from None


def use_settings(module: str) -> None:
    """Name the settings module for Django where the caller did not."""
    os.environ.setdefault(SETTINGS_MODULE, module)


def inherited(
    variables: Mapping[str, str], *, unless_given: Mapping[str, str], unset: tuple[str, ...]
) -> dict[str, str]:
    """The environment for another program of ours: what we have without `unset`, then what is said here."""
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    return {**unless_given, **kept, **variables}


def _bad(name: str, value: str, wanted: str, example: str) -> EnvError:
    return EnvError(f"{name}={value!r} is not {wanted}; write for example {name}={example}")


Number = TypeVar("Number", int, float)


def _between(value: Number, least: float, most: float) -> Number:
    if not least <= value <= most:  # also refuses NaN, which compares false
        raise ValueError
    return value


def _truth(text: str) -> bool:
    word = text.lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise ValueError
    return word in TRUE_WORDS


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def _ports(text: str) -> frozenset[int]:
    return frozenset(_between(int(part), 1, 65_535) for part in text.split(",") if part.strip())
