"""The encryption key changes while everything runs: no process is restarted, and each takes the new ring up."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving import test_serve as serving
from tests.serving.site import RunningSite, start, until

pytestmark = pytest.mark.once
BEATS = {"SUGARADMIN_HEARTBEAT_SECONDS": "1"}


def manage(data_dir: Path, *words: str) -> str:
    done = serving.manage(*words, data_dir=data_dir, **BEATS)
    return done.stdout + done.stderr


def uses(data_dir: Path) -> dict[str, Any]:
    return {use["key_id"]: use for use in json.loads(manage(data_dir, "rotate_encryption_key", "--status", "--json"))}


def connect(site: RunningSite, key: str, number: int) -> None:
    told = httpx.post(
        f"{site.url()}/api/v1/connections",
        json={
            "tenant": "acme", "label": f"Number {number}", "instance_url": f"https://crm{number}.example.com",
            "platform": "sugaradmin", "username": "integration", "password": "canary-password",
        },
        headers={"Authorization": f"Bearer {key}"}, timeout=20, trust_env=False,
    )  # fmt: skip
    assert told.status_code == 201, told.text


def test_a_key_is_changed_without_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    site = start(data, **BEATS)
    try:
        site.url()
        made = manage(data, "create_api_key", "--name", "w", "--scope", "connections:write", "--json")
        key = json.loads(made)["key"]
        connect(site, key, 1)
        processes = sorted(one.pid for one in site.family())
        assert "k2 is made" in manage(data, "rotate_encryption_key", "--add")
        until(lambda: "k2 seals from now on" in manage(data, "rotate_encryption_key", "--make-primary", "k2"))
        for number in (2, 3, 4, 5):  # whichever web process takes it
            connect(site, key, number)
        assert uses(data)["k2"]["values"] == 4
        assert "sealed anew" in manage(data, "rotate_encryption_key")
        os.utime(data / "encryption_keys", (0, 0))
        until(lambda: "k1 is retired" in manage(data, "rotate_encryption_key", "--retire", "k1"))
        assert list(uses(data)) == ["k2"]
        connect(site, key, 6)
        assert uses(data)["k2"]["values"] >= 6
        assert site.get("/readyz").status_code == 200
        assert sorted(one.pid for one in site.family()) == processes
    finally:
        site.end()
