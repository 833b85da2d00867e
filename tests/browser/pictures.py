"""Takes the pictures of docs/screenshots, not part of the suite: pytest tests/browser/pictures.py

PICTURES names another directory; there every page goes, in both themes, wide and on a phone.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connections.models import Heartbeat, database_now
from tests.browser.conftest import DESKTOP, PHONE, Desk, Open
from tests.browser.fleet import fleet
from tests.custody.conftest import Connect

pytestmark = pytest.mark.browser
SIDES = [(scheme, size) for size in (DESKTOP, PHONE) for scheme in ("light", "dark")]
KEPT = {
    "overview-wide-light", "list-wide-light", "list-wide-dark", "list-phone-light", "dying-wide-light",
    "dying-wide-dark", "dying-phone-dark", "tokens-wide-light", "rotate-wide-light", "article-wide-light",
}  # fmt: skip


def test_pictures(open_desk: Open, connect: Connect) -> None:
    elsewhere = os.environ.get("PICTURES")
    out = Path(elsewhere or "docs/screenshots")
    out.mkdir(parents=True, exist_ok=True)
    one = {name: f"/connections/{kept.public_id}/" for name, kept in fleet(connect).items()}
    for scheme, size in SIDES:
        desk = open_desk("admin", size=size, color_scheme=scheme)
        for name, path in _paths(one).items():
            picture = f"{name}-{'phone' if size == PHONE else 'wide'}-{scheme}"
            if elsewhere or picture in KEPT:
                _take(desk, path, out / f"{picture}.png", full_page=bool(elsewhere))


def _paths(one: dict[str, str]) -> dict[str, str]:
    return {
        "overview": "/overview/", "list": "/connections/", "filtered": "/connections/?status=down&tag=eu&q=zeta",
        "none": "/connections/?q=nothing", "new": "/connections/new/", "system": "/system/", "help": "/help/",
        "audit": "/audit/",
        "article": "/help/refresh_token_superseded/", "worker_code": "/help/held/", **one,
        "timeline": one["down"] + "timeline/", "tokens": one["healthy"] + "tokens/",
        "tokens_down": one["down"] + "tokens/", "attempts": one["down"] + "attempts/",
        "attempt": one["healthy"] + "attempts/5/", "attempt_lost": one["in_doubt"] + "attempts/2/",
        "event": one["down"] + "events/3/", "settings": one["down"] + "settings/",
        "rotate": one["healthy"] + "actions/rotate/", "sign_in_again": one["bad_credentials"] + "actions/sign-in/",
        "hold": one["healthy"] + "actions/hold/", "repair_held": one["held"] + "actions/repair/",
    }  # fmt: skip


def _take(desk: Desk, path: str, file: Path, *, full_page: bool) -> None:
    Heartbeat.objects.update(beat_at=database_now())
    desk.go(path)
    desk.page.screenshot(path=file, full_page=full_page)
