"""Reports of the content policy: asked for on every page, taken with care."""

from __future__ import annotations

import json
import logging

import pytest
from django.http import HttpResponse
from django.test import Client

from connections.policy_reports import MOST_BYTES, PACE

pytestmark = pytest.mark.django_db
PATH = "/policy-reports"
TOKEN = "canary-token-of-a-customers-link"
OLD_KIND = {
    "csp-report": {
        "document-uri": f"https://sugaradmin.example.com/s/{TOKEN}", "violated-directive": "script-src-elem 'self'",
        "blocked-uri": f"https://evil.example/x.js?{TOKEN}", "source-file": TOKEN, "script-sample": TOKEN,
    }
}  # fmt: skip
NEW_KIND = [
    {"type": "csp-violation", "body": {"documentURL": "https://x/overview/", "effectiveDirective": "style-src-attr",
                                       "blockedURL": "inline"}}
]  # fmt: skip


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "connections.policy_reports")


def send(body: object, kind: str = "application/csp-report") -> HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client(enforce_csrf_checks=True).post(PATH, content, content_type=kind)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "connections.policy_reports"]


def test_every_page_asks_for_them() -> None:
    for path in ("/sign-in/", "/help/", "/nothing/"):
        headers = Client().get(path).headers
        policy = headers["Content-Security-Policy"]
        assert f"report-uri {PATH}" in policy and "report-to policy" in policy
        assert headers["Reporting-Endpoints"] == f'policy="{PATH}"'


def test_both_kinds_become_a_line_that_repeats_no_address(caplog: pytest.LogCaptureFixture) -> None:
    assert send(OLD_KIND).status_code == 204
    assert send(NEW_KIND, "application/reports+json").status_code == 204
    assert lines(caplog) == [
        "The content policy stopped something: script-src-elem of https://evil.example on connections:guide.",
        "The content policy stopped something: style-src-attr of inline on connections:overview.",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[" * 20_000, b"null", b"[1, null, {}]", b'{"csp-report": []}', b"\xff\xfe",
        {"csp-report": {"effective-directive": "script-src\n{forged}"}}, {"csp-report": {"violated-directive": {}}},
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_report_is_not_repeated(caplog: pytest.LogCaptureFixture, body: object) -> None:
    assert send(body).status_code in (204, 413)
    assert lines(caplog) == []


def test_forged_words_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    forged = {"effectiveDirective": "img-src", "blockedURL": f"javascript:{TOKEN}", "documentURL": f"http://[{TOKEN}"}
    assert send([{"body": forged}] * 50).status_code == 204
    assert lines(caplog) == ["The content policy stopped something: img-src of something else on no page of ours."] * 5


def test_too_much_is_not_read(caplog: pytest.LogCaptureFixture) -> None:
    assert send(b" " * MOST_BYTES + json.dumps(OLD_KIND).encode()).status_code == 413
    assert lines(caplog) == []


def test_too_often_is_not_listened_to(caplog: pytest.LogCaptureFixture) -> None:
    answers = [send(OLD_KIND) for _ in range(PACE.most + 1)]
    assert [answer.status_code for answer in answers] == [204] * PACE.most + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert len(lines(caplog)) == PACE.most
