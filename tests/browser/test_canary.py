"""R10: no secret ever in a page, nor in anything that a page loads or says on the console."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Response

from connections.custody import actions
from connections.onboarding import api_keys, registry
from tests.browser.conftest import Desk, Open
from tests.custody.canaries import CLIENT_SECRET, PASSWORD, Cage, found
from tests.custody.conftest import ANA, Connect, Kept

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DOORS = (
    "/overview/", "/connections/new/", "/api-keys/", "/api-keys/new/", "/audit/", "/errors/", "/settings/users/",
    "/settings/users/new/", "/settings/keys/", "/profile/", "/profile/security/", "/system/", "/help/", "/api/docs",
)  # fmt: skip


@dataclass
class Crawl:
    """Follows every link to a page of ours, once for each kind of address, and keeps all that came over the wire."""

    desk: Desk
    answers: list[tuple[str, str]] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)

    def keep(self, response: Response) -> None:
        try:
            self.answers.append((response.url, f"{response.all_headers()} {response.text()}"))
        except (PlaywrightError, UnicodeDecodeError):
            return  # a redirect has no body; a picture is no text

    def walk(self) -> None:
        self.desk.page.on("response", self.keep)
        self.desk.page.on("console", lambda line: self.answers.append(("the console", line.text)))
        waiting = deque(DOORS)
        while waiting:
            path = waiting.popleft()
            if self._is_new(path):
                waiting.extend(self._look(path))

    def _look(self, path: str) -> list[str]:
        try:
            self.desk.go(path)
        except PlaywrightError as told:
            assert "Download is starting" in str(told), path
            return []
        self.answers.append((f"the page {path}", self.desk.page.content()))
        links = self.desk.page.locator("a[href]").evaluate_all("links => links.map(one => one.href)")
        return [link.removeprefix(self.desk.address) for link in links if link.startswith(self.desk.address)]

    def _is_new(self, path: str) -> bool:
        parts = urlsplit(path)
        try:
            place = resolve(parts.path)
        except Resolver404:
            return False
        names = sorted(name for name, _ in parse_qsl(parts.query))
        kind = f"{place.view_name} {names} {place.kwargs.get('action', '')}"
        # Answers of the API have no icon of their own; tests/authorization/test_canary_crawl.py reads them.
        is_page = "sign" not in (place.url_name or "") and not parts.path.startswith("/api/v1/")
        is_new = is_page and kind not in self.kinds
        self.kinds.add(kind)
        return is_new


def seeded(connect: Connect) -> Kept:
    kept = connect("13.3", sign_in=False, fields={"label": "Acme EU", "contact_email": "it@acme.example"})
    kept.sugar.admin_change_password("svc", PASSWORD)
    kept.sugar.key("integration", CLIENT_SECRET)
    registry.edit(kept.public_id, {"client_id": "integration"}, ANA)
    registry.edit(kept.public_id, {"client_secret": CLIENT_SECRET, "password": PASSWORD}, ANA)
    assert actions.sign_in(kept.public_id, ANA).outcome == "done"
    actions.test(kept.public_id, ANA)
    return kept


def test_r10_no_secret_ever_in_a_page(open_desk: Open, connect: Connect) -> None:
    kept = seeded(connect)
    cage = Cage(kept.simulator.world[kept.sugar.name])
    cage.secrets.add(api_keys.issue("worker-eu", ["token:read"], ANA).key)
    desk = open_desk("admin")
    crawl = Crawl(desk)
    crawl.walk()
    cage.collect()
    pages = {name for name, _ in crawl.answers if name.startswith("the page")}
    assert len(pages) > 30, sorted(pages)
    assert any(f"/connections/{kept.public_id}/tokens/" in page for page in pages)
    assert len(cage.secrets) >= 6
    assert found(cage, crawl.answers) == {}
