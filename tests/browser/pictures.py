"""Takes the pictures of docs/screenshots: pytest tests/browser/pictures.py --pictures=DIRECTORY"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.browser.conftest import DESKTOP, PHONE, Open
from tests.browser.fleet import fleet
from tests.custody.conftest import Connect

pytestmark = pytest.mark.browser


def test_pictures(open_desk: Open, connect: Connect) -> None:
    out = Path(os.environ.get("PICTURES", "docs/screenshots"))
    out.mkdir(parents=True, exist_ok=True)
    kept = fleet(connect)
    for name, one in kept.items():
        print(name, one.row.status, one.row.diagnosis_code)
    one = {name: f"/connections/{kept.public_id}/" for name, kept in kept.items()}
    paths = {
        "overview": "/overview/", "list": "/connections/", "filtered": "/connections/?status=down&tag=eu&q=zeta",
        "none": "/connections/?q=nothing", "new": "/connections/new/", "system": "/system/", "help": "/help/",
        "article": "/help/refresh_token_superseded/", "worker_code": "/help/held/", "notfound": "/nowhere/",
        **{f"status_{name}": path for name, path in one.items() if "healthy_" not in name},
        "timeline": one["down"] + "timeline/", "tokens": one["healthy"] + "tokens/",
        "tokens_down": one["down"] + "tokens/", "attempts": one["down"] + "attempts/",
        "attempt": one["healthy"] + "attempts/5/", "attempt_lost": one["in_doubt"] + "attempts/2/",
        "event": one["down"] + "events/3/", "settings": one["down"] + "settings/",
        "rotate": one["healthy"] + "actions/rotate/", "signin": one["bad_credentials"] + "actions/sign-in/",
        "hold": one["healthy"] + "actions/hold/", "repair_held": one["held"] + "actions/repair/",
    }  # fmt: skip
    sides = [("light", DESKTOP, "wide"), ("dark", DESKTOP, "wide"), ("light", PHONE, "phone"), ("dark", PHONE, "phone")]
    for scheme, size, word in sides:
        desk = open_desk("admin", size=size, color_scheme=scheme)
        for name, path in paths.items():
            desk.go(path)
            desk.page.screenshot(path=out / f"{name}-{word}-{scheme}.png", full_page=True)
            if desk.overflow():
                print("OVERFLOW", name, word, desk.overflow())
        if size == DESKTOP:
            desk.go(one["healthy"])
            desk.page.get_by_role("button", name="Test").click()
            desk.page.screenshot(path=out / f"tested-{word}-{scheme}.png", full_page=True)
        viewer = open_desk("viewer", size=size, color_scheme=scheme)
        viewer.go(one["dying"])
        viewer.page.screenshot(path=out / f"viewer-{word}-{scheme}.png", full_page=True)
        nobody = open_desk(None, size=size, color_scheme=scheme)
        nobody.go("/sign-in/")
        nobody.page.screenshot(path=out / f"sign_in-{word}-{scheme}.png", full_page=True)
        print([c for d in (desk, viewer, nobody) for c in d.complaints])
        for d in (desk, viewer, nobody):
            d.complaints.clear()
