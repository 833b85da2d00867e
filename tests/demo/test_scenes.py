"""Each button of the demo, pressed through HTTP: the connection comes to what the page says, and the repair repairs."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from django.test import Client

from connections.choices import DiagnosisCode
from connections.demo.scenes import SCENES, Scene
from connections.demo.stage import NEW_PASSWORD, PASSWORD
from connections.diagnosis import CATALOGUE
from tests.dashboard.people import signed_in
from tests.demo.running import Demo, Desk
from tests.serving.site import ROOT, environment, gone, until

BEFELL = re.compile(r'befell: <a href="(/connections/(c_\w+)/)"')
QUICK = dict.fromkeys(("SUGARADMIN_LOOK_SECONDS", "SUGARADMIN_RETRY_SECONDS", "SUGARADMIN_HOST_PROBE_SECONDS"), "2")
WAITS = {"SUGARADMIN_GRANT_DEADLINE_SECONDS": "3", "SUGARADMIN_SERVER_SECONDS": "2"}
SIGNED_IN_AGAIN = ("theft", "idle")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    running = Demo(tmp_path, **QUICK, **WAITS)
    yield running
    family = running.family() if running.process.poll() is None else []
    running.process.terminate()
    running.process.wait(40)
    assert gone(family)


def test_each_scene_comes_to_what_it_says_and_is_repaired_where_it_says(demo: Demo) -> None:
    """All of them on one demo, which is what takes the time; they befall connections of their own."""
    with demo.desk() as desk:
        _walk(desk, demo)


def _walk(desk: Desk, demo: Demo) -> None:
    assert "This is a demo" in desk.get("/overview/")
    assert _offered(desk) == set(), "nothing has happened that could be amended"
    befallen = {one.name: _play(desk, demo, one) for one in SCENES}
    page = desk.get("/demo/")
    for one in SCENES:
        assert befallen[one.name] in page, one.name
    assert _offered(desk) == {one.name for one in SCENES if one.amends}
    for one in SCENES:
        _repair(desk, one, befallen[one.name])
    assert _troubled_at_last(demo, befallen) == {}
    assert _offered(desk) == set(), "all is mended"
    _background_sleeps_and_wakes(desk, demo)
    guide = desk.get("/styleguide/")
    assert "Style guide" in guide
    assert str(CATALOGUE[DiagnosisCode.REFRESH_TOKEN_SUPERSEDED].title) in guide


def _offered(desk: Desk) -> set[str]:
    """Scenes that offer to undo what happened."""
    return set(re.findall(r'action="/demo/([\w-]+)/amend/"', desk.get("/demo/")))


def _play(desk: Desk, demo: Demo, one: Scene) -> str:
    told = BEFELL.search(desk.post(f"/demo/{one.name}/play/", at="/demo/"))
    assert told is not None, one.name
    assert _status(demo, told[2]) == (one.status, one.code), one.name
    detail = desk.get(told[1])
    assert one.code is None or f"/help/{one.code}/" in detail
    return told[2]


def _status(demo: Demo, public_id: str) -> tuple[str, str | None]:
    row = demo.ask(f"connections/{public_id}")
    return row["status"], row["diagnosis"] and row["diagnosis"]["code"]


def _troubled_at_last(demo: Demo, befallen: dict[str, str]) -> dict[str, object]:
    """What is not well again in due time, by the name of its scene."""
    until_then = time.monotonic() + 40
    while time.monotonic() < until_then:
        rows = {row["id"]: row for row in demo.connections()}
        found = {name: (rows[one]["status"], rows[one]["diagnosis"]) for name, one in befallen.items()}
        troubled = {name: told for name, told in found.items() if told != ("healthy", None)}
        if not troubled:
            return {}
        time.sleep(1)
    return troubled


def _repair(desk: Desk, one: Scene, public_id: str) -> None:
    """As the sentence on the page says: a button of the connection, or the customer's admin, or nobody."""
    if one.name in SIGNED_IN_AGAIN:
        path = f"/connections/{public_id}/actions/sign-in/"
        version = re.search(r'name="version" value="(\d+)"', desk.get(path))
        assert version is not None
        desk.post(path, at=path, version=version[1], password=PASSWORD)
    elif one.name == "password":
        path = f"/connections/{public_id}/settings/"
        desk.post(path, at=path, section="secrets", password=NEW_PASSWORD, store_password="on")
    elif one.amends is not None:
        desk.post(f"/demo/{one.name}/amend/", at="/demo/")


def _background_sleeps_and_wakes(desk: Desk, demo: Demo) -> None:
    ticker = next(one for one in demo.family() if "ticker" in one.cmdline())
    desk.post("/demo/background/play/", at="/demo/")
    until(lambda: ticker.status() == psutil.STATUS_STOPPED)
    assert _offered(desk) == {"background"}
    assert "awake" in desk.post("/demo/background/amend/", at="/demo/")
    until(lambda: ticker.status() != psutil.STATUS_STOPPED)
    assert _offered(desk) == set()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/demo/", "/demo/theft/play/", "/styleguide/"])
def test_nothing_of_it_exists_outside_of_a_demo(path: str) -> None:
    admin: Client = signed_in("admin")
    assert admin.get(path).status_code == 404
    assert admin.post(path).status_code == 404
    assert b"emo" not in admin.get("/overview/").content


def test_its_settings_refuse_to_serve_in_production(tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check"], capture_output=True, text=True, timeout=60, check=False,
        env=environment(
            tmp_path, DJANGO_SETTINGS_MODULE="connections.demo.settings", SUGARADMIN_ENV="production",
            SUGARADMIN_BASE_URL="https://sugaradmin.example.com", SUGARADMIN_SECRET_KEY="k" * 60,
            SUGARADMIN_ENCRYPTION_KEYS="one:" + "A" * 43 + "=",
        ),
    )  # fmt: skip
    assert refused.returncode == 2
    assert "break connections on purpose" in refused.stderr
