"""R4: whatever goes wrong, the page of the connection says on one screen what it is, how we know, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Open
from tests.custody.clock import Clock
from tests.custody.conftest import Connect, Kept
from tests.scenarios import test_chain, test_credentials, test_instance, test_setup
from tests.scenarios.scene import Case, Scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOWN = (
    "refresh_token_superseded", "user_inactive", "locked_out", "sso_required", "user_unsuitable",
    "maintenance", "license", "server_error", "rate_limited", "bad_response",
    "platform_not_registered", "not_sugar", "moved", "firewall_blocked",
)  # fmt: skip
IN_SIGHT = """(card) => {
  const isSeen = (one) => {
    const box = one.getBoundingClientRect();
    return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
  };
  const seen = (selector) => [...card.querySelectorAll(selector)].filter(isSeen);
  const hrefs = (found) => found.map((one) => one.getAttribute("href"));
  return {
    words: seen("h2, code").map((one) => one.textContent),
    evidence: hrefs(seen("section:nth-of-type(1) a")),
    fixes: hrefs(seen("section:nth-of-type(3) a.button")),
  };
}"""


@dataclass
class NoWaiting:
    """In place of the clock of the scenarios: these need no time to pass, but that what is due is done."""

    kept: Kept

    def jump(self, span: timedelta) -> None:
        return

    def run(self, span: timedelta, until: Callable[[], bool] | None = None) -> list[str]:
        return self.kept.tend()


def cases() -> Iterator[Case]:
    """The first of each code: those that a Sugar server causes, and that need no time to pass."""
    all_cases = [case for module in (test_chain, test_credentials, test_instance, test_setup) for case in module.CASES]
    return (next(case for case in all_cases if case.code == code) for code in SHOWN)


def test_r4_each_of_fourteen_faults_is_explained_on_one_screen(
    open_desk: Open, connect: Connect, configured: Callable[..., None]
) -> None:
    desk = open_desk("operator")
    found = [line for case in cases() for line in complaints(desk.page, desk.address, case, played(case, connect))]
    assert found == [], "\n".join(found)


def played(case: Case, connect: Connect) -> Kept:
    kept = connect(case.preset, fields={"label": case.code, **case.fields}, **case.own)
    case.event(Scene(kept=kept, clock=cast(Clock, NoWaiting(kept)), configured=lambda **_: None))
    for _ in range(3):
        if kept.row.diagnosis_code == case.code:
            break
        kept.make_due()
        kept.tend()
    return kept


def complaints(page: Page, address: str, case: Case, kept: Kept) -> Iterator[str]:
    """What is missing of: the code, a link to the evidence, something to do, a help page; all without scrolling."""
    page.goto(f"{address}/connections/{kept.public_id}/")
    cards = page.locator("article.diagnosis").all()
    if not cards:
        yield f"{case.code}: no diagnosis but {kept.row.diagnosis_code!r}"
        return
    seen: dict[str, Any] = cards[0].evaluate(IN_SIGHT)
    if case.code not in seen["words"]:
        yield f"{case.code}: {seen['words']}"
    helps = [path for path in seen["fixes"] if path.startswith("/help/")]
    deeds = [path for path in seen["fixes"] if path not in helps]
    if helps != [f"/help/{case.code}/"] or not deeds:
        yield f"{case.code}: to do: {seen['fixes']}"
    if not seen["evidence"]:
        yield f"{case.code}: no evidence to look at"
    for path in (*helps, *deeds[:1], *seen["evidence"][:1]):
        answer = page.request.get(address + path)
        if answer.status != 200 or (re.search(r"/attempts/\d+/$", path) and "Attempt" not in answer.text()):
            yield f"{case.code}: {path} answers {answer.status}"
