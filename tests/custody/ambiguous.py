"""Every way an answer to a grant can be spoilt, and what must hold whatever became of it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.db.models import Q

from connections.choices import DiagnosisCode
from connections.custody import handout, keys
from connections.models import TokenVersion
from tests.custody.conftest import Kept, rest
from tests.scenarios.scene import Scene

CUTS = [{"at": 0}, {"at": 20}] + [
    {"place": f"{where}_{name}"} for name in ("access_token", "refresh_token") for where in ("inside", "after")
]
VARIANTS = ("truncated", "nan", "duplicate", "warning", "array", "null", "text", "bom", "bytes", "deep")
IN_FRONT: list[dict[str, Any]] = [
    {"kind": "drop"},
    {"kind": "reset_before"},
    {"kind": "error_before", "status": 500},
    {"kind": "error_before", "status": 503},
    {"kind": "html", "status": 200},
    {"kind": "html", "status": 403},
    {"kind": "html", "status": 502},
    {"kind": "redirect"},
    {"kind": "redirect", "status": 307},
    {"kind": "throttle"},
    {"kind": "waf"},
]
BEHIND: list[dict[str, Any]] = [
    {"kind": "lost"},
    {"kind": "reset"},
    {"kind": "slow", "seconds": 1.5},
    {"kind": "drip", "bytes": 8, "seconds": 0.3},
    {"kind": "drip_headers", "bytes": 8, "seconds": 0.3},
    *({"kind": "cut", **place} for place in CUTS),
    {"kind": "error_after", "status": 500},
    {"kind": "error_after", "status": 502},
    {"kind": "html_after", "status": 200},
    {"kind": "empty"},
    {"kind": "body", "text": '{"access_token": 7}'},
    {"kind": "body", "text": '{"access_token": "half", "expires_in": 3600', "status": 200},
    {"kind": "fields", "fields": {"access_token": None}},
    {"kind": "fields", "fields": {"access_token": ["a"], "refresh_token": {}}},
    {"kind": "huge"},
    *({"kind": "invalid_json", "variant": variant} for variant in VARIANTS),
    {"kind": "replay", "answer": "first"},
    {"kind": "replay", "answer": "second"},
]
ODD: list[dict[str, Any]] = [
    {"kind": "same_refresh_token"},
    {"kind": "no_refresh_token"},
    {"kind": "no_refresh_token", "rotates": True},
    *({"kind": "expires_in", "value": value} for value in (0, -5, "3600", 10**12, None, 1.5, True, "soon")),
    *({"kind": "expires_in", "field": "refresh_expires_in", "value": value} for value in (0, -1, 2_000_000_000, "")),
]
SPOILT = IN_FRONT + BEHIND
DRAIN = timedelta(seconds=31)  # the scenes' deadline and server time
REST = timedelta(minutes=6)
_TOKEN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|st[ar]-[0-9a-f]{64}\.[0-9a-f]{32}")
NAMED = {
    DiagnosisCode.REFRESH_TOKEN_LOST,
    DiagnosisCode.REFRESH_TOKEN_SUPERSEDED,
    DiagnosisCode.PLATFORM_SHARED,
    DiagnosisCode.CREDENTIALS_MISSING,
}


def named(chaos: dict[str, Any]) -> str:
    return "-".join(str(value) for value in chaos.values())


def watch(scene: Scene, span: timedelta = REST) -> set[str]:
    """The background works; returns every status that anybody could have seen on the way."""
    seen: set[str] = set()

    def look() -> bool:
        seen.add(scene.row.status)
        return False

    scene.run(span, until=look)
    seen.add(scene.row.status)
    return seen


def judge(scene: Scene, seen: set[str], *, can_sign_in: bool, is_spoilt: bool = True) -> None:
    """What must hold at the end, and must have held on the way."""
    row = scene.row
    never_sent_again_before_the_drain_was_over(scene, is_spoilt=is_spoilt)
    never_presented_once_its_fate_was_told(scene)
    only_whole_answers_became_versions(scene.kept)
    if can_sign_in:
        assert "down" not in seen, f"{seen}\n{scene.trail()}"
        assert row.status == "healthy", f"{scene.told}\n{scene.trail()}"
    elif row.status != "healthy":
        # Refused, or never had: Sugar gave none.
        refused = TokenVersion.objects.filter(Q(refused_at__isnull=False) | Q(refresh_fingerprint=""), connection=row)
        assert row.diagnosis_code in NAMED and refused.exists(), f"{scene.told}\n{scene.trail()}"
        assert row.status in ("dying", "down") and row.diagnosis["evidence"]
        return
    given = handout.token(row.public_id, tenants=None, wait=0, actor="worker")
    rest()
    assert scene.kept.accepts(given.access_token), f"silently dead\n{scene.trail()}"
    scene.refresh_now()
    scene.run(REST)
    assert scene.row.status == "healthy" or not can_sign_in, f"silently dead\n{scene.trail()}"
    assert scene.row.status == "healthy" or scene.row.diagnosis_code in NAMED, scene.trail()


def never_sent_again_before_the_drain_was_over(scene: Scene, *, is_spoilt: bool) -> None:
    """By Sugar's own journal, not ours. What told us something: a refusal, or tokens whose answer was not spoilt."""
    last: dict[str, dict[str, Any]] = {}
    for entry in scene.log(endpoint="token", grant="refresh"):
        before = last.get(entry["refresh_token"])
        told = (400,) if is_spoilt else (200, 400)
        if before is not None and before["status"] not in told:
            apart = entry["at"] - before["at"]
            assert apart >= DRAIN.total_seconds(), f"sent again after {apart:.1f} s\n{scene.trail()}"
        last[entry["refresh_token"]] = entry


def never_presented_once_its_fate_was_told(scene: Scene) -> None:
    """A refused token waits for its daily try; one that was replaced is never seen again."""
    verdict = scene.kept.simulator.control.verdict()
    again = [one for one in verdict["presented_again"] if one["instance"] == scene.sugar.name]
    assert [one for one in again if one["told_status"] == 400] == [], scene.trail()
    assert verdict["without_platform"] == []
    settled: set[int] = set()
    for attempt in scene.row.attempts.filter(sent_at__isnull=False, kind="refresh").order_by("number"):
        assert attempt.base_version not in settled, scene.trail()
        if attempt.version is not None and attempt.base_version is not None:
            settled.add(attempt.base_version)


def only_whole_answers_became_versions(kept: Kept) -> None:
    row = kept.row
    for version in TokenVersion.objects.filter(connection=row):
        if version.access_token is not None:
            assert _TOKEN.fullmatch(keys.opened_access(row, version))
        if version.refresh_token is not None:
            assert _TOKEN.fullmatch(keys.opened_refresh(row, version))
