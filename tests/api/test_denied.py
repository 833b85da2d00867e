"""A change that a key tried and may not make stands in the audit, once for a while; what only reads does not."""

from __future__ import annotations

import pytest

from connections.api import denials
from connections.models import AuditRow
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
