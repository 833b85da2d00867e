from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from connections.custody import guard
from connections.custody.audit import Actor
from connections.models import AuditRow
from connections.onboarding import api_keys

ANA = Actor(kind="staff", name="ana")


@pytest.mark.django_db(transaction=True)
def test_it_revokes_by_name_once_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    guard.forget()
    issued = api_keys.issue("etl", ["token:read"], ANA)
    call_command("revoke_api_key", "etl")
    issued.row.refresh_from_db()
    assert issued.row.revoked_at is not None
    assert AuditRow.objects.filter(action="revoke_api_key").count() == 1
    call_command("revoke_api_key", issued.row.prefix)
    assert "was revoked before" in capsys.readouterr().out
    assert AuditRow.objects.filter(action="revoke_api_key").count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(CommandError, match="There is no key called nobody"):
        call_command("revoke_api_key", "nobody")
