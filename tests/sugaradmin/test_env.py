"""Readers of the environment: what they take, and the one line they refuse with."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from pathlib import Path

import pytest

from sugaradmin.env import EnvError, Environment


def read(**variables: str) -> Environment:
    return Environment(variables)


def test_a_value_is_read_without_blanks_and_an_empty_one_counts_as_not_set() -> None:
    env = read(A=" x ", B="  ")
    assert (env.text("A"), env.text("B", "default"), env.text("C", "default")) == ("x", "default", "default")


def test_each_type_is_read() -> None:
    env = read(N="12", F="0.5", S="1.5", Y="Yes", P="443, 8443", W="10.0.0.0/8,fd00::/8", L="a, b,,", D="3")
    assert env.integer("N", 1) == 12
    assert env.number("F", 1) == 0.5
    assert env.seconds("S", 1) == timedelta(seconds=1.5)
    assert env.days("D", 1) == timedelta(days=3)
    assert env.flag("Y") is True
    assert env.ports("P", frozenset()) == {443, 8443}
    assert env.networks("W") == (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))
    assert env.list("L") == ("a", "b")


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        ("integer", "1.5"),
        ("integer", "-1"),
        ("integer", "9" * 30),
        ("number", "nan"),
        ("number", "inf"),
        ("seconds", "0"),
        ("seconds", "ten"),
        ("days", "0"),
        ("flag", "perhaps"),
        ("ports", "443,65536"),
        ("ports", "https"),
        ("networks", "10.0.0.1/8"),
        ("networks", "example.com"),
    ],
)
def test_a_value_that_does_not_parse_is_refused_with_one_line_and_an_example(reader: str, value: str) -> None:
    env = read(NAME=value)
    default = {"ports": (frozenset({443}),), "networks": (), "flag": ()}.get(reader, (1,))
    with pytest.raises(EnvError) as caught:
        getattr(env, reader)("NAME", *default)
    sentence = str(caught.value)
    assert sentence.startswith("NAME=")
    assert "for example NAME=" in sentence
    assert "\n" not in sentence


def test_a_secret_comes_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("s3cret\n")
    assert read(KEY_FILE=str(file)).secret("KEY", example="a key") == "s3cret"


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvError, match="both set"):
        read(KEY="a", KEY_FILE=str(tmp_path / "key")).secret("KEY", example="a key")


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_secret_file_that_is_no_secret_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(EnvError, match="KEY_FILE"):
        read(KEY_FILE=str(file)).secret("KEY", example="a key")


@pytest.mark.parametrize("value", ["ftp://host/x", "http://[::1", "http://host:99999/"])
def test_an_address_that_is_none_is_refused_without_being_quoted(value: str) -> None:
    with pytest.raises(EnvError) as caught:
        read(URL=value).url("URL", schemes=("http", "https"))
    assert value not in str(caught.value)


def test_a_name_nobody_reads_is_refused_with_the_one_that_was_meant() -> None:
    env = read(SUGARADMIN_KEY_RAET="5", HOME="/")
    env.integer("SUGARADMIN_KEY_RATE", 1)
    with pytest.raises(EnvError, match=r"SUGARADMIN_KEY_RAET .* did you mean SUGARADMIN_KEY_RATE\?"):
        env.refuse_unknown()


def test_a_name_like_no_other_is_refused_too() -> None:
    with pytest.raises(EnvError, match=r"docs/configuration\.md"):
        read(SUGARADMIN_XYZZY="5").refuse_unknown()


def test_names_that_were_read_and_their_files_are_known() -> None:
    env = read(SUGARADMIN_A="x", SUGARADMIN_B_FILE="")
    env.text("SUGARADMIN_A")
    env.secret("SUGARADMIN_B", example="a key")
    env.refuse_unknown()
