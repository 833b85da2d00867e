"""The status in SQL and in Python are one: over any stored state, and at every moment that could matter."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connections.choices import Status, Trouble
from connections.custody import keys
from connections.diagnosis import dies_at, status_of
from connections.models import Connection, DatabaseNow, Tenant, database_now
from tests.machine.invariants import state_of

OFFSETS = st.none() | st.sampled_from([-90_000, -3600, -5, 5, 60, 119, 3600, 90_000])
FLAGS = st.booleans()


@pytest.mark.django_db
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    is_paused=FLAGS,
    is_held=FLAGS,
    is_draft=st.sampled_from([False, False, False, True]),
    trouble=st.sampled_from(Trouble.values),
    has_password=FLAGS,
    has_refresh_token=FLAGS,
    is_lost=FLAGS,
    expires=OFFSETS,
    dead=OFFSETS,
    doubtful=OFFSETS,
    refresh_expires=OFFSETS,
)
def test_both_say_the_same(
    is_paused: bool,
    is_held: bool,
    is_draft: bool,
    trouble: str,
    has_password: bool,
    has_refresh_token: bool,
    is_lost: bool,
    expires: int | None,
    dead: int | None,
    doubtful: int | None,
    refresh_expires: int | None,
) -> None:
    tenant, _ = Tenant.objects.get_or_create(slug="acme", defaults={"name": "acme"})
    now = database_now()
    Connection.objects.all().delete()
    row = Connection(tenant=tenant, created_at=now, updated_at=now, instance_url="https://crm.example", host="crm:443")
    row.label, row.platform, row.username = "x", "intg", "svc"
    row.paused_at, row.held_at = now if is_paused else None, now if is_held else None
    row.version_count = 0 if is_draft else 3
    row.trouble, row.trouble_since = trouble, now if trouble else None
    if has_password:
        row.password_number = 1
        row.password = keys.keyring().seal("secret", keys.password_context(row))
    row.has_refresh_token = has_refresh_token
    row.answer_lost_at = now if is_lost else None
    for name, offset in [
        ("access_expires_at", expires),
        ("access_dead_at", dead),
        ("access_doubtful_until", doubtful),
        ("refresh_expires_at", refresh_expires),
    ]:
        setattr(row, name, None if offset is None else now + timedelta(seconds=offset))
    row.save()
    stored = Connection.objects.with_status().annotate(now=DatabaseNow()).get(pk=row.pk)
    state = state_of(stored)
    assert stored.status == status_of(state, stored.now)
    assert Status(stored.status)
    said = dies_at(state, stored.now)
    assert (stored.dies_at is None) == (said is None)
    assert said is None or abs(stored.dies_at - said) < timedelta(seconds=1)
