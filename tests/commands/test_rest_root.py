"""Instances whose web server does not rewrite addresses, by the doors of a shell."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connections.models import Connection
from connections.simulator import SimulatorServer
from tests.commands.conftest import Run
from tests.custody.conftest import Connect

PLAIN = "api/rest.php/v10"


@pytest.fixture
def base(connect: Connect, simulator: SimulatorServer) -> str:
    kept = connect("13.3", sign_in=False, rewrite=False)
    Connection.objects.all().delete()
    return simulator.instance_url(kept.sugar.name)


def entry(url: str, **own: Any) -> str:
    described = {"tenant": "acme", "label": "ERP", "instance_url": url, "platform": "intg", "username": "svc"}
    return json.dumps([described | {"password": "secret"} | own])


@pytest.mark.parametrize("tail", ["", "/api/rest.php/v10/"])
def test_connection_add_signs_in(run: Run, base: str, tail: str) -> None:
    words = ["--tenant", "acme", "--label", "ERP", "--instance-url", f"{base}{tail}", "--platform", "intg"]
    more = ["--username", "svc", "--password-stdin", "--sign-in", "--json"]
    told = run("connection", "add", *words, *more, stdin="secret\n").json
    assert (told["status"], Connection.objects.get().rest_path) == ("healthy", PLAIN)


@pytest.mark.parametrize("tail", ["", "/api/rest.php/v10/"])
def test_an_import_signs_in(run: Run, base: str, tail: str) -> None:
    run("import_connections", "-", stdin=entry(f"{base}{tail}", sign_in=True))
    row = Connection.objects.get()
    assert (row.version_count, row.rest_path) == (1, PLAIN)


def test_an_import_takes_up_the_root_once(run: Run, base: str) -> None:
    outcomes = []
    for tail in ("", "/api/rest.php/v10", "/api/rest.php/v10", ""):
        told = run("import_connections", "-", "--json", stdin=entry(f"{base}{tail}")).json
        outcomes.append(told["rows"][0]["outcome"])
    assert outcomes == ["created", "updated", "unchanged", "unchanged"]
    row = Connection.objects.get()
    assert (row.rest_path, row.generation, row.password_number) == (PLAIN, 1, 1)
