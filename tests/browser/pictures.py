"""Takes the pictures of docs/screenshots, not part of the suite: make pictures

PICTURES names another directory; there every page goes, in both themes, wide and on a phone, in full length.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from connections.choices import LinkKind
from connections.models import Heartbeat, database_now
from connections.onboarding import links
from connections.simulator import SimulatorServer
from tests.browser.conftest import DESKTOP, PHONE, Desk, Open
from tests.browser.fleet import fleet
from tests.custody.conftest import ANA, Connect
from tests.dashboard.walking import Walk, walk_on

pytestmark = pytest.mark.browser
QUALITY = 60  # of WebP: letters stay sharp, a picture takes some 40 kB
SIDES = [(scheme, size) for size in (DESKTOP, PHONE) for scheme in ("light", "dark")]
KEPT = {
    "overview-wide-light", "overview-wide-dark", "overview-phone-light", "errors-wide-light", "timeline-wide-dark",
    "customer-phone-light", "list-wide-light", "list-wide-dark", "list-phone-light", "dying-wide-light",
    "dying-wide-dark", "dying-phone-dark", "tokens-wide-light", "rotate-wide-light", "article-wide-light",
    "wizard_address-wide-light", "wizard_failed-wide-dark", "wizard_done-wide-light",
}  # fmt: skip


def test_pictures(open_desk: Open, connect: Connect) -> None:
    elsewhere = os.environ.get("PICTURES")
    out = Path(elsewhere or "docs/screenshots")
    out.mkdir(parents=True, exist_ok=True)
    kept = fleet(connect)
    one = {name: f"/connections/{row.public_id}/" for name, row in kept.items()}
    sent = links.issue(kept["down"].public_id, LinkKind.SIGN_IN, ANA, tenants=None, seen=0)
    one["customer"] = "/" + sent.url.split("/", 3)[3]
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
        "audit": "/audit/", "errors": "/errors/", "api_keys": "/api-keys/", "keys": "/settings/keys/",
        "article": "/help/refresh_token_superseded/", "worker_code": "/help/held/", **one,
        "timeline": one["bad_credentials"] + "timeline/", "tokens": one["healthy"] + "tokens/",
        "tokens_down": one["down"] + "tokens/", "attempts": one["down"] + "attempts/",
        "attempt": one["healthy"] + "attempts/5/", "attempt_lost": one["in_doubt"] + "attempts/2/",
        "event": one["down"] + "events/3/", "settings": one["down"] + "settings/",
        "rotate": one["healthy"] + "actions/rotate/", "sign_in_again": one["bad_credentials"] + "actions/sign-in/",
        "hold": one["healthy"] + "actions/hold/", "repair_held": one["held"] + "actions/repair/",
    }  # fmt: skip


def _take(desk: Desk, path: str, file: Path, *, full_page: bool) -> None:
    Heartbeat.objects.update(beat_at=database_now())
    desk.go(path)
    if full_page:
        desk.page.screenshot(path=file, full_page=True)
        return
    taken = desk.page.context.new_cdp_session(desk.page).send(
        "Page.captureScreenshot", {"format": "webp", "quality": QUALITY}
    )
    file.with_suffix(".webp").write_bytes(base64.b64decode(taken["data"]))


def test_pictures_of_the_wizard(open_desk: Open, connect: Connect, simulator: SimulatorServer) -> None:
    """Each step as it is before and after its look; only where PICTURES asks for it, or for what is kept."""
    elsewhere = os.environ.get("PICTURES")
    out = Path(elsewhere or "docs/screenshots")
    for scheme, size in SIDES:
        walk, taken = walk_on(simulator), f"{'phone' if size == PHONE else 'wide'}-{scheme}"
        desk = open_desk("admin", size=size, color_scheme=scheme)
        for name, path in _steps(walk):
            if elsewhere or f"{name}-{taken}" in KEPT:
                _take(desk, path, out / f"{name}-{taken}.png", full_page=bool(elsewhere))


def _steps(walk: Walk) -> Iterator[tuple[str, str]]:
    """The draft is walked on between two pictures."""
    yield "wizard_new", "/connections/new/"
    walk.begin(f"{walk.simulator.url}/nothing", label="Lost Horizon Travel")
    yield "wizard_no_sugar", f"{walk.base}address/"
    walk.begin(label="Globex Corporation")
    yield "wizard_address", f"{walk.base}address/"
    walk.post("platform", platform="sugaradmin_acme", check="1")
    yield "wizard_platform_unknown", f"{walk.base}platform/"
    walk.sugar.add_platform("sugaradmin_acme")
    walk.post("platform", platform="sugaradmin_acme", check="1")
    yield "wizard_platform", f"{walk.base}platform/"
    yield "wizard_credentials", f"{walk.base}credentials/"
    walk.sign_up("wrong")
    yield "wizard_review", f"{walk.base}review/"
    walk.post("review")
    yield "wizard_failed", f"{walk.base}review/"
    walk.sugar.admin_change_password("svc", "wrong")
    walk.post("review", one="1")
    yield "wizard_begun", f"{walk.base}review/"
    walk.post("review")
    yield "wizard_done", f"{walk.base}review/"
    yield "list_drafts", "/connections/"
