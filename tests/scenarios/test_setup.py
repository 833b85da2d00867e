"""What is out of order with client, platform, address and the way there; all but the client heal with no click."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.scenarios.conftest import Open
from tests.scenarios.scene import HOUR, WITHOUT_PASSWORD, Case, Scene, play

pytestmark = pytest.mark.once

OWN_CLIENT = {"client_id": "integration", "client_secret": "s3cret"}
PREFLIGHT = {"endpoint": "api", "path": "ping/whattimeisit"}


def in_front(kind: str, **options: object) -> object:
    """Something that answers every request instead of Sugar, from now on."""

    def event(scene: Scene) -> None:
        scene.sugar.chaos(kind, **options)
        scene.refresh_now()

    return event


def calm(scene: Scene) -> None:
    scene.sugar.calm()


def change_secret(scene: Scene) -> None:
    scene.sugar.change_secret("integration", "another")
    scene.refresh_now()


CASES = [
    Case(
        label="client secret changed: put back, the hourly try finds it",
        code="client_invalid",
        status="dying",
        own={"keys": [("integration", "s3cret")]},
        fields=OWN_CLIENT,
        event=change_secret,
        fix_by="customer_admin",
        evidence="400 invalid_client",
        cure=lambda scene: scene.sugar.change_secret("integration", "s3cret"),
        heals_within=timedelta(minutes=62),
    ),
    Case(
        label="client secret changed: the new one is entered",
        code="client_invalid",
        status="dying",
        own={"keys": [("integration", "s3cret")]},
        fields=OWN_CLIENT,
        event=change_secret,
        fix_by="customer_admin",
        cure=lambda scene: scene.edit(client_secret="another"),
        heals_within=timedelta(seconds=30),
    ),
    Case(
        label="a secret for `sugar`, which has none: ours to remove",
        code="client_invalid",
        status="dying",
        event=lambda scene: (scene.edit(client_secret="not-empty"), scene.refresh_now()),
        fix_by="staff",
        cure=lambda scene: scene.edit(client_secret=""),
        heals_within=timedelta(seconds=30),
    ),
    Case(
        label="platform removed from the list, and added again",
        code="platform_not_registered",
        status="dying",
        event=lambda scene: (scene.sugar.remove_platform("intg"), scene.refresh_now()),
        fix_by="customer_admin",
        evidence="422",
        cure=lambda scene: scene.sugar.add_platform("intg"),
    ),
    Case(
        label="platform removed between two refreshes: a look sees it",
        code="platform_not_registered",
        status="dying",
        event=lambda scene: scene.sugar.remove_platform("intg"),
        within=timedelta(minutes=15),
        fix_by="customer_admin",
        cure=lambda scene: scene.sugar.add_platform("intg"),
    ),
    Case(
        label="user agent not on the list",
        preset="14.0",
        code="user_agent_blocked",
        status="dying",
        event=lambda scene: (scene.sugar.configure(allowed_clients={"intg": ["acme"]}), scene.refresh_now()),
        fix_by="customer_admin",
        evidence="403 client_not_allowed",
        cure=lambda scene: scene.sugar.configure(allowed_clients={"intg": ["acme", "sugaradmin"]}),
    ),
    Case(
        label="REST v10 is gone",
        code="version_unsupported",
        status="dying",
        event=lambda scene: (scene.sugar.configure(rest_max="9"), scene.refresh_now()),
        fix_by="operator",
        evidence="301 incorrect_version",
        cure=lambda scene: scene.sugar.configure(rest_max="11.23"),
    ),
    Case(
        label="a page where Sugar was",
        code="not_sugar",
        status="unreachable",
        event=in_front("html", status=200),
        fix_by="staff",
        cure=calm,
    ),
    Case(
        label="redirected elsewhere",
        code="moved",
        status="unreachable",
        event=in_front("redirect", location="https://new.example/"),
        fix_by="staff",
        cure=calm,
    ),
    Case(
        label="a proxy drops our header",
        code="header_stripped",
        status="unreachable",
        event=lambda scene: scene.sugar.chaos("strip_auth"),
        fix_by="customer_admin",
        evidence="No valid authentication",
        cure=calm,
    ),
    Case(
        label="a firewall's own 403",
        code="firewall_blocked",
        status="unreachable",
        event=in_front("waf"),
        fix_by="customer_admin",
        evidence="firewall blocked",
        cure=calm,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_set_up(scene: Open, case: Case) -> None:
    play(case, scene(case.preset, fields=case.fields, **case.own))


@pytest.mark.parametrize("kind", ["waf", "html", "redirect"])
def test_nothing_is_spent_while_something_stands_in_front(scene: Open, kind: str) -> None:
    played = scene("13.3", fields=WITHOUT_PASSWORD)
    played.sugar.chaos(kind)
    played.refresh_now()
    played.run(HOUR)
    assert played.kept.grants() == 0, played.trail()
    calm(played)
    played.run(timedelta(minutes=6), until=lambda: played.row.status == "healthy")
    assert played.row.version_count == 2, "the same refresh token, used once"


def test_a_built_in_platform_is_named_when_it_is_lost(scene: Open) -> None:
    fields = {"platform": "base", "allow_shared_platform": True, "store_password": False}
    played = scene("13.3", fields=fields)
    played.sugar.ui_login("svc")
    played.run(HOUR, until=lambda: played.row.status == "down")
    assert played.row.diagnosis_code == "refresh_token_superseded", played.trail()
    assert "built in" in str(played.row.diagnosis["evidence"])
