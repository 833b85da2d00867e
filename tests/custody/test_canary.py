"""INV9: no secret in a log line at DEBUG, a row of any table, a file, or an answer of the API but the token's own."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import OperationalError
from django_q.tasks import async_task

from connections.custody import actions, reports, rounds, sending, spool
from connections.custody import keys as vault
from connections.custody.ledger import settlement
from connections.onboarding import registry
from tests.api.conftest import MakeCaller, caller
from tests.custody.canaries import CLIENT_SECRET, NEXT_PASSWORD, PASSWORD, Cage, database_dump, found, shapes
from tests.custody.conftest import ANA, clock, connect, crash, rest, simulator
from tests.scenarios.conftest import Open, scene
from tests.scenarios.scene import Scene

__all__ = ["caller", "clock", "connect", "crash", "scene", "simulator"]
OWN_CLIENT = {"client_id": "canary", "client_secret": CLIENT_SECRET}


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that anybody logs, at DEBUG, before any filter or redaction could help."""
    text, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s"))
    levels = {logger: logger.level for logger in [root, *map(logging.getLogger, list(root.manager.loggerDict))]}
    for logger in levels:
        logger.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield text
    root.removeHandler(handler)
    for logger, level in levels.items():
        logger.setLevel(level)


def echo(scene: Scene, grant: str, status: int) -> None:
    """A server that says back what it was told."""
    live = scene.row.versions.filter(state="live", refresh_token__isnull=False).first()
    token = vault.opened_refresh(scene.row, live) if live is not None else ""
    sent = [CLIENT_SECRET, PASSWORD if grant == "password" else token]
    words = " ".join(["no:", *sent, *(quote(secret, safe="") for secret in sent)])
    payload = {"error": "need_login", "error_message": words, "url": f"https://sso.example/?p={quote(sent[1])}"}
    scene.sugar.chaos("answer", endpoint="token", grant=grant, status=status, payload=payload, count=1)


def troubles(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], object]]:
    """Ways through the code, good and failing; each is one step."""
    one, sugar = scene.kept.public_id, scene.sugar
    yield scene.refresh_now
    for kind, options in [
        ("lost", {}),
        ("cut", {"place": "after_refresh_token"}),
        ("cut", {"place": "inside_access_token"}),
        ("html", {"status": 502}),
        ("invalid_json", {"variant": "warning"}),
        ("replay", {"answer": "second"}),
    ]:
        sugar.chaos(kind, endpoint="token", count=1, **options)
        yield scene.refresh_now
        yield lambda: scene.run(timedelta(minutes=3))
    for grant, status in [("refresh", 401), ("password", 401), ("password", 403), ("refresh", 500)]:
        echo(scene, grant, status)
        yield (scene.refresh_now if grant == "refresh" else scene.sign_in)
        yield lambda: scene.run(timedelta(minutes=3))
    told = {"status": 401, "error": "invalid_grant", "error_message": f"rejected {sugar.rows()} {PASSWORD[:0]}"}
    yield lambda: reports.rejected(one, tenants=None, version=scene.row.version_count, wait=5, actor="w", report=told)
    yield lambda: actions.test(one, ANA)
    yield lambda: actions.repair(one, ANA)
    yield lambda: actions.rotate(one, ANA)
    yield lambda: settle_fails(scene, monkeypatch, OperationalError("the database is away"))
    yield lambda: settle_fails(scene, monkeypatch, RuntimeError("a mistake of ours"))
    yield spool.replay
    yield lambda: async_task("connections.tasks.tend_due", task_name="tend_due")
    yield lambda: scene.edit(password=NEXT_PASSWORD)
    yield lambda: sugar.admin_change_password("svc", NEXT_PASSWORD)
    yield lambda: actions.sign_in(one, ANA)
    yield lambda: registry.create("acme", {"password": PASSWORD, "label": "x" * 999, "platform": "base"}, ANA)


def settle_fails(scene: Scene, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """With the answer in hand, at the worst moment."""

    def fail(*given: object) -> None:
        raise error

    scene.kept.make_due()
    with monkeypatch.context() as patched:
        patched.setattr(sending, "SETTLE_AGAIN_AFTER", (0.0,))
        patched.setattr(settlement, "settle", fail)
        patched.setattr(spool, "replay_soon", lambda: None)
        rounds._tend(scene.row.pk)


@pytest.mark.parametrize(
    "preset", [pytest.param("12.0", marks=pytest.mark.once), "13.3", pytest.param("cloud", marks=pytest.mark.once)]
)
def test_no_secret_slips_out(
    scene: Open, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO, caller: MakeCaller, preset: str
) -> None:
    asker = caller()
    made = {"password": PASSWORD} | OWN_CLIENT
    keys = [("canary", CLIENT_SECRET)]
    played = scene(preset, fields=made, keys=keys, sign_in=False)
    played.sugar.admin_change_password("svc", PASSWORD)
    assert played.sign_in().outcome == "done"
    cage = Cage(played.kept.simulator.world[played.sugar.name])
    cage.secrets.add(asker.key)
    answers: list[tuple[str, str]] = []
    for step in troubles(played, monkeypatch):
        cage.collect()
        try:
            step()
        except Exception as failure:
            answers.append((f"the text of a {type(failure).__name__}", f"{failure} {failure!r} {failure.__dict__}"))
        rest()
        cage.collect()
        answers += asked(asker, played.kept.public_id)
    assert played.row.version_count > 5, played.trail()
    files = [(str(path), path.read_text()) for path in settings.SUGARADMIN.spool_dir.rglob("*") if path.is_file()]
    assert found(cage, answers) == {}
    assert found(cage, database_dump()) == {}
    assert found(cage, files) == {}
    assert found(cage, enumerate_lines(logged.getvalue())) == {}
    assert len(cage.secrets) > 25
    assert "grant was settled" in logged.getvalue(), "the net was cast"


def asked(asker: Any, public_id: str) -> list[tuple[str, str]]:
    """What the API says of it, but for the one answer that holds the token."""
    calls = [asker.get(path) for path in (f"connections/{public_id}", f"connections/{public_id}/events", "events")]
    calls.append(asker.post("connections", {"tenant": "acme", "password": PASSWORD, "client_secret": CLIENT_SECRET}))
    calls.append(asker.patch(f"connections/{public_id}", {"password": PASSWORD, "platform": "bad name"}))
    calls.append(asker.post(f"connections/{public_id}/token/rejected", {"version": 10**6, "error_message": PASSWORD}))
    return [(f"{call.request['PATH_INFO']}", json.dumps(dict(call.headers)) + call.content.decode()) for call in calls]


def enumerate_lines(text: str) -> Iterator[tuple[str, str]]:
    return ((f"line {number}: {line[:60]}", line) for number, line in enumerate(text.splitlines()))


def test_the_cage_knows_a_secret_in_every_shape(scene: Open) -> None:
    played = scene("13.3")
    cage = Cage(played.kept.simulator.world[played.sugar.name])
    cage.collect()
    assert len(cage.secrets) >= 5
    for secret in cage.secrets:
        for shape in shapes(secret):
            assert secret in cage.escaped(f"before {shape} after")
