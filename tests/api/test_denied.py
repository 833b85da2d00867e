"""A change that a key tried and may not make stands in the audit, once for a while; what only reads does not."""

from __future__ import annotations

import pytest

from connections.api import denials
from connections.models import ApiKey, AuditRow
from tests.api.conftest import Connect, MakeCaller

pytestmark = pytest.mark.django_db


def denied() -> list[tuple[str, str, str, str | None]]:
    rows = AuditRow.objects.filter(outcome="denied").order_by("id")
    return [(row.actor, row.action, row.target, row.tenant and row.tenant.slug) for row in rows]


def test_a_missing_scope_is_noted_once(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", sign_in=False)
    greedy = caller("token:read", name="greedy")
    for _ in range(3):
        assert greedy.post(f"connections/{kept.public_id}/hold").status_code == 403
        assert greedy.get("connections").status_code == 403
    assert denied() == [("greedy", "hold", kept.public_id, "acme")]
    denials.forget()
    greedy.post(f"connections/{kept.public_id}/hold")
    assert len(denied()) == 2


def test_another_tenants_connection_is_noted_with_its_tenant(connect: Connect, caller: MakeCaller) -> None:
    kept = connect("13.3", sign_in=False)
    north = caller(tenants=["north"], name="north")
    assert north.post(f"connections/{kept.public_id}/pause").status_code == 404
    assert north.get(f"connections/{kept.public_id}").status_code == 404
    assert denied() == [("north", "pause", kept.public_id, "acme")]


def test_two_keys_of_one_name_are_told_apart(connect: Connect, caller: MakeCaller) -> None:
    """A successor has the name of the key that it takes over from; which of them leaked must be seen."""
    kept = connect("13.3", sign_in=False)
    for worker in (caller(name="etl"), caller(name="etl")):
        assert worker.post(f"connections/{kept.public_id}/pause").status_code == 200
        assert worker.post(f"connections/{kept.public_id}/resume").status_code == 200
    for worker in (caller("token:read", name="etl"), caller("token:read", name="etl")):
        assert worker.post(f"connections/{kept.public_id}/hold").status_code == 403
    keys = {row.prefix: row.name for row in ApiKey.objects.all()}
    rows = AuditRow.objects.filter(actor_kind="key").order_by("id")
    assert [row.actor for row in rows] == ["etl"] * 6
    assert len({row.difference["api_key"] for row in rows}) == 4
    assert {row.difference["api_key"] for row in rows} <= keys.keys()
